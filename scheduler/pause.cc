// SPDX-License-Identifier: BSL-1.0
// Tasklets that stand nowhere.
//
// Invariant: one that is paused is parked on a record that is a pause: its own
// in suspend(), switch_to() and run(); else nowhere(), which is shared.
#include <any>
#include <optional>
#include <utility>

#include "weft/scheduler/alarm.h"
#include "weft/scheduler/core.h"
#include "weft/scheduler/yield.h"

namespace weft {

// Nobody writes to it, so that schedulers in other threads may share it.
wait_record& core::nowhere() {
  static wait_record record = [] {
    wait_record w("nothing", {});
    w.pause = 1;
    return w;
  }();
  return record;
}

void core::put_nowhere(control_block* t) noexcept {
  t->waiting = &nowhere();
  ++paused;
}

const char* core::why_not_run(const descriptor& d) {
  const control_block& t = *d.block;
  if (t.waiting != nullptr && t.waiting->pause == 0)
    return "weft: a tasklet that is blocked can be neither inserted nor run";
  if (!started(t) && d.body.empty())
    return "weft: this tasklet has nothing to run; bind() it first";
  return nullptr;
}

const char* core::insert(descriptor& d, std::any& value) noexcept {
  control_block* t = who_pauses(d);
  const wait_record* w = t->waiting;
  if (value.has_value()) {
    if (w == nullptr || w->slot == nullptr || w->reason == run_reason)
      return "weft: insert() hands a value over, but the tasklet is in neither "
             "suspend() nor switch_to()";
    *static_cast<std::any*>(w->slot) = std::move(value);
  }
  if (w != nullptr) wake(t);
  return nullptr;
}

// Nobody is there who could be told of an error.
void core::insert_from_afar(descriptor& d, std::any& value) noexcept {
  if (why_not_run(d) == nullptr) static_cast<void>(insert(d, value));
}

void core::take_out(control_block* t) noexcept {
  if (t->waiting == nullptr || !unpark(t)) queue.remove(t);
}

control_block* core::who_pauses(const descriptor& d) noexcept {
  const wait_record* w = stand_in.waiting;
  const bool there = d.block->waiting == nullptr && w != nullptr &&
                     w->pause != 0 && stand_in.who == &d;
  return there ? &stand_in : d.block;
}

std::any dispatcher::pause(control_block* n, const char* reason,
                           std::source_location where) {
  std::any value;
  wait_record w(reason, where);
  pause(n, w, value);
  return value;
}

void dispatcher::pause(control_block* n, wait_record& w, std::any& value) {
  w.slot = &value;
  w.pause = 1;
  ++paused;
  control_block* next = line_up(w);
  if (n != nullptr) {
    if (next != nullptr) queue.push_front(next);
    next = n;
  }
  switch_to(current, next);
}

std::any suspend(std::source_location where) {
  return core::here().pause(nullptr, suspend_reason, where);
}

std::optional<std::any> core::suspend_until(time_point now, time_point when,
                                            std::source_location where) {
  if (when <= now) return std::nullopt;
  std::any value;
  wait_record w(suspend_reason, where);
  const alarm set(*this, when, w);
  pause(nullptr, w, value);
  if (w.timed_out != 0) return std::nullopt;
  return std::optional<std::any>(std::in_place, std::move(value));
}

std::optional<std::any> suspend_until(
    std::chrono::steady_clock::time_point when, std::source_location where) {
  core& c = core::here();
  return c.suspend_until(c.driver->now(), when, where);
}

std::optional<std::any> suspend_for_ns(std::chrono::nanoseconds time,
                                       std::source_location where) {
  core& c = core::here();
  const auto now = c.driver->now();
  return c.suspend_until(now, later(now, time), where);
}

}  // namespace weft
