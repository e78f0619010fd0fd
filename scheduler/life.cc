// SPDX-License-Identifier: BSL-1.0
// Start and end of a tasklet, and kill.
//
// Invariants:
// - A stack is given back only when somebody else has been switched to since
// its
//   tasklet ended: it stays `retired` until the next one ends.
// - A kill is raised by the tasklet itself, on its own stack.
#include <cassert>
#include <cstdio>
#include <new>
#include <utility>

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

control_block* core::ready(control_block* n) noexcept {
  if ((n->flags & unstarted) == 0) return n;
  control_block* started = start(n);
  return started != nullptr ? started : cannot_start(n);
}

// There is no memory for a stack: the tasklet ends as if it had thrown that.
// Gives the one that runs instead.
control_block* core::cannot_start(control_block* seed) noexcept {
  descriptor& d = *seed->who;
  d.body.drop();
  std::exception_ptr failure = std::make_exception_ptr(std::bad_alloc());
  control_block* heir = settle(d, failure);
  return ready(heir != nullptr ? heir : next_or_tell_main());
}

control_block* core::start(control_block* seed) noexcept {
  descriptor& d = *seed->who;
  try {
    d.ground = stacks.take(d.stack_class);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  auto* block = new (d.ground.top - sizeof(control_block)) control_block;
  block->who = &d;
  block->prepare<control_block, &core::enter>(d.ground.low(),
                                              d.ground.top - sizeof *block);
  d.block = block;
  return block;
}

// The first frame of every tasklet. Nothing escapes it, and it does not return.
void core::enter(control_block& me) noexcept {
  std::exception_ptr failure;
  try {
    me.who->body.run();
  } catch (const tasklet_exit&) {  // The end that a kill asks for.
  } catch (...) {
    failure = std::current_exception();
  }
  static_cast<core*>(this_dispatcher())->finish(me, failure);
}

void core::finish(control_block& me, std::exception_ptr& failure) noexcept {
  const stack ground = me.who->ground;
  control_block* n = settle(*me.who, failure);
  if (n == nullptr) n = next_or_tell_main();
  if (flagged()) n = intercept(n);
  give_back_retired();
  // This stack is stood upon until the switch has been made.
  retired = &me;
  retired_ground = ground;
  n = ready(n);
  current = n;
  me.leave(*n);
}

void core::give_back_retired() noexcept {
  if (retired == nullptr) return;
  retired->discard();
  stacks.give(retired_ground);
  retired = nullptr;
}

// Delivers what escaped the tasklet, wakes those who join it and frees its
// descriptor. Gives who has to run at once, or null. Leaves `failure` empty.
control_block* core::settle(descriptor& d,
                            std::exception_ptr& failure) noexcept {
  control_block* heir = nullptr;
  if (failure || !d.joiners.empty()) heir = tell_of_end(d, failure);
  release(d);
  return heir;
}

control_block* core::tell_of_end(descriptor& d,
                                 std::exception_ptr& failure) noexcept {
  control_block* heir = nullptr;
  if (failure && d.joiners.empty()) heir = deliver_failure(d, failure);
  while (!d.joiners.empty()) {
    control_block* joiner = d.joiners.front().who;
    if (failure) raise_in(joiner, failure);
    wake(joiner);
  }
  failure = nullptr;
  return heir;
}

// To the innermost run(), else to main, out of whatever it waits in.
control_block* core::deliver_failure(
    const descriptor& d, const std::exception_ptr& failure) noexcept {
  if (flags.load(std::memory_order_relaxed) & closing) {
    report_failure(describe(d), failure);
    return nullptr;
  }
  if (frames != nullptr) {
    frames->failure = failure;
    return end_run(*frames, run_result::drained);
  }
  failures.push_back(failure);
  main_block.flags |= failure_due;
  if (held_back_away(main_block)) return nullptr;
  if (main_block.waiting != nullptr)
    unpark(&main_block);
  else
    queue.remove(&main_block);
  return &main_block;
}

control_block* core::next_or_tell_main() noexcept {
  control_block* n = next();
  return n != nullptr ? n : tell_main();
}

// The last one that could run has ended, and main waits for something.
control_block* core::tell_main() noexcept {
  const wait_record& w = *main_block.waiting;
  unpark(&main_block);
  raise_in(&main_block, std::make_exception_ptr(deadlock(w)));
  return &main_block;
}

void core::release(descriptor& d) noexcept {
  assert(d.joiners.empty());
  d.id = 0;
  if (d.name) d.name.reset();
  if (d.thrown) d.thrown = nullptr;
  --live;
  free_descriptor(&d);
}

void core::report_failure(const std::string& who,
                          const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "weft: %s failed: %s\n", who.c_str(), e.what());
  } catch (...) {
    std::fprintf(stderr,
                 "weft: %s failed with something that is no std::exception\n",
                 who.c_str());
  }
}

void core::kill(descriptor& d, bool now) {
  control_block* t = d.block;
  if (t->flags & unstarted) {
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
