// SPDX-License-Identifier: BSL-1.0
// How much of weft is alive in this process: for tests that look for leaks.
#pragma once

#include <cstddef>

namespace weft {

struct census {
  std::size_t schedulers = 0;
  std::size_t tasklets = 0;  // not ended, mains not counted; abandoned ones are
  std::size_t stacks = 0;    // taken from a pool; of generators and greenlets
                             // those of the thread that asks
  std::size_t waiters = 0;   // parked tasklets, those inside run() not counted

  friend bool operator==(const census&, const census&) = default;
};

// Thread safety: exact only while no other thread runs a scheduler.
[[nodiscard]] census take_census();

}  // namespace weft
