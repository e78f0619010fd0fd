// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/timeout.h"

#include <atomic>
#include <cstdint>

#include "weft/scheduler/core.h"

namespace weft {
namespace {

core& core_of(const descriptor& d) {
  return *static_cast<core*>(const_cast<void*>(d.owner.get()));
}

}  // namespace

// An exception that comes from another scheduler is not that of a limit here.
std::uint64_t core::new_range() noexcept {
  constexpr int limits_of_one = 40;  // bits
  static std::atomic<std::uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed) << limits_of_one;
}

time_limit::time_limit(time_point when)
    : when_(when), number_(++core_of(whose()).limits) {
  restart(when);
}

time_limit::time_limit(descriptor& d, const time_limit& model) noexcept
    : interruption(d), when_(model.when_), number_(model.number_) {
  if (model.due()) {
    expired_ = true;
    trigger();
  } else {
    alarm_.arm(core_of(d).timers, when_);
    core_of(d).mark_sources();
  }
}

time_limit::time_point time_limit::after(std::chrono::nanoseconds time) {
  return later(core::present().driver->now(), time);
}

void time_limit::restart(time_point when) {
  core& c = core::present();
  if (!attached())
    throw wrong_scheduler(
        "weft: the tasklet of this time limit has ended; a time limit is "
        "restarted in the thread of its tasklet, while that has a scheduler");
  if (whose().owner != &c)
    dispatcher::throw_wrong_scheduler(
        "this time limit belongs to", whose().owner,
        "a time limit is restarted in the thread of its tasklet");
  settle();
  when_ = when;
  expired_ = false;
  alarm_.arm(c.timers, when);
  c.mark_sources();
}

void time_limit::cancel() noexcept {
  alarm_.disarm();
  settle();
}

void time_limit::clockwork::ring(timer& t, core&) noexcept {
  time_limit& l = static_cast<clockwork&>(t).limit;
  l.expired_ = true;
  l.trigger();
}

deadline::deadline(time_point when) : time_limit(when) {}

void deadline::raise() {
  trigger();  // Again and again.
  raise_timed_out();
}

void deadline::inherit(descriptor& child) const {
  if (!in_force()) return;
  child.detailed = true;
  // Listed there, and ended with its details.
  static_cast<void>(new deadline(child, *this));
}

void deadline::drop() noexcept {
  time_limit::drop();
  if (inherited_) delete this;
}

std::optional<time_limit::time_point> earliest_limit() {
  std::optional<time_limit::time_point> first;
  core::for_each_interruption(
      *core::present().current->who, [&](const interruption& i) {
        const time_limit* l = i.limit();
        if (l != nullptr && l->in_force() && (!first || l->when_ < *first))
          first = l->when_;
      });
  return first;
}

}  // namespace weft
