// SPDX-License-Identifier: BSL-1.0
// Kill, and other exceptions from outside.
//
// Invariant: they are raised by the tasklet itself, on its own stack.
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/tasklet/greenlet_core.h"

namespace weft {
namespace {

// What a kill throws. Counts itself in the descriptor, so that the kill is held
// back as long as somebody handles it.
class kill_signal final : public tasklet_exit {
 public:
  explicit kill_signal(descriptor& d) : who_(&d), id_(d.id) { ++d.exits_alive; }
  kill_signal(const kill_signal& other)
      : tasklet_exit(other), who_(other.who_), id_(other.id_) {
    if (counts()) ++who_->exits_alive;
  }
  kill_signal& operator=(const kill_signal&) = delete;
  ~kill_signal() override {
    if (counts()) --who_->exits_alive;
  }

 private:
  // Somebody may keep it for longer, or in another thread.
  [[nodiscard]] bool counts() const {
    return who_->owner == this_dispatcher() && who_->id == id_;
  }

  descriptor* who_;
  std::uint64_t id_;
};

// The end of one that has not started is being told.
bool is_ending(const control_block& t) {
  return !started(t) && (t.flags & killed) != 0;
}

bool shielded(const descriptor& d) {
  return d.shields != 0 || greenlet_core::holds_kills_back(d.strands);
}

}  // namespace

// The first of a process binds the functions of the C++ runtime, which takes 5
// KB of stack; those that follow take 2.
void core::rehearse_kill() const {
  struct bystander {
    ~bystander() { asm volatile(""); }
  };
  std::exception_ptr caught;
  try {
    const bystander unwound;
    throw kill_signal(*main);
  } catch (const tasklet_exit&) {
    caught = std::current_exception();
  }
  try {
    std::rethrow_exception(caught);
  } catch (...) {
    caught = nullptr;
  }
}

void core::kill(descriptor& d, bool now) {
  control_block* t = d.block;
  if (!started(*t)) {
    if (is_ending(*t)) return;
    take_out(t);
    return end_unstarted(d);
  }
  if (t == &main_block && flagged(closing)) return;  // It ends the others.
  const bool goes_on = t != current && !held_back_away(*t);
  if (goes_on && now) require_switching();
  t->flags |= killed;
  if (t == current) return raise_or_hasten(t);
  if (goes_on) send_on(t, now);
}

void core::throw_into(descriptor& d, std::exception_ptr what, bool now) {
  control_block* t = d.block;
  const bool goes_on = t != current && !held_back_away(*t);
  if (goes_on && now) require_switching();
  std::swap(d.injected, what);  // To destroy what it replaces may do anything.
  d.detailed = true;
  t->flags |= injected;
  if (t == current) return raise_or_hasten(t);
  if (goes_on) send_on(t, now);
}

// The one that parks is current as long as the driver is at work.
void core::raise_or_hasten(control_block* me) {
  if (flagged(polling)) return hasten(me);
  raise_due(me);
}

void core::send_on(control_block* t, bool now) {
  if (now || t->waiting != nullptr) {
    take_out(t);
    if (now) return run_now(t);
    queue.push(t);
  }
}

// Requires: taken out.
void core::end_unstarted(descriptor& d) noexcept {
  if (on_end && flagged(lives_watched)) {
    // It is alive still, and paused. Whoever runs it has it killed by its first
    // operation; else it has ended when the callback returns.
    const tasklet who = handle(&d);
    d.seed.flags |= killed;
    put_nowhere(&d.seed);
    tell_end(who, nullptr);
    if (!who.alive() || started(*d.block)) return;
    take_out(&d.seed);
  }
  drop_unstarted(d);
}

void core::drop_unstarted(descriptor& d) noexcept {
  d.id = 0;  // Dead before its destructors can look at it.
  enter_callback();
  d.body.drop();
  leave_callback();
  std::exception_ptr none;
  settle(d, none);
}

void core::run_now(control_block* t) {
  control_block* me = current;
  queue.push_front(me);
  switch_to(me, t);
}

void core::kill_from_afar(descriptor& d) noexcept {
  control_block* t = d.block;
  if (t == &main_block && flagged(closing)) return;  // It ends the others.
  if (is_ending(*t)) return;
  t->flags |= started(*t) ? killed : doomed;
  hasten(t);
}

void core::throw_from_afar(descriptor& d, std::exception_ptr& what) noexcept {
  if (is_ending(*d.block)) return;
  std::swap(d.injected, what);
  d.detailed = true;
  d.block->flags |= injected;
  hasten(d.block);
}

void core::hasten(control_block* t) noexcept {
  if (t->waiting != nullptr) {
    const bool must_wait =
        t == current ? held_back(*t->who) : held_back_away(*t);
    if (!must_wait) wake(t);
  } else if (t == current) {
    watch_current();
  }
}

bool core::held_back(const descriptor& d) const {
  return shielded(d) || exceptions->uncaught != 0 ||
         (d.exits_alive != 0 && exceptions->caught != nullptr);
}

bool core::held_back_away(const control_block& t) {
  return shielded(*t.who) || (t.flags & (unwinding | in_exit)) != 0;
}

void core::raise_due(control_block* me, bool may_interrupt) {
  descriptor& d = *me->who;
  if ((me->flags & (killed | failure_due | injected | trapped | interrupted)) ==
      0)
    return unwatch();
  watch_current();
  if (held_back(d)) return;
  if ((me->flags & failure_due) && !failures.empty()) {
    std::exception_ptr first = std::move(failures.front().what);
    failures.pop_front();
    if (failures.empty()) me->flags &= ~failure_due;
    std::rethrow_exception(std::move(first));
  }
  if (me->flags & killed) {
    if (++d.kills > 16 && flagged(closing)) abandon(*me);
    throw kill_signal(d);
  }
  if (me->flags & injected) {
    me->flags &= ~injected;
    std::rethrow_exception(std::exchange(d.injected, nullptr));
  }
  if ((me->flags & interrupted) != 0 && may_interrupt) raise_interruption(d);
}

// From now on operations of the current tasklet ask raise_due() first.
void core::watch_current() noexcept { watch(current_due, true); }

void core::unwatch() noexcept { watch(current_due, false); }

}  // namespace weft
