// SPDX-License-Identifier: BSL-1.0
// Kill.
//
// Invariant: a kill is raised by the tasklet itself, on its own stack.
#include "weft/scheduler/core.h"

namespace weft {
namespace {

// What a kill throws. Counts itself in the descriptor, so that the kill is held
// back as long as somebody handles it.
class kill_signal final : public tasklet_exit {
 public:
  explicit kill_signal(descriptor& d) : who_(&d), id_(d.id) { ++d.exits_alive; }
  kill_signal(const kill_signal& other)
      : tasklet_exit(other), who_(other.who_), id_(other.id_) {
    if (who_->id == id_) ++who_->exits_alive;
  }
  kill_signal& operator=(const kill_signal&) = delete;
  ~kill_signal() override {
    if (who_->id == id_) --who_->exits_alive;
  }

 private:
  descriptor* who_;
  std::uint64_t id_;
};

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
    queue.remove(t);
    return end_unstarted(d);
  }
  const bool ending = (flags.load(std::memory_order_relaxed) & closing) != 0;
  if (t == &main_block && ending) return;  // Main is ending all the others.
  t->flags |= killed;
  if (t == current) return raise_due(t);
  if (held_back_away(*t)) return;
  if (t->waiting != nullptr) {
    unpark(t);
    if (!now) queue.push(t);
  } else if (now) {
    queue.remove(t);
  }
  if (now) run_now(t);
}

// Requires: taken off the run queue.
void core::end_unstarted(descriptor& d) noexcept {
  d.id = 0;  // Dead before the callable's destructor can look at it.
  d.body.drop();
  std::exception_ptr none;
  settle(d, none);
}

void core::run_now(control_block* t) {
  control_block* me = current;
  queue.push_front(me);
  switch_to(me, t);
}

bool core::held_back(const descriptor& d) const {
  return d.shields != 0 || exceptions->uncaught != 0 ||
         (d.exits_alive != 0 && exceptions->caught != nullptr);
}

bool core::held_back_away(const control_block& t) {
  return t.who->shields != 0 || (t.flags & (unwinding | in_exit)) != 0;
}

void core::raise_due(control_block* me) {
  descriptor& d = *me->who;
  if ((me->flags & failure_due) && !failures.empty() && !held_back(d)) {
    std::exception_ptr first = std::move(failures.front());
    failures.pop_front();
    if (failures.empty()) me->flags &= ~failure_due;
    std::rethrow_exception(std::move(first));
  }
  if ((me->flags & (killed | failure_due)) == 0) return unwatch();
  watch_current();
  if ((me->flags & killed) && !held_back(d)) {
    if (++d.kills > 16 && (flags.load(std::memory_order_relaxed) & closing))
      abandon(*me);
    throw kill_signal(d);
  }
}

// From now on operations of the current tasklet ask raise_due() first.
void core::watch_current() noexcept {
  flags.fetch_or(current_due, std::memory_order_relaxed);
  key = nullptr;
}

void core::unwatch() noexcept {
  flags.fetch_and(~std::uint32_t{current_due}, std::memory_order_relaxed);
  key = this;
}

}  // namespace weft
