// SPDX-License-Identifier: BSL-1.0
// Private: times that stay within what the clock can express.
#pragma once

#include <chrono>

namespace weft {

// `d` in nanoseconds, or the largest there is: hours::max() is a fine time-out.
template <typename Rep, typename Period>
constexpr std::chrono::nanoseconds saturate(
    std::chrono::duration<Rep, Period> d) {
  using std::chrono::nanoseconds;
  using seconds = std::chrono::duration<long double>;
  if (seconds(d) >= seconds(nanoseconds::max())) return nanoseconds::max();
  if (seconds(d) <= seconds(nanoseconds::min())) return nanoseconds::min();
  return std::chrono::duration_cast<nanoseconds>(d);
}

inline std::chrono::steady_clock::time_point later(
    std::chrono::steady_clock::time_point now, std::chrono::nanoseconds by) {
  using time_point = std::chrono::steady_clock::time_point;
  return by > time_point::max() - now ? time_point::max() : now + by;
}

}  // namespace weft
