// SPDX-License-Identifier: BSL-1.0
// Pairs up those who are close to each other, looking only at neighbours: the
// plane is cut into squares, and a hash table keeps who is in which.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "weft/examples/random.h"

namespace actors {

// A position is a whole number of 1/256 squares.
inline constexpr std::int32_t square = 256;
struct point {
  std::int32_t x = 0, y = 0;
};

class grid {
 public:
  // Forgets everybody, and makes room for `expected`.
  void clear(std::size_t expected) {
    entries_.clear();
    heads_.assign(std::bit_ceil(expected + 1), nobody);
  }

  // Somebody entered before who is less than a square away; both are out of the
  // grid then. Else enters `who`.
  std::optional<std::uint32_t> pair_up(std::uint32_t who, point at) {
    for (std::int32_t y = -square; y <= square; y += square)
      for (std::int32_t x = -square; x <= square; x += square)
        if (const auto other = take(head({at.x + x, at.y + y}), at))
          return other;
    std::uint32_t& first = head(at);
    entries_.push_back({who, at, first});
    first = static_cast<std::uint32_t>(entries_.size() - 1);
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t nobody = 0xffffffff;
  struct entry {
    std::uint32_t who;
    point at;
    std::uint32_t next;  // in the same list
  };

  // Squares may share a list: the distance tells.
  std::uint32_t& head(point at) {
    const auto x = static_cast<std::uint32_t>(at.x / square);
    const auto y = static_cast<std::uint32_t>(at.y / square);
    return heads_[examples::mix(std::uint64_t{x} << 32 | y) &
                  (heads_.size() - 1)];
  }

  std::optional<std::uint32_t> take(std::uint32_t& list, point at) {
    for (std::uint32_t* i = &list; *i != nobody; i = &entries_[*i].next) {
      const entry& e = entries_[*i];
      const std::int64_t dx = std::int64_t{e.at.x} - at.x;
      const std::int64_t dy = std::int64_t{e.at.y} - at.y;
      if (dx * dx + dy * dy >= std::int64_t{square} * square) continue;
      *i = e.next;
      return e.who;
    }
    return std::nullopt;
  }

  std::vector<std::uint32_t> heads_;
  std::vector<entry> entries_;
};

}  // namespace actors
