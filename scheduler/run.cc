// SPDX-License-Identifier: BSL-1.0
// run() and its budgets.
//
// Invariants:
// - Frames are listed innermost first; main's are always the outermost. It has
//   two where it runs in the schedule callback of its run().
// - A listed frame's caller is parked; to unpark it takes the frame off.
// - The budgeted flag is set exactly while a limited frame is listed.
#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

run_result core::run(run_frame& f, std::source_location where) {
  admit();
  f.who = current;
  f.ended_before = ended();
  if (f.switches_left == 0) {
    f.why = run_result::budget;
    return describe(f);
  }
  run_frame** at = &frames;
  if (current == &main_block)
    while (*at != nullptr && (*at)->order != 0) at = &(*at)->outer;
  else
    f.order = ++runs;
  f.outer = *at;
  *at = &f;
  f.listed = true;
  if (f.limited) set(budgeted);
  // Now: from here on, what ends this run ends those that were begun later.
  if (flagged(no_switching) && others_go_on(current)) {
    drop_frame(f);
    trap_switch();
  }

  wait_record w(run_reason, where);
  w.slot = &f;
  w.pause = 1;
  ++paused;
  try {
    park(w);
  } catch (...) {
    if (f.why == run_result::woken) end_later_runs(f);
    if (f.failure) keep_failure(f);
    throw;
  }
  if (f.why == run_result::woken) end_later_runs(f);
  if (f.failure) std::rethrow_exception(std::exchange(f.failure, nullptr));
  return describe(f);
}

// Something else comes out of a run() that was to pass a failure on. In main
// another failure may: this one is raised next.
void core::keep_failure(run_frame& f) noexcept {
  if (current != &main_block || (main_block.flags & killed) != 0 ||
      flagged(closing))
    return report_failure(f.failed, f.failure);
  failures.push_front({f.failed, std::exchange(f.failure, nullptr)});
  main_block.flags |= failure_due;
  watch_current();
}

void core::end_later_runs(const run_frame& f) noexcept {
  for (run_frame* later = frames; later != nullptr && later->order > f.order;
       later = frames)
    queue.push(end_run(*later, run_result::woken));
}

void core::drop_frame(run_frame& f) noexcept {
  if (!f.listed) return;
  f.listed = false;
  run_frame** at = &frames;
  while (*at != &f) at = &(*at)->outer;
  *at = f.outer;
  for (at = &frames; *at != nullptr; at = &(*at)->outer)
    if ((*at)->limited) return;
  clear(budgeted);
}

control_block* core::end_run(run_frame& f, run_result::reason why) noexcept {
  f.why = why;
  unpark(f.who);
  return f.who;
}

run_frame* core::impatient_frame() const {
  run_frame* f = frames;
  while (f != nullptr && (!f->limited || f->waits)) f = f->outer;
  return f;
}

control_block* core::end_waiting_run() noexcept {
  run_frame* over = nullptr;
  for (run_frame* f = frames; f != nullptr; f = f->outer)
    if (f->waits && driver->now() >= *f->deadline) over = f;
  return over != nullptr ? end_run(*over, run_result::budget) : nullptr;
}

run_frame* core::spent_frame(const control_block* me, run_frame* from) const {
  if (me != nullptr && me->who->atomics != 0) return nullptr;
  run_frame* spent = nullptr;
  for (run_frame* f = from; f != nullptr; f = f->outer) {
    if (!f->limited) continue;
    const bool late =
        f->deadline && f->switches != 0 && budget_clock() >= *f->deadline;
    if (late || f->switches_left == 0) spent = f;
  }
  return spent;
}

control_block* core::spend(const control_block* me, control_block* n) noexcept {
  run_frame* spent = spent_frame(me, frames);
  // A caller that is in its schedule callback comes back after that.
  for (; spent != nullptr && spent->who == &stand_in;
       spent = spent_frame(me, frames)) {
    end_run(*spent, run_result::budget);
    stand_in_served = true;
  }
  run_frame* counting = frames;
  if (spent != nullptr) {
    // Its caller goes on, which only the runs outside it count.
    counting = spent->outer;
    queue.push_front(n);
    n = end_run(*spent, run_result::budget);
  }
  for (run_frame* f = counting; f != nullptr; f = f->outer) {
    ++f->switches;
    if (f->switches_left != 0) --f->switches_left;
  }
  return n;
}

run_result core::describe(const run_frame& f) const {
  run_result result{f.why,       f.switches, ended() - f.ended_before,
                    runnable(),  parked(),   pausing(),
                    std::nullopt};
  if (!timers.empty()) result.next_deadline = timers.next_deadline();
  return result;
}

}  // namespace weft
