// SPDX-License-Identifier: BSL-1.0
// What a handle asks of its tasklet's scheduler.
#include <stdexcept>
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/tasklet/holds.h"

namespace weft {
namespace {

// The scheduler of one that is alive and may run.
core& scheduler_of(const descriptor& d) {
  core& c = core::admitted(d);
  const control_block& t = *d.block;
  if (t.waiting != nullptr && t.waiting->pause == 0)
    throw error(
        "weft: a tasklet that is blocked can be neither inserted nor run");
  if (!started(t) && d.body.empty())
    throw error("weft: this tasklet has nothing to run; bind() it first");
  return c;
}

[[noreturn]] void throw_dead() { throw error("weft: this tasklet has ended"); }

// Waits for the end of one that is alive, as `park` does on a record.
template <typename Park>
[[gnu::always_inline]] inline auto join_by(dispatcher* s, descriptor& d,
                                           std::source_location where,
                                           Park park) {
  wait_record w(join_reason, where);
  w.slot = &d;
  return park(s, w);
}

}  // namespace

dispatcher* tasklet::joining() const {
  dispatcher* s = this_dispatcher();
  if (d_->owner != s->key) [[unlikely]]
    s = &core::admitted(*d_);
  if (d_->block == s->current) [[unlikely]]
    throw error("weft: a tasklet cannot join itself");
  return s;
}

void tasklet::join(std::source_location where) const {
  if (!alive()) return;
  join_by(joining(), *d_, where,
          [this](dispatcher* s, wait_record& w) { s->park(w, d_->joiners); });
}

bool tasklet::join_until(std::chrono::steady_clock::time_point when,
                         std::source_location where) const {
  return !alive() || join_by(joining(), *d_, where,
                             [this, when](dispatcher* s, wait_record& w) {
                               return s->park_until(w, d_->joiners, when);
                             });
}

bool tasklet::join_for_ns(std::chrono::nanoseconds time,
                          std::source_location where) const {
  return !alive() || join_by(joining(), *d_, where,
                             [this, time](dispatcher* s, wait_record& w) {
                               return s->park_for(w, d_->joiners, time);
                             });
}

void tasklet::kill() const {
  if (!alive()) return;
  core::admitted(*d_).kill(*d_, true);
}

void tasklet::kill(pending_t) const {
  if (!alive()) return;
  core::admitted(*d_).kill(*d_, false);
}

void tasklet::throw_at(std::exception_ptr what, bool now) const {
  if (!what)
    throw std::invalid_argument("weft: throw_exception() of no exception");
  if (!alive()) {
    if (holds<tasklet_exit>(what)) return;
    throw_dead();
  }
  core::admitted(*d_).throw_into(*d_, std::move(what), now);
}

void tasklet::throw_exception(std::exception_ptr what) const {
  throw_at(std::move(what), true);
}

void tasklet::throw_exception(std::exception_ptr what, pending_t) const {
  throw_at(std::move(what), false);
}

void tasklet::insert(std::any value) const {
  if (!alive()) throw_dead();
  core& c = scheduler_of(*d_);
  control_block* t = c.who_pauses(*d_);
  const wait_record* w = t->waiting;
  if (value.has_value()) {
    if (w == nullptr || w->slot == nullptr || w->reason == run_reason)
      throw error(
          "weft: insert() hands a value over, but the tasklet is in neither "
          "suspend() nor switch_to()");
    *static_cast<std::any*>(w->slot) = std::move(value);
  }
  if (w != nullptr) c.wake(t);
}

void tasklet::remove() const {
  if (!alive()) return;
  core& c = core::admitted(*d_);
  control_block* t = d_->block;
  if (t == c.current)
    throw error(
        "weft: the current tasklet cannot be removed; it can suspend()");
  if (paused()) return;
  if (t->waiting != nullptr)
    throw error("weft: a tasklet that is blocked cannot be removed");
  c.take_out(t);
  c.put_nowhere(t);
}

void tasklet::run() const {
  if (!alive()) throw_dead();
  core& c = scheduler_of(*d_);
  control_block* t = d_->block;
  if (t == c.current) return;
  c.require_switching();
  c.take_out(t);
  c.run_now(t);
}

std::any tasklet::switch_to(std::source_location where) const {
  if (!alive()) throw_dead();
  core& c = scheduler_of(*d_);
  control_block* t = d_->block;
  if (t == c.current) return {};
  c.require_switching();
  c.take_out(t);
  return c.pause(t, switch_reason, where);
}

void tasklet::require_unbound() const {
  if (!alive()) throw_dead();
  static_cast<void>(core::admitted(*d_));
  if (started(*d_->block) || !d_->body.empty())
    throw error("weft: this tasklet has something to run already");
}

void tasklet::set_name(std::string name) const {
  if (!alive()) return;
  static_cast<void>(core::owner_of(*d_));
  d_->detailed = true;
  d_->name = std::make_unique<std::string>(std::move(name));
}

bool tasklet::scheduled() const {
  return alive() && d_->block->waiting == nullptr && !is_current();
}

bool tasklet::is_current() const {
  return alive() &&
         d_->block == static_cast<const core*>(d_->owner.get())->current;
}

bool tasklet::is_main() const {
  return alive() && d_ == static_cast<const core*>(d_->owner.get())->main;
}

}  // namespace weft
