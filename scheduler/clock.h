// SPDX-License-Identifier: BSL-1.0
// The time that tasklets live by: that of their scheduler's clock.
//
//   const auto begin = weft::clock::now();
//   weft::sleep_until(begin + 5s);
//
// std::chrono::steady_clock::now() is the same only where the scheduler has no
// clock of its own: no virtual, manual or scaled one.
#pragma once

#include <chrono>

namespace weft {

// A Clock, as the standard library has them.
struct clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;

  // Of this thread's scheduler. Throws no_scheduler.
  [[nodiscard]] static time_point now();
};

}  // namespace weft
