// SPDX-License-Identifier: BSL-1.0
// Letting the others run.
#pragma once

#include <chrono>
#include <source_location>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/saturate.h"

namespace weft {

// Moves the caller to the tail of the run queue and runs the next; returns at
// once when nobody else is runnable. Throws no_scheduler; tasklet_exit when
// killed; in main, what escaped a tasklet. (Stackless: schedule.) Cost: O(1);
// no allocation, no lock, no atomic read-modify-write, no clock.
[[gnu::always_inline]] inline void yield() { this_dispatcher()->yield(); }

// Parks the caller until `when`; yields if that has passed. Tasklets with the
// same deadline go on in the order in which they went to sleep. Throws as
// yield(), and std::bad_alloc. Cost: O(log sleepers).
void sleep_until(std::chrono::steady_clock::time_point when,
                 std::source_location where = std::source_location::current());

// As sleep_until(), from now.
void sleep_for_ns(std::chrono::nanoseconds d, std::source_location where);
template <typename Rep, typename Period>
void sleep_for(std::chrono::duration<Rep, Period> d,
               std::source_location where = std::source_location::current()) {
  sleep_for_ns(saturate(d), where);
}

}  // namespace weft
