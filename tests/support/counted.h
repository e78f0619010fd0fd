// SPDX-License-Identifier: BSL-1.0
// A value that counts: how many are alive, how often one was moved; and that
// throws when it is told to.
#pragma once

#include <stdexcept>

namespace weft_test {

struct move_failed : std::runtime_error {
  move_failed() : runtime_error("move failed") {}
};

// Move-only and not default constructible.
class counted {
 public:
  explicit counted(int v) : value(v) { ++alive; }
  counted(counted&& other)  // NOLINT: it throws on purpose
      : value(other.value) {
    const bool fails = throw_in == 0;
    if (throw_in >= 0) --throw_in;
    if (fails) throw move_failed();
    other.value = -1;
    ++alive;
    ++moves;
  }
  counted& operator=(counted&&) = delete;
  ~counted() { --alive; }

  static void reset() {
    alive = moves = 0;
    throw_in = -1;
  }

  int value;
  static inline int alive = 0;
  static inline int moves = 0;
  static inline int throw_in =
      -1;  // moves before the one that throws; -1: none
};

}  // namespace weft_test
