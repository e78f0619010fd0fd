// SPDX-License-Identifier: BSL-1.0
// An idle driver whose time stands still until somebody advances it: for tests
// that look at what happens at each moment, and for games with a clock of their
// own.
//
//   weft::manual_clock clock;
//   weft::scheduler s({.driver = &clock});
//   weft::spawn([] { weft::sleep_for(1h); std::puts("an hour later"); });
//   weft::run();        // comes back: idle, and the deadline
//   clock.advance(1h);
//   weft::run();        // an hour later
//
// Nobody can wait for it: where only time could help, run() returns idle, and
// without a run() whoever would block last gets deadlock_error.
//
// Thread safety: wake() from any thread; else none.
#pragma once

#include "weft/scheduler/virtual_clock.h"

namespace weft {

class manual_clock : public virtual_clock {
 public:
  [[nodiscard]] bool time_passes() const noexcept override { return false; }
  [[nodiscard]] bool jumps() const noexcept override { return false; }
  void wait(std::optional<clock::time_point>) noexcept override {
    virtual_clock::wait(std::nullopt);
  }
};

}  // namespace weft
