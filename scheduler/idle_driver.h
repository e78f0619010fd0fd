// SPDX-License-Identifier: BSL-1.0
// What a scheduler does when it has nothing to run, and where it gets the time.
//
// Timers, sockets, other threads: whatever can wake a tasklet from outside
// stands behind this seam. The scheduler calls poll() about every 64 switches
// while expects() says that something may come, and wait() when nothing is
// runnable.
//
// Thread safety: wake() may be called from any thread; everything else is
// called by the scheduler on its own thread.
#pragma once

#include <chrono>
#include <optional>
#include <thread>

namespace weft {

class idle_driver {
 public:
  using clock = std::chrono::steady_clock;

  virtual ~idle_driver() = default;

  // The time that sleep_for() and run_for() go by.
  virtual clock::time_point now() noexcept { return clock::now(); }

  // Makes what is ready runnable, without waiting. Neither this nor wait() may
  // switch: of a channel that prefers neither, try_send(), try_receive() and
  // close() do not. The program stops otherwise.
  virtual void poll() noexcept {}

  // Waits until something is ready, wake() is called or `deadline` has passed;
  // without a deadline as long as it takes. May return early.
  virtual void wait(std::optional<clock::time_point> deadline) noexcept = 0;

  // As wait() without a deadline, for at most so long of real time, whatever
  // now() is. As it stands, a wake() does not end it where that is not real.
  virtual void wait_for(std::chrono::nanoseconds real) noexcept {
    if (time_passes() && !jumps())
      wait(now() + real);
    else
      std::this_thread::sleep_for(real);
  }

  // Ends a wait(), also one that has not begun yet.
  virtual void wake() noexcept = 0;

  // To wait() brings a deadline nearer. Where it does not, and nothing is
  // expected, the scheduler does not wait: run() returns idle.
  [[nodiscard]] virtual bool time_passes() const noexcept { return true; }

  // To wait for a deadline takes no time. While a call that was offloaded is
  // under way the scheduler waits without one.
  [[nodiscard]] virtual bool jumps() const noexcept { return false; }

  // Something outside, beside timers, may still wake a tasklet: there is no
  // deadlock, and run() waits instead of returning.
  [[nodiscard]] virtual bool expects() const noexcept { return false; }
};

}  // namespace weft
