// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/core.h"

#include <cstdlib>
#include <sstream>
#include <utility>

#include "weft/scheduler/stderr_line.h"

namespace weft {
namespace {

// Switches between two looks at the clock and the driver.
constexpr std::uint64_t poll_interval = 64;

// Before a sleep that is as long, free stacks give their memory back: all but
// twice as many as are taken, and these; so many between two looks at what may
// have come.
constexpr std::chrono::milliseconds long_sleep{10};
constexpr std::size_t kept_stacks = 64;
constexpr std::size_t stacks_at_once = 64;

constinit exception_state no_exceptions{};
constinit dispatcher no_scheduler_here{none_here, &no_exceptions};

// Watches the idle driver, which may not switch.
class polling_scope {
 public:
  explicit polling_scope(dispatcher& s) : s_(s) {
    s.flags.fetch_or(polling, std::memory_order_relaxed);
  }
  polling_scope(const polling_scope&) = delete;
  polling_scope& operator=(const polling_scope&) = delete;
  ~polling_scope() {
    s_.flags.fetch_and(~std::uint32_t{polling}, std::memory_order_relaxed);
  }

 private:
  dispatcher& s_;
};

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

void stop(const char* sentence) noexcept {
  stderr_line() << sentence;
  std::abort();
}

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
  if (&d != c.main) text += " (spawned at " + describe(d.site) + ")";
  return text;
}

std::string core::describe(const spawn_site& site) {
  if (site.address == nullptr) return describe_site(site.source);
  std::ostringstream text;
  text << "the code at " << site.address;
  return text.str();
}

deadlock_error core::deadlock(const wait_record& w) {
  return deadlock_error(
      "Deadlock: " + describe(*w.who->who) + " waits in " + describe_wait(w) +
      ", and nothing is runnable and nothing can wake anyone");
}

std::size_t core::parked() const {
  std::size_t running = 1;  // current, and those inside run()
  for (const run_frame* f = frames; f != nullptr; f = f->outer) ++running;
  return live + 1 - queue.members() - running;
}

void core::poll_sources() noexcept {
  last_poll = queue.position();
  if (driver->expects()) {
    const polling_scope no_switch(*this);
    driver->poll();
  }
  if (timers.empty()) return;
  const auto now = driver->now();
  while (wait_record* w = timers.pop_due(now)) {
    if (w->who->waiting == nullptr) continue;  // Woken already.
    w->timed_out = 1;
    wake(w->who);
  }
}

void core::popped_null() noexcept {
  if (!queue.pop_was_marker() || !has_sources()) return;
  if (queue.position() - last_poll >= poll_interval) poll_sources();
  if (queue.members() != 0) mark_sources();
}

control_block* core::intercept(control_block* n) noexcept {
  const auto set = flags.load(std::memory_order_relaxed);
  if (set & current_due) unwatch();
  if (set & resortless) restock();
  return set & budgeted ? spend(n) : n;
}

// Waits for what may come, or does a little of what can be done meanwhile.
void core::idle() noexcept {
  std::optional<idle_driver::clock::time_point> deadline;
  if (!timers.empty()) deadline = timers.next_deadline();
  if (!deadline || *deadline - driver->now() >= long_sleep) {
    const std::size_t keep = 2 * stacks_in_use() + kept_stacks;
    if (stacks.trim(keep, stacks_at_once)) return;
  }
  const polling_scope no_switch(*this);
  driver->wait(deadline);
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
    if (!c.has_sources())
      return c.frames ? c.end_run(*c.frames, run_result::drained) : nullptr;
    c.poll_sources();
    if (queue.members() == 0) {
      // Something may come, and only the unlimited wait for it.
      if (run_frame* f = c.innermost_limited()) {
        mark_sources();
        return c.end_run(*f, run_result::idle);
      }
      c.idle();
      c.poll_sources();
    }
    if (queue.members() != 0 && c.has_sources()) mark_sources();
  }
}

control_block* dispatcher::switch_rare(control_block* me, control_block* n) {
  core& c = core::of(this);
  if (flags.load(std::memory_order_relaxed) & polling)
    stop(
        "an idle driver's poll() or wait() has switched tasklets; it may only "
        "make them runnable, through channels that prefer neither");
  if (n == nullptr) n = next_slow();
  if (n == nullptr) {
    // Nothing can wake anyone: the operation fails, as if it had not begun.
    const wait_record& w = *me->waiting;
    unpark(me);
    throw core::deadlock(w);
  }
  if (flagged()) n = c.intercept(n);
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
  if (me->flags & thrown) {
    me->flags &= ~thrown;
    std::rethrow_exception(std::exchange(me->who->thrown, nullptr));
  }
  c.raise_due(me);
}

void dispatcher::unpark(control_block* t) noexcept {
  for (wait_record* w = t->waiting; w != nullptr; w = w->sibling) {
    if (w->queue != nullptr) w->queue->leave(*w);
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
    queue.push(me);
    n = next();
  }
  // A lone tasklet that yields spends its budget too.
  if (n != me || flagged()) switch_to(me, n);
}

void dispatcher::make_descriptors() {
  require_scheduler();
  core& c = core::of(this);
  free_descriptors = c.descriptors.more(ids);
  for (descriptor* d = free_descriptors; d != nullptr; d = d->next_free)
    core::prepare_seed(*d);
}

}  // namespace weft
