// SPDX-License-Identifier: BSL-1.0
// An idle driver whose time jumps to the next deadline when all wait: for
// simulations and for tests.
//
//   weft::virtual_clock clock;
//   weft::scheduler s({.driver = &clock});
//   weft::spawn([] { weft::sleep_for(1h); std::puts("an hour later"); });
//   weft::run();  // at once
//
// To run takes no time by it, unless somebody advances it. It begins at the
// epoch of its time_point.
//
// Thread safety: wake() from any thread; else none.
#pragma once

#include "weft/scheduler/saturate.h"
#include "weft/scheduler/thread_driver.h"

namespace weft {

class virtual_clock : public thread_driver {
 public:
  clock::time_point now() noexcept override { return now_; }

  // Requires: not negative. Timers that are due go off when the scheduler looks
  // at them next.
  void advance(clock::duration by) noexcept { now_ = later(now_, by); }
  // Nothing happens where that has passed.
  void advance_to(clock::time_point when) noexcept {
    if (when > now_) now_ = when;
  }

  // Without a deadline, for what other threads do.
  void wait(std::optional<clock::time_point> deadline) noexcept override {
    if (deadline)
      advance_to(*deadline);
    else
      thread_driver::wait(deadline);
  }
  void wait_for(std::chrono::nanoseconds real) noexcept override {
    thread_driver::wait(clock::now() + real);
  }
  [[nodiscard]] bool jumps() const noexcept override { return true; }

 private:
  clock::time_point now_{};
};

}  // namespace weft
