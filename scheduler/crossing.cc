// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/crossing.h"

#include <utility>

#include "weft/scheduler/core.h"
#include "weft/scheduler/saturate.h"

namespace weft {
namespace {

// Off all lines. Requires: their guards are held.
void leave(wait_record& first) {
  for (wait_record* w = &first; w != nullptr; w = w->sibling)
    if (w->queue != nullptr) w->queue->remove(*w);
}

}  // namespace

guard_set guards_of(const wait_record& first) {
  guard_set all;
  for (const wait_record* w = &first; w != nullptr; w = w->sibling)
    all.add(w->crossing);
  return all;
}

void outbox::send() noexcept {
  while (first_ != nullptr) {
    auto& w = static_cast<crossing_wait&>(*first_);
    first_ = w.behind;  // It may be gone as soon as it is told.
    core& home = core::of(w.home);
    if (&home == this_dispatcher())
      w.deliver(w, home);
    else
      home.mail->post(w, false);
  }
  end_ = &first_;
}

bool crossing_wait::limit(const any_wait& wait) {
  if (std::holds_alternative<wait_never>(wait)) return false;
  if (std::holds_alternative<wait_forever>(wait)) return true;
  core& c = core::of(home);
  const auto now = c.driver->now();
  const auto* const until = std::get_if<wait_until>(&wait);
  const auto when = until != nullptr
                        ? until->deadline
                        : later(now, std::get<wait_for>(wait).time);
  if (when > now) alarm_.emplace(c, when, *this);
  return when > now;
}

void crossing_wait::arrive(letter& l, core& home) noexcept {
  auto& wait = static_cast<crossing_wait&>(l);
  control_block* const t = wait.who;
  home.leave_lines(t);
  // Before what becomes due to it meanwhile.
  if (wait.failure) dispatcher::raise_in(t, std::move(wait.failure));
  home.queue.push(t);
}

void core::leave_crossing(wait_record& first) noexcept {
  --crossings;
  // Whoever has served it has taken it off.
  if (first.sibling == nullptr && first.queue == nullptr) return;
  {
    const guard_set its = guards_of(first);
    const guarded_by_all held(its);
    leave(first);
  }
  was_left(first);
}

bool dispatcher::withdraw(control_block* t) noexcept {
  wait_record& first = *t->waiting;
  crossing_wait& last = crossing_wait::of(first);
  core& c = core::of(this);
  bool mine;
  {
    // Whoever serves it has its guard until that is done.
    const guard_set its = guards_of(first);
    const guarded_by_all held(its);
    mine = last.claim();
    if (mine) leave(first);
  }
  if (!mine) {
    c.mail->await(last);
    return false;
  }
  t->waiting = nullptr;
  --c.crossings;
  was_left(first);
  return true;
}

void dispatcher::line_up_crossing(wait_record& first) noexcept {
  for (wait_record* w = &first; w != nullptr; w = w->sibling) w->who = current;
  current->waiting = &first;
  ++core::of(this).crossings;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
bool dispatcher::claim_crossing(wait_record& w) noexcept {
  if (crossing_wait::of(w).claim()) return true;
  w.queue->remove(w);
  w.queue = nullptr;
  return false;
}

}  // namespace weft
