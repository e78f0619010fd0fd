// SPDX-License-Identifier: BSL-1.0
// Cuts blocks of text into lower-case words: the longest runs of the letters
// A-Z and a-z. A word may span any number of blocks.
//
//   word_splitter split;
//   split(block, [](std::string_view word) { ... });  // a view into the block
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "weft/examples/pipeline/text_reader.h"

class word_splitter {
 public:
  // A longer word is dropped, so that a file without an end to its first word
  // does not fill the memory.
  static constexpr std::size_t longest_word = std::size_t{64} << 10;

  template <typename Use>
  void operator()(text_block& block, Use use) {
    fold(block);
    const char* at = block.bytes.data();
    const char* const end = at + block.size;
    if (!begun_.empty() || block.size == 0) {
      const char* rest = std::find(at, end, '\0');
      begin(at, rest);
      if (rest == end && block.size != 0) return;
      finish(block, use);
      at = rest;
    }
    for (;;) {
      while (at != end && *at == '\0') ++at;
      const char* const word = at;
      while (at != end && *at != '\0') ++at;
      if (at == end) return begin(word, end);
      use(std::string_view(word, at));
    }
  }

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  // Letters become lower case, everything else '\0'. Branchless, and in runs of
  // a fixed length, which is what compilers turn into vector code.
  static void fold(text_block& block) {
    constexpr std::size_t run = 64;
    static_assert(block_size % run == 0);
    char* const end = block.bytes.data() + block.size;
    std::fill(end, end + (block_size - block.size) % run, '\0');
    for (std::size_t i = 0; i < block.size; i += run)
      for (std::size_t j = i; j < i + run; ++j) {
        const auto c = static_cast<unsigned char>(block.bytes[j] | 0x20);
        const auto above_a = static_cast<unsigned char>(c - 'a');
        block.bytes[j] = static_cast<char>(above_a < 26 ? c : 0);
      }
  }

  void begin(const char* from, const char* to) {
    // One letter more than allowed says that it was too long.
    const std::size_t room = longest_word + 1 - begun_.size();
    begun_.append(from, std::min(room, static_cast<std::size_t>(to - from)));
  }

  template <typename Use>
  void finish(text_block& block, Use use) {
    block.spanning = std::exchange(begun_, {});
    if (block.spanning.size() > longest_word) {
      ++dropped_;
    } else if (!block.spanning.empty()) {
      use(std::string_view(block.spanning));
    }
  }

  std::string begun_;
  std::uint64_t dropped_ = 0;
};
