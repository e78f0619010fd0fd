// SPDX-License-Identifier: BSL-1.0
// Cuts blocks of text into lower-case words: the longest runs of the letters
// A-Z and a-z. A word may span any number of blocks: blocks are split in any
// order, on any thread, and what their ends hold is sewn together in the order
// of the text.
//
//   loose_ends ends = split_words(block, [](std::string_view word) { ... });
//   ...
//   word_sewer sew;
//   std::string_view word = sew(block, ends);  // or ""
//
// All words are views into the block.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "weft/examples/pipeline/text_reader.h"

// What a block begins and ends with, of which its neighbours may hold more.
struct loose_ends {
  std::string_view first;  // up to the first gap between words
  std::string_view last;   // after the last gap
  bool has_gap;            // as the end of a file has
};

// Letters become lower case, everything else '\0'. Branchless, and in runs of a
// fixed length, which is what compilers turn into vector code.
inline void fold(text_block& block) {
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

// use(std::string_view) for every word that lies between two gaps.
template <typename Use>
loose_ends split_words(text_block& block, Use use) {
  fold(block);
  const char* at = block.bytes.data();
  const char* const end = at + block.size;
  const char* const gap = std::find(at, end, '\0');
  const std::string_view first(at, gap);
  if (gap == end) return {first, {}, block.size == 0};
  for (at = gap;;) {
    while (at != end && *at == '\0') ++at;
    const char* const word = at;
    while (at != end && *at != '\0') ++at;
    if (at == end) return {first, {word, end}, true};
    use(std::string_view(word, at));
  }
}

class word_sewer {
 public:
  // A longer word is dropped, so that a file without an end to its first word
  // does not fill the memory.
  static constexpr std::size_t longest_word = std::size_t{64} << 10;

  // The word that ends at the block's first gap, "" if there is none. Takes
  // blocks in order.
  std::string_view operator()(text_block& block, const loose_ends& ends) {
    begin(ends.first);
    if (!ends.has_gap) return {};
    block.spanning = std::exchange(begun_, {});
    begin(ends.last);
    if (block.spanning.size() <= longest_word) return block.spanning;
    ++dropped_;
    return {};
  }

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void begin(std::string_view letters) {
    // One letter more than allowed says that it was too long.
    const std::size_t room = longest_word + 1 - begun_.size();
    begun_.append(letters.substr(0, room));
  }

  std::string begun_;
  std::uint64_t dropped_ = 0;
};
