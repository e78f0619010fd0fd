// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/core.h"
#include "weft/scheduler/yield.h"

namespace weft {

void sleep_until(std::chrono::steady_clock::time_point when,
                 std::source_location where) {
  core& c = core::here();
  if (when <= c.driver->now()) return yield();
  wait_record w("sleep", where);
  w.who = c.current;
  const timer alarm(c.timers, when, w);
  c.mark_sources();
  c.park(w);
}

void sleep_for_ns(std::chrono::nanoseconds d, std::source_location where) {
  sleep_until(later(core::here().driver->now(), d), where);
}

bool dispatcher::park_until(wait_record& w, wait_queue& q,
                            std::chrono::steady_clock::time_point deadline) {
  core& c = core::of(this);
  if (deadline <= c.driver->now()) return false;
  w.who = current;
  const timer alarm(c.timers, deadline, w);
  c.mark_sources();
  park(w, q);
  return w.timed_out == 0;
}

bool dispatcher::park_for(wait_record& w, wait_queue& q,
                          std::chrono::nanoseconds time) {
  return park_until(w, q, later(core::of(this).driver->now(), time));
}

}  // namespace weft
