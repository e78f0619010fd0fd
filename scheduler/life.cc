// SPDX-License-Identifier: BSL-1.0
// Start and end of a tasklet.
//
// A seed of the default stack class begins by itself, on the launch pad: on the
// spare stack, which the last tasklet to end has left. Others are given a stack
// on the leaver's side; so is everybody where there is no launch pad
// (WEFT_LAUNCHES). There, a stack is given back only when somebody else has
// been switched to since its tasklet ended: it stays `retired` until the next
// one ends.
#include <cstdio>
#include <new>
#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

// ---- stacks

#ifdef WEFT_LAUNCHES
inline void core::take_spare() noexcept {
  const stack spare = stacks.take(default_stack_class);
  if (spare.top != nullptr) [[likely]] {
    pad.ground = spare.top - sizeof(control_block);
  } else {
    pad.ground = nullptr;
    flags.fetch_or(groundless, std::memory_order_relaxed);
  }
}

[[gnu::always_inline]] inline void core::give_back_spare() noexcept {
  if (pad.ground != nullptr) [[likely]]
    stacks.give({pad.ground + sizeof(control_block), default_stack_class});
  else
    flags.fetch_and(~std::uint32_t{groundless}, std::memory_order_relaxed);
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

void core::prepare_starts() noexcept { take_spare(); }
void core::end_starts() noexcept { give_back_spare(); }

// ---- end

// Delivers what escaped the tasklet: to all who join it, else as below.
control_block* core::pass_on(descriptor& d,
                             std::exception_ptr& failure) noexcept {
  if (d.joiners.empty())
    return deliver_failure(d, std::exchange(failure, nullptr));
  while (!d.joiners.empty()) {
    control_block* joiner = unlink(d.joiners.front(), d.joiners, +1);
    raise_in(joiner, failure);
    queue.push(joiner);
  }
  failure = nullptr;
  return nullptr;
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

// The last one that could run has ended, and main waits for something.
control_block* core::tell_main() noexcept {
  const wait_record& w = *main_block.waiting;
  unpark(&main_block);
  raise_in(&main_block, std::make_exception_ptr(deadlock(w)));
  return &main_block;
}

control_block* core::next_or_tell_main() noexcept {
  control_block* n = next();
  return n != nullptr ? n : tell_main();
}

void core::forget_details(descriptor& d) noexcept {
  d.name.reset();
  d.thrown = nullptr;
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

[[gnu::always_inline]] inline void core::finish(
    control_block& me, std::exception_ptr& failure) noexcept {
  if (inspects_ends) [[unlikely]]
    inspect(*me.who);
  const stack ground = ground_of(*me.who);
  control_block* n = settle(*me.who, failure);
  if (n == nullptr) [[likely]] {
    n = next();
    if (n == nullptr) [[unlikely]]
      n = tell_main();
  }
  if (flagged()) [[unlikely]]
    n = intercept(n);
  // Before the stack is given back: this may have to choose again, and wait.
  if (n->flags != 0 ||
      (!has_spare() && ground.size_class != default_stack_class)) [[unlikely]]
    n = ready(n);
  retire(me, ground);
  current = n;
  flow::leave<dispatcher>(this, &me, n);
}

// ---- start

// The first frame of a tasklet. Nothing escapes it, and it does not return.
[[gnu::always_inline]] inline void core::enter(dispatcher* s,
                                               control_block& me) noexcept {
  std::exception_ptr failure;
  try {
    me.who->body.run();
  } catch (const tasklet_exit&) {  // The end that a kill asks for.
  } catch (...) {
    failure = std::current_exception();
  }
  of(s).finish(me, failure);
}

// Puts the control block on top of the tasklet's stack.
inline control_block* core::build(descriptor& d, char* place) noexcept {
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
  char* const place = ground.top - sizeof(control_block);
  control_block* block = build(d, place);
  block->prepare<dispatcher, control_block, &enter>(ground.low(), place);
  return block;
}

control_block* core::ready(control_block* n) noexcept {
  if (started(*n)) return n;
  if ((n->flags & needs_stack) == 0 && has_spare()) return n;
  control_block* block = start(*n->who);
  return block != nullptr ? block : cannot_start(*n->who);
}

// The tasklet ends as if it had thrown std::bad_alloc. Gives the one that runs
// instead.
control_block* core::cannot_start(descriptor& d) noexcept {
  d.body.drop();
  std::exception_ptr failure = std::make_exception_ptr(std::bad_alloc());
  control_block* heir = settle(d, failure);
  return ready(heir != nullptr ? heir : next_or_tell_main());
}

}  // namespace weft
