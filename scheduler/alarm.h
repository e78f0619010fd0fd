// SPDX-License-Identifier: BSL-1.0
// Private: the timer of one who waits, and goes on when the time has passed.
//
// Armed before its tasklet is parked. One whose tasklet was woken by something
// else meanwhile fires to no effect.
#pragma once

#include "weft/scheduler/timer_wheel.h"

namespace weft {

struct wait_record;

class alarm : public timer {
 public:
  // Requires: `record` outlives it.
  alarm(core& c, time_point deadline, wait_record& record) noexcept;

 private:
  static void ring(timer& t, core& c) noexcept;

  wait_record& record_;
};

}  // namespace weft
