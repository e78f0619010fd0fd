// SPDX-License-Identifier: BSL-1.0
// Start and end of a tasklet.
//
// A seed of the default stack class begins by itself, on the launch pad: on the
// spare stack, which the last tasklet to end has left. Others are given a stack
// on the leaver's side; so is everybody where there is no launch pad
// (WEFT_LAUNCHES). There, a stack is given back only when somebody else has
// been switched to since its tasklet ended: it stays `retired` until the next
// one ends.
//
// One more stack is kept for a tasklet for which there is none: the last resort.
#include <new>
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/tasklet/holds.h"

namespace weft {

// ---- stacks

#ifdef WEFT_LAUNCHES
[[gnu::always_inline]] inline void core::take_spare() noexcept {
  const stack spare = stacks.take(default_stack_class);
  if (spare.top != nullptr) [[likely]] {
    pad.ground = spare.top - sizeof(control_block);
  } else {
    pad.ground = nullptr;
    set(groundless);
  }
}

[[gnu::always_inline]] inline void core::give_back_spare() noexcept {
  if (pad.ground != nullptr) [[likely]]
    stacks.give({pad.ground + sizeof(control_block), default_stack_class});
  else
    clear(groundless);
}

// Nobody touches a stack that has been left: the next start may have it, and
// finds it warm.
[[gnu::always_inline]] inline void core::retire(control_block&,
                                                stack ground) noexcept {
  if (ground.size_class != default_stack_class) [[unlikely]]
    return stacks.give(ground);
  give_back_spare();
  pad.ground = ground.top - sizeof(control_block);
}

#else
inline void core::take_spare() noexcept {}

inline void core::give_back_spare() noexcept {
  if (retired == nullptr) return;
  retired->discard();
  stacks.give(retired_ground);
  retired = nullptr;
}

inline void core::retire(control_block& me, stack ground) noexcept {
  give_back_spare();
  retired = &me;
  retired_ground = ground;
}

#endif

void core::prepare_starts() {
  take_spare();
  restock();
  if (last_resort.top == nullptr) throw std::bad_alloc();
}

void core::end_starts() noexcept {
  give_back_spare();
  if (last_resort.top != nullptr) stacks.give(last_resort);
}

std::size_t core::stacks_in_use() const {
  return stacks.taken() - (has_spare() ? 1 : 0) -
         (last_resort.top != nullptr ? 1 : 0);
}

// ---- end

// Delivers what escaped the tasklet: to all who join it, else to who has asked
// for it, else as below.
control_block* core::pass_on(descriptor& d,
                             std::exception_ptr& failure) noexcept {
  const bool claimed = claim_failure(d, failure);
  bool heard = false;
  while (!d.joiners.empty()) {
    wait_record& w = d.joiners.front();
    if (!claim(w)) continue;
    raise_in(w.who, failure);
    queue.push(unlink(w, d.joiners));
    heard = true;
  }
  const std::exception_ptr what = std::exchange(failure, nullptr);
  return heard || claimed ? nullptr : deliver_failure(handle(&d), what);
}

control_block* core::heir() const {
  if (flagged(closing)) return nullptr;
  if (frames != nullptr) return frames->who;
  return held_back_away(main_block) ? nullptr : main->block;
}

// To the innermost run(), else to main, out of whatever it waits in.
control_block* core::deliver_failure(
    const tasklet& who, const std::exception_ptr& failure) noexcept {
  control_block* to = heir();
  if (flagged(closing)) {
    print_failure(who, failure);
  } else if (frames != nullptr) {
    frames->failure = failure;
    frames->failed = who;
    end_run(*frames, run_result::drained);
  } else {
    failures.push_back({who, failure});
    main_block.flags |= failure_due;
    if (current == &main_block) {
      watch_current();
      return nullptr;
    }
    if (to != nullptr) take_out(to);
  }
  return to;
}

// The last one that could run has ended, and main waits for something.
control_block* core::tell_main() noexcept {
  std::exception_ptr why = deadlock(main_block);
  if (!unpark(&main_block)) return next();
  raise_in(&main_block, std::move(why));
  return &main_block;
}

control_block* core::next_or_tell_main() noexcept {
  control_block* n = next();
  return n != nullptr ? n : tell_main();
}

void core::forget_details(descriptor& d) noexcept {
  d.name.reset();
  d.books.reset();
  d.thrown = nullptr;
  d.injected = nullptr;
  drop_interruptions(d);
  tell_observers(d);
  d.escaped = nullptr;
  d.atomics = 0;
  drop_belongings(d);
  d.detailed = false;
}

control_block* core::settle(descriptor& d,
                            std::exception_ptr& failure) noexcept {
  control_block* const heir = failure ? pass_on(d, failure) : nullptr;
  if (d.detailed) {
    wake_joiners(d);
    d.id = 0;
    forget_details(d);
  }
  release(d);
  return heir;
}

// Who has ended goes away. `n`: who has to run at once, or null.
[[gnu::always_inline]] inline void core::depart(control_block& me, stack ground,
                                                control_block* n) noexcept {
  if (n == nullptr) [[likely]] {
    n = next();
    if (n == nullptr) [[unlikely]]
      n = tell_main();
  }
  if (flagged()) [[unlikely]] {
    n = intercept(nullptr, n);
    if (n == nullptr) n = tell_main();
  }
  // Before the stack is given back: this may have to choose again, and wait.
  if (n->flags != 0 ||
      (!has_spare() && ground.size_class != default_stack_class)) [[unlikely]]
    n = ready(n);
  retire(me, ground);
  current = n;
  flow::leave<dispatcher>(this, &me, n);
}

void core::finish(control_block& me, std::exception_ptr& failure) noexcept {
  inspect_if_asked(*me.who);
  const stack ground = ground_of(*me.who);
  control_block* n = settle(*me.who, failure);
  if (flagged())
    unwatch();  // What was due to this tasklet concerns nobody any more.
  depart(me, ground, n);
}

// ---- start

// The first frame of a tasklet. Nothing escapes it, and it does not return.
[[gnu::always_inline]] inline void core::enter(dispatcher* s,
                                               control_block& me) noexcept {
  std::exception_ptr failure;
  try {
    me.who->body.run();
  } catch (const tasklet_exit&) {  // The end that a kill asks for.
    me.flags |= exited;
  } catch (...) {
    failure = std::current_exception();
  }
  core& c = of(s);
  descriptor& d = *me.who;
  if (failure || c.flagged() || d.detailed || d.strands.greenlet != nullptr)
      [[unlikely]] {
    c.last_words(me, failure);
    c.finish(me, failure);
  }
  // The ordinary end.
  c.inspect_if_asked(d);
  const stack ground = ground_of(d);
  c.release(d);
  c.depart(me, ground, nullptr);
}

void core::enter_flagged(dispatcher* s, control_block& me) noexcept {
  core& c = of(s);
  descriptor& d = *me.who;
  std::exception_ptr failure;
  try {
    c.watch_current();
    if (me.flags & doomed) {
      me.flags = (me.flags & ~doomed) | exited;
      d.body.drop();
    } else if (me.flags & injected) {
      me.flags &= ~injected;
      d.escaped = std::exchange(d.injected, nullptr);
      d.body.drop();  // It may take that for its own.
      if (d.escaped) std::rethrow_exception(std::exchange(d.escaped, nullptr));
    } else {
      d.body.run();
    }
  } catch (const tasklet_exit&) {
    me.flags |= exited;
  } catch (...) {
    failure = std::current_exception();
  }
  c.last_words(me, failure);
  c.finish(me, failure);
}

std::exception_ptr dispatcher::take_escaped(descriptor& d) noexcept {
  if (!d.escaped || holds<tasklet_exit>(d.escaped)) return nullptr;
  return std::exchange(d.escaped, nullptr);
}

// Puts the control block on top of the tasklet's stack.
inline control_block* core::build(descriptor& d, void* place) noexcept {
  auto* block = new (place) control_block;
  block->flags = d.seed.flags & ~std::uint32_t{needs_stack};
  block->who = &d;
  d.block = block;
  return block;
}

#ifdef WEFT_LAUNCHES
// The same of one that begins on the launch pad.
[[gnu::always_inline]] inline void core::launch(dispatcher* s,
                                                control_block& seed) noexcept {
  descriptor& d = *seed.who;
  s->current = build(d, s->pad.ground);
  of(s).take_spare();
  enter(s, *d.block);
}
#endif

// Done once a descriptor: nothing of it changes from tasklet to tasklet.
void core::prepare_seed(descriptor& d) noexcept {
  d.seed.who = &d;
#ifdef WEFT_LAUNCHES
  d.seed.prepare_on_pad<dispatcher, control_block, &launch>();
#endif
}

// Null: there is no memory for a stack.
control_block* core::start(descriptor& d) noexcept {
  const stack ground = stacks.take(d.stack_class);
  if (ground.top == nullptr) return nullptr;
  if (survey) stack_survey::paint(ground);
  return start_on(ground, d);
}

control_block* core::start_on(stack ground, descriptor& d) noexcept {
  char* const place = ground.top - sizeof(control_block);
  control_block* block = build(d, place);
  if (block->flags == 0) [[likely]]
    block->prepare<dispatcher, control_block, &enter>(ground.low(), place);
  else
    block->prepare<dispatcher, control_block, &enter_flagged>(ground.low(),
                                                              place);
  return block;
}

control_block* core::ready(control_block* n) noexcept {
  if (started(*n)) return n;
  if (n->flags == 0 && has_spare()) return n;
  control_block* block = start(*n->who);
  return block != nullptr ? block : start_in_vain(*n->who);
}

// There is no memory for its stack: it begins on the last resort, only to end
// as if it had thrown std::bad_alloc.
control_block* core::start_in_vain(descriptor& d) noexcept {
  if (last_resort.top == nullptr) restock();
  if (last_resort.top == nullptr)
    stop(
        "there is no memory for a tasklet's stack, nor for one on which to end "
        "it");
  const stack ground = std::exchange(last_resort, {});
  set(resortless);
  d.stack_class = ground.size_class;
  if (!d.injected) d.injected = std::make_exception_ptr(std::bad_alloc());
  d.detailed = true;
  d.seed.flags |= injected;
  return start_on(ground, d);
}

void core::restock() noexcept {
  last_resort = stacks.take(default_stack_class);
  if (last_resort.top != nullptr) clear(resortless);
}

}  // namespace weft
