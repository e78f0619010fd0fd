// SPDX-License-Identifier: BSL-1.0
// What a tasklet has cost, counted while scheduler::set_accounting() is on.
#pragma once

#include <chrono>
#include <cstdint>

namespace weft {

struct account {
  std::uint64_t switches = 0;  // times it was switched to
  std::chrono::nanoseconds run{0};
  // From blocking until it went on: its wait in the run queue included.
  std::chrono::nanoseconds blocked{0};
};

}  // namespace weft
