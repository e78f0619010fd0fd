// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/core.h"

#include <utility>

namespace weft {
namespace {

// Switches between two looks at the clock and the driver.
constexpr std::uint64_t poll_interval = 64;

constinit dispatcher no_scheduler_here{none_here};

std::string describe_site(const std::source_location& site) {
  return std::string(site.file_name()) + ":" + std::to_string(site.line());
}

std::string describe_wait(const wait_record& w) {
  return std::string(w.reason) + " at " + describe_site(w.site);
}

}  // namespace
}  // namespace weft

// Named in assembler only.
__attribute__((
    used)) constinit thread_local weft::dispatcher* weft_this_dispatcher =
    &weft::no_scheduler_here;

namespace weft {

dispatcher* no_dispatcher() noexcept { return &no_scheduler_here; }

core& core::here() {
  dispatcher* s = this_dispatcher();
  s->admit();
  return of(s);
}

std::string core::describe(const descriptor& d) {
  const core& c = *static_cast<const core*>(d.owner);
  std::string text = &d == c.main ? "main" : "tasklet " + std::to_string(d.id);
  if (d.name) text += " '" + *d.name + "'";
  if (&d != c.main && d.site.address == nullptr)
    text += " (spawned at " + describe_site(d.site.source) + ")";
  return text;
}

std::string core::deadlock(const control_block& t) {
  return "Deadlock: " + describe(*t.who) + " waits in " +
         describe_wait(*t.waiting) +
         ", and nothing is runnable and nothing can wake anyone";
}

std::size_t core::parked() const {
  std::size_t running = 1;  // current, and those inside run()
  for (const run_frame* f = frames; f != nullptr; f = f->outer) ++running;
  return live + 1 - queue.size() - running;
}

void core::poll_sources() noexcept {
  last_poll = queue.position();
  if (driver->expects()) driver->poll();
  if (timers.empty()) return;
  const auto now = driver->now();
  while (wait_record* w = timers.pop_due(now)) {
    if (w->who->waiting == nullptr) continue;  // Woken already.
    w->timed_out = true;
    wake(w->who);
  }
}

void core::popped_null() noexcept {
  if (!queue.pop_was_marker() || !has_sources()) return;
  if (queue.position() - last_poll >= poll_interval) poll_sources();
  if (queue.size() != 0) mark_sources();
}

control_block* core::intercept(control_block* n) noexcept {
  const auto set = flags.load(std::memory_order_relaxed);
  if (set & current_due) unwatch();
  return set & budgeted ? spend(n) : n;
}

void dispatcher::require_slow() const {
  if (flags.load(std::memory_order_relaxed) & none_here)
    throw no_scheduler(
        "weft: this thread has no scheduler; make a weft::scheduler first");
}

void dispatcher::admit_slow() {
  require_slow();
  if (flags.load(std::memory_order_relaxed) & current_due)
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
    if (!c.has_sources())
      return c.frames ? c.end_run(*c.frames, run_result::drained) : nullptr;
    c.poll_sources();
    if (queue.size() == 0) {
      // Something may come, and only the unlimited wait for it.
      if (run_frame* f = c.innermost_limited())
        return c.end_run(*f, run_result::idle);
      c.driver->wait(c.timers.empty()
                         ? std::nullopt
                         : std::optional(c.timers.next_deadline()));
      c.poll_sources();
    }
    if (queue.size() != 0 && c.has_sources()) c.mark_sources();
  }
}

control_block* dispatcher::next_popped_null() noexcept {
  core::of(this).popped_null();
  return next_slow();
}

void dispatcher::switch_rare(control_block* me, control_block* n) {
  core& c = core::of(this);
  if (flagged()) n = c.intercept(n);
  n = c.ready(n);
  if (n == me) return;
  current = n;
  if (exceptions->alive()) {
    if (exceptions->uncaught != 0) me->flags |= unwinding;
    if (me->who->exits_alive != 0 && exceptions->caught != nullptr)
      me->flags |= in_exit;
    me->switch_keeping(*exceptions, *n);
    me->flags &= ~(unwinding | in_exit);
  } else {
    me->switch_to(*n);
  }
}

void dispatcher::deliver(control_block* me) {
  core& c = core::of(this);
  if (me->flags & thrown) {
    me->flags &= ~thrown;
    std::rethrow_exception(std::exchange(me->who->thrown, nullptr));
  }
  if (me->flags & deadlocked) {
    me->flags &= ~deadlocked;
    ++me->who->kills;
    throw deadlock_error(std::exchange(c.deadlock_text, {}));
  }
  c.raise_due(me);
}

void dispatcher::park_ended(control_block* me, control_block* n) {
  if (n == nullptr) {
    // Nothing can wake anyone: the operation fails, as if it had not begun.
    const std::string text = core::deadlock(*me);
    unpark(me);
    throw deadlock_error(text);
  }
  // Woken while choosing the next.
  if (me->flags != 0) deliver(me);
}

void dispatcher::unpark(control_block* t) noexcept {
  for (wait_record* w = t->waiting; w != nullptr; w = w->sibling) {
    if (w->queue != nullptr) w->queue->remove(*w);
    if (w->reason == run_reason)
      core::of(this).drop_frame(*static_cast<run_frame*>(w->slot));
  }
  t->waiting = nullptr;
}

void dispatcher::yield_rare() {
  admit();
  control_block* me = current;
  control_block* n = me;
  if (!queue.empty()) {
    n = queue.pop();
    queue.push_after_pop(me);
    if (n == nullptr) n = next_popped_null();
  }
  // A lone tasklet that yields spends its budget too.
  if (n == me && flagged()) n = core::of(this).intercept(me);
  if (n != me) switch_to(me, n);
}

void dispatcher::yield_to(control_block* me, control_block* n) {
  if (n == nullptr) n = next_popped_null();
  if (n != me) switch_to(me, n);
}

void dispatcher::make_descriptors() {
  require_scheduler();
  free_descriptors = core::of(this).descriptors.more(ids);
}

}  // namespace weft
