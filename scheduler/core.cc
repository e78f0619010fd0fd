// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/core.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "weft/scheduler/guard.h"
#include "weft/scheduler/saturate.h"
#include "weft/tasklet/stderr_line.h"

namespace weft {
namespace {

// Before a sleep that is as long, free stacks give their memory back: all but
// twice as many as are taken, and these; so many between two looks at what may
// have come.
constexpr std::chrono::milliseconds long_sleep{10};
constexpr std::size_t kept_stacks = 64;
constexpr std::size_t stacks_at_once = 64;

// Of the spin of one that has often waited in vain; how often a spinning one
// looks for mail at once, for about a microsecond, as to relax() takes 60 ns on
// some processors; and then before it looks at the clock.
constexpr std::chrono::nanoseconds shortest_spin{500};
constexpr int eager_looks = 2048;
constexpr int looks_a_clock = 16;

// How often, while nothing but a stop could come.
constexpr std::chrono::milliseconds stops_looked_at{100};

constinit exception_state no_exceptions{};
constinit dispatcher no_scheduler_here{none_here, &no_exceptions};

// Watches the idle driver, which may not switch.
class polling_scope {
 public:
  explicit polling_scope(dispatcher& s) : s_(s) { s.set(polling); }
  polling_scope(const polling_scope&) = delete;
  polling_scope& operator=(const polling_scope&) = delete;
  ~polling_scope() { s_.clear(polling); }

 private:
  dispatcher& s_;
};

}  // namespace
}  // namespace weft

// Named in assembler only.
__attribute__((
    used)) constinit thread_local weft::dispatcher* weft_this_dispatcher =
    &weft::no_scheduler_here;

namespace weft {

void stop(const char* sentence) noexcept {
  stderr_line() << sentence;
  std::abort();
}

dispatcher* no_dispatcher() noexcept { return &no_scheduler_here; }

core& core::present() {
  dispatcher* s = this_dispatcher();
  s->require_scheduler();
  return of(s);
}

core& core::owner_of(const descriptor& d) {
  core& c = present();
  if (d.owner != &c) throw_wrong_scheduler("this tasklet belongs to", d.owner);
  return c;
}

core& core::here() {
  core& c = present();
  c.admit();
  return c;
}

core& core::admitted(const descriptor& d) {
  core& c = owner_of(d);
  c.admit();
  return c;
}

std::size_t core::parked() const { return live - runnable() - pausing(); }

void core::poll_sources() noexcept {
  last_poll = queue.position();
  if (driver->expects()) {
    const polling_scope no_switch(*this);
    driver->poll();
  }
  if (stop_asked.exchange(false, std::memory_order_acquire)) poll_stops();
  if (timers.empty()) return;
  const auto now = driver->now();
  while (timer* due = timers.pop_due(now)) due->fire(*this);
}

void core::popped_null() noexcept {
  if (!queue.pop_was_marker() || !has_sources()) return;
  if (queue.position() - last_poll >= poll_interval) poll_sources();
  if (queue.members() != 0) mark_sources();
}

control_block* core::intercept(control_block* me, control_block* n) noexcept {
  if (flagged(current_due)) unwatch();
  if (flagged(resortless)) restock();
  if (flagged(has_mail)) mail->read();
  // Whoever it stands for is in its callback, and goes on when that returns.
  while (n == &stand_in) {
    stand_in_served = true;
    n = next();
  }
  if (n == nullptr) return nullptr;
  if (flagged(budgeted | accounting)) n = spend(me, n);
  foreseen.reset();
  if (me != nullptr && n != me && flagged(switches_watched) &&
      !flagged(in_schedule_cb))
    n = tell_switch(me, n);
  if (n != nullptr && flagged(accounting | sliced)) book_arrival(me, *n);
  return n;
}

// Waits for what may come, or does a little of what can be done meanwhile.
// False: nothing ever will.
bool core::idle() noexcept {
  std::optional<idle_driver::clock::time_point> deadline;
  if (!timers.empty()) deadline = timers.next_look();
  for (const run_frame* f = frames; f != nullptr; f = f->outer)
    if (f->waits && (!deadline || *f->deadline < *deadline))
      deadline = f->deadline;
  if (!deadline || *deadline >= later(driver->now(), long_sleep)) {
    const std::size_t keep = 2 * stacks_in_use() + kept_stacks;
    if (stacks.trim(keep, stacks_at_once)) return true;
  }
  if (awaited != 0 && driver->jumps()) deadline.reset();
  // Nobody tells when a stop has become impossible.
  std::optional<std::chrono::nanoseconds> look;
  if (stops_may_come() && !driver->expects() &&
      (!deadline || !driver->time_passes()))
    look = stops_looked_at;
  const bool spins = impatience.count() != 0 && mail_may_come();
  const auto begun = spins ? std::chrono::steady_clock::now() : time_point();
  if (spins && spin(begun + spinning)) {
    spinning = impatience;
    return true;
  }
  if (rests()) {
    if (!rest()) return false;
  } else {
    sleep_for_mail(deadline, look);
  }
  if (!spins) return true;
  // To be woken takes about as long as the spin. Where it was not much more
  // than that, both sides would not have slept if both had been awake.
  const auto waited = std::chrono::steady_clock::now() - begun;
  spinning = waited < 2 * impatience ? impatience
                                     : std::max(spinning / 2, shortest_spin);
  return true;
}

void core::sleep_for_mail(
    std::optional<time_point> deadline,
    std::optional<std::chrono::nanoseconds> look) noexcept {
  const polling_scope no_switch(*this);
  // Whoever posts something rings only where this is set.
  const auto before = flags.fetch_or(asleep, std::memory_order_acq_rel);
  if ((before & has_mail) == 0)
    look ? driver->wait_for(*look) : driver->wait(deadline);
  clear(asleep);
}

// Only other threads could wake one of its tasklets, and no plain ones.
bool core::rests() const {
  if (crossings + hoped_for + patience == 0 || awaited != 0) return false;
  if (driver->expects() || stops_may_come()) return false;
  if (driver->time_passes()) {
    if (!timers.empty()) return false;
    for (const run_frame* f = frames; f != nullptr; f = f->outer)
      if (f->waits) return false;
  }
  return flagged(closing) || !mail->has_outsiders();
}

bool core::spin(time_point until) const noexcept {
  for (int i = 0; i != eager_looks; ++i)
    if (flagged(has_mail)) return true;
  do {
    for (int i = 0; i != looks_a_clock; ++i) {
      if (flagged(has_mail)) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

bool dispatcher::pass(std::uint32_t moments) noexcept {
  if (!flagged(none_here)) {
    const core& c = core::of(this);
    if (c.impatience.count() == 0 || c.spinning < c.impatience) return false;
    ahead += (moments + 3) / 4;
    if (ahead >= a_turn && gives_turns()) poll_in_turn();
  }
  if (queue.members() != 0) return false;
  for (; moments != 0; --moments) {
    if (flagged(~std::uint32_t{none_here})) return false;
    relax();
  }
  return true;
}

bool dispatcher::gives_turns() const noexcept {
  return !flagged(polling | no_switching) && current->who->atomics == 0;
}

void dispatcher::poll_in_turn() noexcept {
  core& c = core::of(this);
  if (std::exchange(ahead, 0) >= a_turn && c.has_sources()) c.poll_sources();
}

void dispatcher::give_turn() {
  if (!gives_turns()) return;
  poll_in_turn();
  yield();
}

void dispatcher::require_slow() const {
  if (flags.load(std::memory_order_relaxed) & none_here)
    throw no_scheduler(
        "weft: this thread has no scheduler; make a weft::scheduler first");
}

void dispatcher::admit_slow() {
  require_slow();
  // What is due to the tasklet that has become idle is no concern of a driver.
  const auto set = flags.load(std::memory_order_relaxed);
  if ((set & current_due) != 0 && (set & polling) == 0)
    core::of(this).raise_due(current);
}

control_block* dispatcher::next_slow() noexcept {
  core& c = core::of(this);
  for (;;) {
    while (!queue.empty()) {
      if (control_block* n = queue.pop()) return n;
      c.popped_null();
    }
    // Nobody is runnable.
    if (c.has_sources()) c.poll_sources();
    if (flagged(has_mail)) {
      c.mail->read();
      if (queue.members() != 0 && c.has_sources()) mark_sources();
      continue;
    }
    if (queue.members() == 0) {
      if (!c.may_come()) return c.give_up();
      if (flagged(has_mail)) continue;
      // Something may come, and not every run waits for it.
      control_block* back = nullptr;
      if (run_frame* f = c.impatient_frame()) {
        back = c.end_run(*f, run_result::idle);
      } else {
        if (!c.idle()) {
          c.forlorn = true;
          return c.give_up();
        }
        if (!flagged(has_mail)) c.poll_sources();  // Else before it is read.
        if (queue.members() == 0) back = c.end_waiting_run();
      }
      if (back != nullptr) {
        mark_sources();
        return back;
      }
    }
    if (queue.members() != 0 && c.has_sources()) mark_sources();
  }
}

control_block* core::give_up() noexcept {
  // Where time stands still, those who sleep wait for somebody to advance it.
  const bool some_sleep = has_sources();
  if (some_sleep) mark_sources();
  if (frames != nullptr)
    return end_run(*frames,
                   some_sleep ? run_result::idle : run_result::drained);
  const wait_record* w = main_block.waiting;
  if (w == nullptr || w->pause == 0) return nullptr;
  take_out(&main_block);
  return &main_block;
}

control_block* dispatcher::switch_rare(control_block* me, control_block* n) {
  core& c = core::of(this);
  if (flagged(polling))
    stop(
        "an idle driver's poll() or wait() has switched tasklets; it may only "
        "make them runnable, through channels that prefer neither");
  if (flagged(no_switching | current_due)) c.check_traps(me, n);
  if (flagged(accounting)) c.book_departure(*me);
  for (;;) {
    if (n == nullptr) n = next_slow();
    if (n != nullptr && flagged()) n = c.intercept(me, n);
    if (n != nullptr) break;
    // Nothing can wake anyone: the operation fails, as if it had not begun.
    std::exception_ptr why = c.deadlock(*me);
    if (!unpark(me)) continue;
    if (me->flags != 0) c.watch_current();
    std::rethrow_exception(std::move(why));
  }
  n = c.ready(n);
  if (n != me) {
    if (!exceptions->alive()) return n;
    current = n;
    if (exceptions->uncaught != 0) me->flags |= unwinding;
    if (me->who->exits_alive != 0 && exceptions->caught != nullptr)
      me->flags |= in_exit;
    flow::switch_keeping(*exceptions, this, me, n);
    me->flags &= ~(unwinding | in_exit);
  }
  if (me->flags != 0) deliver(me);
  return nullptr;
}

void dispatcher::deliver(control_block* me) {
  core& c = core::of(this);
  c.watch_current();
  const bool cut = (me->flags & cut_short) != 0;
  me->flags &= ~cut_short;
  if (me->flags & thrown) {
    me->flags &= ~thrown;
    std::rethrow_exception(std::exchange(me->who->thrown, nullptr));
  }
  // What has interrupted it after its operation has been completed is raised by
  // the next: the caller gets what it came to.
  c.raise_due(me, cut);
}

void dispatcher::raise_in(control_block* t, std::exception_ptr what) noexcept {
  descriptor& d = *t->who;
  d.detailed = true;
  t->flags |= thrown;
  // What its tasklet does meanwhile may fail on its own account.
  const bool apart = (t->flags & stands_in) != 0;
  core& c = *static_cast<core*>(const_cast<void*>(d.owner.get()));
  (apart ? c.stand_in_thrown : d.thrown) = std::move(what);
}

void dispatcher::leave_lines(control_block* t) noexcept {
  wait_record* const first = std::exchange(t->waiting, nullptr);
  if (first == nullptr) return;
  core& c = core::of(this);
  if (first->pause != 0) --paused;
  if (first->reason == run_reason)
    c.drop_frame(*static_cast<run_frame*>(first->slot));
  if (first->crossing != 0) return c.leave_crossing(*first);
  for (wait_record* w = first; w != nullptr; w = w->sibling)
    if (w->queue != nullptr) w->queue->remove(*w);
  was_left(*first);
}

void dispatcher::was_left(wait_record& first) noexcept {
  for (wait_record* w = &first; w != nullptr; w = w->sibling)
    if (w->queue != nullptr && w->served == 0) w->queue->was_left();
}

std::shared_ptr<void>& dispatcher::attachment() {
  return core::of(this).attached;
}

void dispatcher::yield_rare() {
  admit();
  control_block* me = current;
  control_block* n = me;
  if (flagged(no_switching) && queue.members() == 0) return;
  if (!queue.empty()) {
    queue.push(me);
    n = next();
  }
  // A lone tasklet that yields spends its budget too.
  if (n != me || flagged()) switch_to(me, n);
}

void dispatcher::make_descriptors() {
  require_scheduler();
  core& c = core::of(this);
  const std::uint64_t before = ids;
  free_descriptors = c.descriptors.more(ids);
  c.ids_skipped += ids - before;
  for (descriptor* d = free_descriptors; d != nullptr; d = d->next_free)
    core::prepare_seed(*d);
}

}  // namespace weft
