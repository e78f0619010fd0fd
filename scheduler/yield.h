// SPDX-License-Identifier: BSL-1.0
// Letting the others run.
#pragma once

#include <any>
#include <chrono>
#include <optional>
#include <source_location>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/saturate.h"

namespace weft {

// Moves the caller to the tail of the run queue and runs the next; returns at
// once when nobody else is runnable. Throws no_scheduler; tasklet_exit when
// killed; what throw_exception() raises in the caller; in main, what escaped a
// tasklet; switch_trap_error. (Stackless: schedule.) Cost: O(1); no allocation,
// no lock, no atomic read-modify-write, no clock.
[[gnu::always_inline]] inline void yield() { this_dispatcher()->yield(); }

// Parks the caller until `when`; yields if that has passed. Tasklets with the
// same deadline go on in the order in which they went to sleep. Throws as
// yield(), and block_trap_error. Cost: O(1); no allocation.
void sleep_until(std::chrono::steady_clock::time_point when,
                 std::source_location where = std::source_location::current());

// Pauses the caller until somebody insert()s or run()s it, and returns what
// insert() handed over; an empty any where that was nothing. main comes back,
// too, when nothing is runnable and nothing can wake anyone, as from run().
// Throws as yield(); deadlock_error where the caller is the last that could
// run, main is blocked and no run() is active. (Stackless: schedule_remove.)
std::any suspend(std::source_location where = std::source_location::current());

// As suspend(), but until `when`, or for `time`, at most. Null: that passed
// first.
std::optional<std::any> suspend_until(
    std::chrono::steady_clock::time_point when,
    std::source_location where = std::source_location::current());
std::optional<std::any> suspend_for_ns(std::chrono::nanoseconds time,
                                       std::source_location where);
template <typename Rep, typename Period>
std::optional<std::any> suspend_for(
    std::chrono::duration<Rep, Period> time,
    std::source_location where = std::source_location::current()) {
  return suspend_for_ns(saturate(time), where);
}

// Yields if the caller has run for the scheduler's time slice, or beyond the
// deadline of a run_for() or run_until() that it runs in. For loops that would
// keep the others waiting: where neither is set it costs one test, else a look
// at the clock. Throws as yield().
inline void checkpoint() {
  dispatcher* s = this_dispatcher();
  if (s->flagged()) [[unlikely]]
    s->checkpoint();
}

// As sleep_until(), from now.
void sleep_for_ns(std::chrono::nanoseconds d, std::source_location where);
template <typename Rep, typename Period>
void sleep_for(std::chrono::duration<Rep, Period> d,
               std::source_location where = std::source_location::current()) {
  sleep_for_ns(saturate(d), where);
}

}  // namespace weft
