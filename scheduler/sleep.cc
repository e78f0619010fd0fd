// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/alarm.h"
#include "weft/scheduler/clock.h"
#include "weft/scheduler/core.h"
#include "weft/scheduler/yield.h"

namespace weft {
namespace {

// It has not been woken since, nor waits another waiter there in its place.
bool waits_on(const control_block& t, const wait_record& w) {
  const wait_record* r = t.waiting;
  while (r != nullptr && r != &w) r = r->sibling;
  return r != nullptr;
}

}  // namespace

alarm::alarm(core& c, time_point deadline, wait_record& record) noexcept
    : timer(&alarm::ring), record_(record) {
  record.who = c.current;
  arm(c.timers, deadline);
  c.mark_sources();
}

void alarm::ring(timer& t, core& c) noexcept {
  wait_record& w = static_cast<alarm&>(t).record_;
  if (!waits_on(*w.who, w)) return;  // Woken already.
  if (!c.unpark(w.who)) return;
  w.timed_out = 1;
  c.queue.push(w.who);
}

void core::sleep(time_point now, time_point when, std::source_location where) {
  if (when <= now) return yield();
  wait_record w("sleep", where);
  const alarm set(*this, when, w);
  park(w);
}

clock::time_point clock::now() { return core::present().driver->now(); }

void sleep_until(std::chrono::steady_clock::time_point when,
                 std::source_location where) {
  core& c = core::here();
  c.sleep(c.driver->now(), when, where);
}

void sleep_for_ns(std::chrono::nanoseconds d, std::source_location where) {
  core& c = core::here();
  const auto now = c.driver->now();
  c.sleep(now, later(now, d), where);
}

bool core::park_until(wait_record& w, wait_queue& q, time_point now,
                      time_point deadline) {
  if (deadline <= now) return false;
  const alarm set(*this, deadline, w);
  park(w, q);
  return w.timed_out == 0;
}

std::chrono::steady_clock::time_point dispatcher::from_now(
    std::chrono::nanoseconds time) const {
  return later(static_cast<const core*>(this)->driver->now(), time);
}

bool dispatcher::park_until(wait_record& w, wait_queue& q,
                            std::chrono::steady_clock::time_point deadline) {
  core& c = core::of(this);
  return c.park_until(w, q, c.driver->now(), deadline);
}

bool dispatcher::park_for(wait_record& w, wait_queue& q,
                          std::chrono::nanoseconds time) {
  core& c = core::of(this);
  const auto now = c.driver->now();
  return c.park_until(w, q, now, later(now, time));
}

}  // namespace weft
