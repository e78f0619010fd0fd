// SPDX-License-Identifier: BSL-1.0
// Private: what a tasklet carries with it, and may hand on to those it spawns.
//
// A list in the descriptor, newest first; empty in most tasklets, so that a
// spawn pays one test for it. Whoever keeps something there derives from
// belonging: values of tasklet_local, deadlines ...
#pragma once

#include <cstdint>

namespace weft {

struct descriptor;

struct belonging {
  belonging* older = nullptr;
  std::uint64_t key;  // what it is: of new_key()
  // What a tasklet spawned by the one that has it gets; may throw, and give
  // null. Null: nothing.
  belonging* (*inherit)(const belonging&);
  void (*drop)(belonging&) noexcept;  // ends it

  // Never given twice, in no thread.
  static std::uint64_t new_key();
};

// The one that `d` has; null: none.
belonging* find_belonging(const descriptor& d, std::uint64_t key);
// `d` has it from now on, and ends it.
void keep_belonging(descriptor& d, belonging& b);
// What was there is ended.
void drop_belonging(descriptor& d, std::uint64_t key) noexcept;
// All of them, newest first, also those that come meanwhile.
void drop_belongings(descriptor& d) noexcept;

// Has `child` get what `parent` hands on. Throws what copying throws; what it
// has got until then stays.
void inherit(descriptor& child, const descriptor& parent);

}  // namespace weft
