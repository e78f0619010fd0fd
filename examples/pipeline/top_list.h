// SPDX-License-Identifier: BSL-1.0
// The most frequent words; of words that are equally frequent, the first ones
// in the alphabet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

class top_list {
 public:
  struct entry {
    std::uint64_t count;
    std::string word;
  };

  explicit top_list(std::size_t size) : size_(size) {}

  void offer(std::string_view word, std::uint64_t count) {
    if (heap_.size() == size_) {
      if (!before(count, word, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), entry_before);
      heap_.pop_back();
    }
    heap_.push_back({count, std::string(word)});
    std::push_heap(heap_.begin(), heap_.end(), entry_before);
  }

  // Best first.
  [[nodiscard]] std::vector<entry> take() {
    std::sort_heap(heap_.begin(), heap_.end(), entry_before);
    return std::exchange(heap_, {});
  }

 private:
  static bool before(std::uint64_t count, std::string_view word,
                     const entry& other) {
    return count != other.count ? count > other.count : word < other.word;
  }
  static bool entry_before(const entry& a, const entry& b) {
    return before(a.count, a.word, b);
  }

  std::size_t size_;         // at least 1
  std::vector<entry> heap_;  // the worst of them on top
};
