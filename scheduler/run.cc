// SPDX-License-Identifier: BSL-1.0
// run() and its budgets.
//
// Invariants:
// - Frames are listed innermost first; main's is always the outermost.
// - A listed frame's caller is parked; to unpark it takes the frame off.
// - The budgeted flag is set exactly while a limited frame is listed.
#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

run_result core::run(run_frame& f, std::source_location where) {
  admit();
  f.who = current;
  if (f.switches_left == 0) {
    f.why = run_result::budget;
    return describe(f);
  }
  run_frame** at = &frames;
  if (current == &main_block)
    while (*at != nullptr) at = &(*at)->outer;
  f.outer = *at;
  *at = &f;
  f.listed = true;
  if (f.limited) flags.fetch_or(budgeted, std::memory_order_relaxed);

  wait_record w(run_reason, where);
  w.slot = &f;
  try {
    park(w);
  } catch (...) {
    // The caller was killed before it could pass the failure on.
    if (f.failure) report_failure("a tasklet", f.failure);
    throw;
  }
  if (f.failure) std::rethrow_exception(std::exchange(f.failure, nullptr));
  return describe(f);
}

void core::drop_frame(run_frame& f) noexcept {
  if (!f.listed) return;
  f.listed = false;
  run_frame** at = &frames;
  while (*at != &f) at = &(*at)->outer;
  *at = f.outer;
  if (f.limited && innermost_limited() == nullptr)
    flags.fetch_and(~std::uint32_t{budgeted}, std::memory_order_relaxed);
}

control_block* core::end_run(run_frame& f, run_result::reason why) noexcept {
  f.why = why;
  unpark(f.who);
  return f.who;
}

run_frame* core::innermost_limited() const {
  run_frame* f = frames;
  while (f != nullptr && !f->limited) f = f->outer;
  return f;
}

control_block* core::spend(control_block* n) noexcept {
  run_frame* spent = nullptr;
  for (run_frame* f = frames; f != nullptr; f = f->outer) {
    if (!f->limited) continue;
    const bool late =
        f->deadline && f->switches != 0 && driver->now() >= *f->deadline;
    if (late || f->switches_left == 0) spent = f;  // The outermost wins.
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
    --f->switches_left;
  }
  return n;
}

run_result core::describe(const run_frame& f) const {
  run_result result{f.why, f.switches, queue.members(), parked(), std::nullopt};
  if (!timers.empty()) result.next_deadline = timers.next_deadline();
  return result;
}

}  // namespace weft
