// SPDX-License-Identifier: BSL-1.0
// An idle driver whose time stands still until it is moved: for simulations and
// for tests.
//
//   weft::manual_driver clock;
//   weft::scheduler s({.driver = &clock});
//   weft::spawn([] { weft::sleep_for(1h); std::puts("an hour later"); });
//   weft::run();  // at once: where all wait, time jumps to the next deadline
//
// Thread safety: none.
#pragma once

#include "weft/scheduler/idle_driver.h"

namespace weft {

class manual_driver : public idle_driver {
 public:
  clock::time_point now() noexcept override { return now_; }

  void advance(clock::duration by) noexcept { now_ += by; }

  // Requires: a deadline; nobody but a timer wakes the tasklets of a
  // simulation.
  void wait(std::optional<clock::time_point> deadline) noexcept override {
    if (deadline && *deadline > now_) now_ = *deadline;
  }

  void wake() noexcept override {}

 private:
  clock::time_point now_{};
};

}  // namespace weft
