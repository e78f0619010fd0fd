// SPDX-License-Identifier: BSL-1.0
// An idle driver whose time passes faster or slower than that of another.
//
//   weft::scaled_clock clock(60);  // a minute a second
//   weft::scheduler s({.driver = &clock});
//   weft::spawn([] { weft::sleep_for(1h); std::puts("a minute later"); });
//   weft::run();
//
// The rate may change while the program runs: time goes on from where it is.
// At rate 0 it stands still, as a manual_clock's does. Both clocks show the same
// when it is made.
//
// Thread safety: wake() as that of the other; else none.
// Lifetime:      ends before the other does.
#pragma once

#include "weft/scheduler/idle_driver.h"
#include "weft/scheduler/thread_driver.h"

namespace weft {

class scaled_clock : public idle_driver {
 public:
  // Of real time, or of `inner`'s. Throw std::invalid_argument for a rate that
  // is negative, infinite or no number.
  explicit scaled_clock(double rate);
  scaled_clock(idle_driver& inner, double rate);

  [[nodiscard]] double rate() const { return rate_; }
  // Throws as above, with nothing changed.
  void set_rate(double rate);

  clock::time_point now() noexcept override;
  void poll() noexcept override { inner_.poll(); }
  void wait(std::optional<clock::time_point> deadline) noexcept override;
  void wait_for(std::chrono::nanoseconds real) noexcept override {
    inner_.wait_for(real);
  }
  void wake() noexcept override { inner_.wake(); }
  [[nodiscard]] bool jumps() const noexcept override { return inner_.jumps(); }
  [[nodiscard]] bool expects() const noexcept override {
    return inner_.expects();
  }
  [[nodiscard]] bool time_passes() const noexcept override {
    return rate_ > 0 && inner_.time_passes();
  }

 private:
  // By this clock, when it is that by the other, and back: the first time at
  // which it will be so late. What does not fit is the end of time.
  [[nodiscard]] clock::time_point outward(clock::time_point inner) const;
  [[nodiscard]] clock::time_point inward(clock::time_point outer) const;

  thread_driver own_;
  idle_driver& inner_;
  double rate_;
  // Both clocks when the rate was set.
  clock::time_point inner_start_ = inner_.now();
  clock::time_point start_ = inner_start_;
};

}  // namespace weft
