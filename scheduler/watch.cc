// SPDX-License-Identifier: BSL-1.0
// Callbacks, accounting, time slices: what a scheduler does only while somebody
// watches it.
//
// Invariants:
// - A callback runs on a tasklet that is current and stands nowhere, so that it
//   may switch. Kills are held back meanwhile, as by a shield.
// - switched_at is the time of the last switch while anybody asks for it.
#include <new>
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/scheduler/crossing.h"
#include "weft/scheduler/shield.h"
#include "weft/tasklet/greenlet_core.h"
#include "weft/tasklet/stderr_line.h"

namespace weft {
namespace {

class in_callback {
 public:
  in_callback() : scheduler_(this_dispatcher()) {
    scheduler_->enter_callback();
  }
  in_callback(const in_callback&) = delete;
  in_callback& operator=(const in_callback&) = delete;
  ~in_callback() { scheduler_->leave_callback(); }

 private:
  dispatcher* scheduler_;
};

// Calls a copy: the callback may replace itself. Gives what escapes it.
template <typename F, typename... Args>
std::exception_ptr call(std::shared_ptr<F> callback,  // NOLINT: it is kept
                        Args&&... args) noexcept {
  const shield on;
  const in_callback marked;
  try {
    (*callback)(std::forward<Args>(args)...);
  } catch (const tasklet_exit&) {
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

}  // namespace

// ---- callbacks

void dispatcher::enter_callback() noexcept {
  core& c = core::of(this);
  if (current == &c.main_block) ++c.main_callbacks;
}

void dispatcher::leave_callback() noexcept {
  core& c = core::of(this);
  if (current == &c.main_block) --c.main_callbacks;
}

// `me` is parked or queued already, and may be served, woken or picked while
// its callback switches. So another control block stands in for it there, and
// the callback runs on a tasklet that stands nowhere. One who would switch to
// the stand-in takes the next instead (intercept()); when the callback returns,
// that turn is made up for. There is one stand-in: while it is in use, switches
// are not told.
control_block* core::tell_switch(control_block* me, control_block* n) noexcept {
  queue.push_front(n);
  const auto change_places = [this](control_block* from, control_block* to) {
    to->waiting = std::exchange(from->waiting, nullptr);
    if (to->waiting == nullptr) return queue.replace(from, to);
    // Other threads read it under these.
    const guard_set its = guards_of(*to->waiting);
    const guarded_by_all held(its);
    for (wait_record* w = to->waiting; w != nullptr; w = w->sibling) {
      w->who = to;
      if (w->reason == run_reason) static_cast<run_frame*>(w->slot)->who = to;
    }
  };
  stand_in.flags = stands_in;
  stand_in.who = me->who;
  stand_in_served = false;
  change_places(me, &stand_in);
  set(in_schedule_cb);
  if (me->flags != 0) watch_current();
  std::exception_ptr escaped = call(on_switch, handle(me->who), handle(n->who));
  if (escaped) callback_failed(std::move(escaped), true);
  clear(in_schedule_cb);
  unwatch();
  const std::uint32_t got = std::exchange(stand_in.flags, 0);
  if ((got & thrown) != 0) raise_in(me, std::exchange(stand_in_thrown, {}));
  if (stand_in_served) return me;
  change_places(&stand_in, me);
  if (flagged(accounting)) book_departure(*me);

  const bool due =
      (me->flags & (killed | injected | failure_due | interrupted)) != 0 &&
      !held_back(*me->who);
  if (!due || me->waiting == nullptr) return next();
  // Whoever was to run runs; then `me`, who waits no more.
  control_block* to = queue.take();
  if (unpark(me)) {
    if ((me->flags & interrupted) != 0) me->flags |= cut_short;
  } else {
    queue.remove(me);
  }
  if (to == nullptr) return me;
  queue.push_front(me);
  return to;
}

void core::tell_spawn(const tasklet& who) noexcept {
  if (!on_spawn) return;
  std::exception_ptr escaped = call(on_spawn, who);
  if (escaped) callback_failed(std::move(escaped));
}

void core::tell_end(const tasklet& who,
                    const std::exception_ptr& failure) noexcept {
  if (!on_end) return;
  std::exception_ptr escaped = call(on_end, who, failure);
  if (escaped) callback_failed(std::move(escaped));
}

void core::last_words(control_block& me, std::exception_ptr& failure) noexcept {
  descriptor& d = *me.who;
  me.flags |= run_out;
  greenlet_core::end_all(d.strands);
  if (failure) {
    d.escaped = failure;
    d.detailed = true;
    const bool claimed = claim_failure(d, failure);
    if (d.joiners.empty() && !claimed) offer_to_handler(handle(&d), failure);
  }
  if (flagged(accounting)) book_departure(me);
  if (flagged(lives_watched)) tell_end(handle(&d), failure);
  if (flagged(switches_watched) && !flagged(in_schedule_cb)) {
    control_block* to = foresee(d, failure != nullptr);
    set(in_schedule_cb);
    std::exception_ptr escaped = call(on_switch, handle(&d), handle(to->who));
    if (escaped) callback_failed(std::move(escaped), true);
    clear(in_schedule_cb);
  }
  // What it never got, and what it carries, is destroyed here, where that may
  // switch.
  const shield on;
  while ((me.flags & injected) != 0 || d.heritage != nullptr) {
    me.flags &= ~injected;
    d.injected = nullptr;
    drop_belongings(d);
  }
  greenlet_core::end_all(d.strands);  // Those of all that was called.
}

// Neither waits nor ends a run: nobody has heard of the end yet, and who waits
// for that may be in another thread.
control_block* core::first_runnable() noexcept {
  for (bool looked = false;; looked = true) {
    while (!queue.empty()) {
      if (control_block* n = queue.pop()) {
        queue.push_front(n);
        return n;
      }
      popped_null();
    }
    if (looked) break;
    if (has_sources()) poll_sources();
    if (flagged(has_mail)) mail->read();
    if (queue.members() != 0 && has_sources()) mark_sources();
  }
  // Whoever becomes runnable yet stands behind it.
  if (has_sources()) mark_sources();
  return nullptr;
}

control_block* core::foresee(const descriptor& d, bool failed) noexcept {
  const bool inherits = failed && d.joiners.empty() && !failure_taken(d);
  run_frame* running = frames;
  control_block* n = inherits ? heir() : nullptr;
  if (n != nullptr) {
    if (running != nullptr) running = running->outer;
  } else if (queue.members() == 0 && !d.joiners.empty()) {
    n = d.joiners.front().who;
  } else {
    n = first_runnable();
    running = frames;
    if (n == nullptr) return running != nullptr ? running->who : &main_block;
  }
  if (!flagged(budgeted)) return n;
  foreseen = driver->now();
  const run_frame* over = spent_frame(nullptr, running);
  return over != nullptr ? over->who : n;
}

void core::callback_failed(std::exception_ptr what, bool switching) noexcept {
  const tasklet who = handle(current->who);
  offer_to_handler(who, what);
  if (!what) return;
  control_block* first = switching ? queue.take() : nullptr;
  if (first != nullptr) queue.push_front(first);
  control_block* to = deliver_failure(who, what);
  if (to == nullptr) return;
  queue.push_front(to);
  if (first == nullptr || first == to) return;
  queue.remove(first);
  queue.push_front(first);
}

void core::offer_to_handler(const tasklet& who,
                            std::exception_ptr& failure) noexcept {
  if (on_error) failure = call(on_error, who, failure);
}

void core::report_failure(const tasklet& who,
                          const std::exception_ptr& failure) noexcept {
  std::exception_ptr left = failure;
  offer_to_handler(who, left);
  if (left) print_failure(who, left);
}

void dispatcher::report_unheard(const tasklet& who,
                                const std::exception_ptr& failure) noexcept {
  if (flagged(none_here)) return core::print_failure(who, failure);
  core::of(this).report_failure(who, failure);
}

namespace {

// Out of line, as a line for stderr takes a kilobyte of stack, and a failure is
// printed on the smallest.
[[gnu::noinline]] void print_that_one_failed() noexcept {
  stderr_line() << "a tasklet failed";
}

}  // namespace

// Out of line for the same reason.
[[gnu::noinline]] std::string core::describe_or_number(const tasklet& who) {
  if (who.id() == 0) return "a thread without a scheduler";
  if (!who.alive())
    return "tasklet " + std::to_string(who.id()) + ", now dead,";
  if (dispatcher::described(who)->owner != this_dispatcher())
    return "tasklet " + std::to_string(who.id()) + " of another scheduler";
  return core::describe(*dispatcher::described(who));
}

void core::print_failure(const tasklet& who,
                         const std::exception_ptr& failure) noexcept {
  try {
    print_failure(describe_or_number(who), failure);
  } catch (const std::bad_alloc&) {
    print_that_one_failed();
  }
}

void core::print_failure(std::string_view who,
                         const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    stderr_line() << who << " failed: " << e.what();
  } catch (...) {
    stderr_line() << who << " failed with something that is no std::exception";
  }
}

// ---- time

// Where there is no memory for an account, it is not kept.
void core::book_departure(control_block& me) noexcept {
  descriptor& d = *me.who;
  const auto now = driver->now();
  if (!d.books) {
    d.books.reset(new (std::nothrow) ledger);
    d.detailed = true;
  }
  if (!d.books) return;
  ledger& books = *d.books;
  books.run += now - switched_at;
  switched_at = now;
  books.is_blocked = me.waiting != nullptr && me.waiting->pause == 0;
  if (books.is_blocked) books.blocked_at = now;
}

void core::close_books() noexcept {
  book_departure(*current);
  descriptors.for_each_live([this](const descriptor& d) {
    if (!d.books || !d.books->is_blocked) return;
    d.books->blocked += switched_at - d.books->blocked_at;
    d.books->is_blocked = false;
  });
}

void core::book_arrival(const control_block* me, control_block& n) noexcept {
  switched_at = driver->now();
  if (!flagged(accounting)) return;
  descriptor& d = *n.who;
  if (!d.books) {
    d.books.reset(new (std::nothrow) ledger);
    d.detailed = true;
  }
  if (!d.books) return;
  ledger& books = *d.books;
  if (&n != me) ++books.switches;
  if (books.is_blocked) books.blocked += switched_at - books.blocked_at;
  books.is_blocked = false;
}

void dispatcher::checkpoint() {
  admit();
  core& c = core::of(this);
  if (!flagged(sliced | budgeted) || current->who->atomics != 0) return;
  const auto now = c.driver->now();
  bool over = flagged(sliced) && now - c.switched_at >= c.slice;
  for (const run_frame* f = c.frames; f != nullptr; f = f->outer)
    over = over || (f->deadline && now >= *f->deadline);
  if (over) yield();
}

}  // namespace weft
