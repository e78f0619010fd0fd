// SPDX-License-Identifier: BSL-1.0
// What a handle asks of its tasklet's scheduler.
#include <stdexcept>
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/scheduler/remote.h"
#include "weft/tasklet/holds.h"

namespace weft {
namespace {

// The scheduler of one that is alive and may run.
core& scheduler_of(const descriptor& d) {
  core& c = core::admitted(d);
  if (const char* why = core::why_not_run(d)) throw error(why);
  return c;
}

// Before a switch to a tasklet at once: what that makes runnable may end it.
void pass_queue_by() {
  dispatcher* const s = this_dispatcher();
  if (!s->flagged(none_here | polling)) core::of(s).pass_queue_by();
}

[[noreturn]] void throw_dead() { throw error("weft: this tasklet has ended"); }

// A tasklet of another thread, or that was one.
bool is_afar(const descriptor& d) {
  const void* const owner = d.owner;
  return owner != this_dispatcher() && owner != weft_this_strand_home;
}

// The same of one that is alive. Throws what is due to the caller.
bool admitted_afar(const descriptor& d) {
  dispatcher* const s = this_dispatcher();
  if (d.owner == s) return false;
  if (s != no_dispatcher()) s->admit();
  return true;
}

}  // namespace

dispatcher* tasklet::joining() const {
  if (admitted_afar(*d_)) return nullptr;
  dispatcher* s = &core::admitted(*d_);
  if (d_->block == s->current)
    throw error("weft: a tasklet cannot join itself");
  return s;
}

void tasklet::join(std::source_location where) const {
  if (!alive()) return;
  dispatcher* s = this_dispatcher();
  if (d_->owner != s->key || d_->block == s->current) [[unlikely]]
    s = joining();
  if (s == nullptr) return join_far(*this, where);
  wait_record w(join_reason, where);
  w.slot = d_;
  s->park(w, d_->joiners);
}

bool tasklet::join_until(std::chrono::steady_clock::time_point when,
                         std::source_location where) const {
  if (!alive()) return true;
  dispatcher* const s = joining();
  if (s == nullptr) return join_far(*this, when, where);
  wait_record w(join_reason, where);
  w.slot = d_;
  return s->park_until(w, d_->joiners, when);
}

bool tasklet::join_for_ns(std::chrono::nanoseconds time,
                          std::source_location where) const {
  if (!alive()) return true;
  dispatcher* const s = joining();
  if (s == nullptr) return join_far(*this, time, where);
  wait_record w(join_reason, where);
  w.slot = d_;
  return s->park_for(w, d_->joiners, time);
}

void tasklet::kill() const {
  pass_queue_by();
  if (!alive()) return;
  if (admitted_afar(*d_)) return kill_far(*this);
  core::admitted(*d_).kill(*d_, true);
}

void tasklet::kill(pending_t) const {
  if (!alive()) return;
  if (admitted_afar(*d_)) return kill_far(*this);
  core::admitted(*d_).kill(*d_, false);
}

void tasklet::throw_at(std::exception_ptr what, bool now) const {
  if (!what)
    throw std::invalid_argument("weft: throw_exception() of no exception");
  if (!alive()) {
    if (holds<tasklet_exit>(what) || (d_ != nullptr && is_afar(*d_))) return;
    throw_dead();
  }
  if (admitted_afar(*d_)) return throw_far(*this, std::move(what));
  core::admitted(*d_).throw_into(*d_, std::move(what), now);
}

void tasklet::throw_exception(std::exception_ptr what) const {
  pass_queue_by();
  throw_at(std::move(what), true);
}

void tasklet::throw_exception(std::exception_ptr what, pending_t) const {
  throw_at(std::move(what), false);
}

void tasklet::insert(std::any value) const {
  if (!alive()) {
    if (d_ != nullptr && is_afar(*d_)) return;
    throw_dead();
  }
  if (admitted_afar(*d_)) return insert_far(*this, std::move(value));
  if (const char* why = scheduler_of(*d_).insert(*d_, value)) throw error(why);
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
  pass_queue_by();
  if (!alive()) throw_dead();
  core& c = scheduler_of(*d_);
  control_block* t = d_->block;
  if (t == c.current) return;
  c.require_switching();
  c.take_out(t);
  c.run_now(t);
}

std::any tasklet::switch_to(std::source_location where) const {
  pass_queue_by();
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

const descriptor* tasklet::look() const {
  if (!alive()) return nullptr;
  if (d_->owner != this_dispatcher())
    dispatcher::throw_wrong_scheduler(
        "this tasklet belongs to", d_->owner,
        "elsewhere one can ask whether it is alive, and join(), kill(), "
        "throw_exception() and insert() it");
  return d_;
}

bool tasklet::waits(std::uint8_t pause) const {
  const descriptor* d = look();
  return d != nullptr && d->block->waiting != nullptr &&
         d->block->waiting->pause == pause;
}

bool tasklet::scheduled() const {
  const descriptor* d = look();
  return d != nullptr && d->block->waiting == nullptr && !is_current();
}

bool tasklet::is_current() const {
  const descriptor* d = look();
  return d != nullptr && d->block == this_dispatcher()->current;
}

bool tasklet::is_main() const {
  const descriptor* d = look();
  return d != nullptr && d == core::of(this_dispatcher()).main;
}

bool tasklet::block_trap() const {
  const descriptor* d = look();
  return d != nullptr && (d->block->flags & trapped) != 0;
}

std::string_view tasklet::name() const {
  const descriptor* d = look();
  return d != nullptr && d->name ? std::string_view(*d->name)
                                 : std::string_view();
}

spawn_site tasklet::site() const {
  const descriptor* d = look();
  return d != nullptr ? d->site : spawn_site();
}

weft::account tasklet::account() const {
  const descriptor* d = look();
  return d != nullptr && d->books ? *d->books : weft::account();
}

}  // namespace weft
