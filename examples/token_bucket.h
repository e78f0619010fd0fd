// SPDX-License-Identifier: BSL-1.0
// A limit on how often something is done. A token comes each period, the bucket
// keeps some for later, and who wants to do it takes some out first.
//
//   examples::token_bucket requests(100ms, 5);  // ten a second, five at once
//   requests.take();                            // parks until there is one
//   send(request);
//
// Nothing ticks: what the bucket holds is worked out from the clock.
//
// Ordering:       first in, first out: who wants many is not overtaken by those
//                 who want few. One who is killed, or out of time, leaves the
//                 line and takes nothing.
// Thread safety:  belongs to the scheduler that it was made in.
// Lifetime:       outlives those who wait.
// Cost:           O(1); one timer, however many wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>

#include "weft/weft.h"

namespace examples {

class token_bucket {
 public:
  using time_point = weft::clock::time_point;

  // Holds `burst` tokens at most, and at first. Throws std::invalid_argument
  // where either is less than one; no_scheduler. Requires: `burst` periods are
  // less than a century.
  token_bucket(std::chrono::nanoseconds period, std::uint32_t burst)
      : period_(period), burst_(burst) {
    if (period.count() < 1 || burst < 1)
      throw std::invalid_argument("a token_bucket without tokens");
    empty_ = latest_full();
  }

  // Parks until it is the caller's turn and there are `n` tokens, and takes
  // them. Throws std::invalid_argument where there never are as many; as
  // mutex::lock() and sleep_until().
  void take(std::uint32_t n = 1) {
    if (n > burst_)
      throw std::invalid_argument("a token_bucket never holds as many tokens");
    const std::scoped_lock first_in_line(line_);
    if (when(n) > weft::clock::now()) weft::sleep_until(when(n));
    empty_ = when(n);
  }

  // When there are `n`, if nobody takes any before; that may have passed.
  [[nodiscard]] time_point when(std::uint32_t n = 1) const {
    return std::max(empty_, latest_full()) + n * period_;
  }
  [[nodiscard]] std::uint32_t available() const {
    const auto age = weft::clock::now() - std::max(empty_, latest_full());
    return static_cast<std::uint32_t>(age / period_);
  }

 private:
  // It would be full now, had it been empty then.
  [[nodiscard]] time_point latest_full() const {
    return weft::clock::now() - burst_ * period_;
  }

  std::chrono::nanoseconds period_;
  std::uint32_t burst_;
  time_point empty_;  // when it was, or would have been
  weft::mutex line_;  // the first sleeps for the tokens, the others for it
};

}  // namespace examples
