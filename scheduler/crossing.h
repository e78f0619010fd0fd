// SPDX-License-Identifier: BSL-1.0
// Private: waits that other threads may end.
//
//   the tasklet           under the guard of what it waits for: lines up
//   who serves it         under that guard: claims it, moves the value, takes it
//                         off the line; without the guard: tells its scheduler
//   its scheduler         by the letter: takes it off the other lines of its
//                         select, and makes it runnable
//   kill, time-out ...    the scheduler's thread: claims it, and takes it off;
//                         or, if somebody has been faster, waits for his letter
//
// Invariants:
// - A claim is made once, and stays. Whoever has made it ends the wait.
// - What stands in a guarded line is touched under its guard only.
// - What one waits for is taken in this order: guards, by number; the registry's
//   mutex, which a select needs under its guards where it asks for the end of a
//   tasklet elsewhere; what wakes a driver. Only the report of a standstill takes
//   guards under that mutex, one at a time: all schedulers rest then, and nobody
//   who has a guard waits for it.
#pragma once

#include <atomic>
#include <exception>
#include <optional>
#include <source_location>

#include "weft/scheduler/alarm.h"
#include "weft/scheduler/guard.h"
#include "weft/scheduler/inbox.h"
#include "weft/scheduler/waits.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

struct dispatcher;

// Those of all that a tasklet waits for.
guard_set guards_of(const wait_record& first);

// Of one operation, or, of a select, the last of its records.
struct crossing_wait : wait_record, letter {
  crossing_wait(const char* why, std::source_location where, dispatcher* s)
      : wait_record(why, where), letter(&arrive), home(s) {
    crossing = guard::elsewhere;
  }
  crossing_wait(const crossing_wait&) = delete;
  crossing_wait& operator=(const crossing_wait&) = delete;
  ~crossing_wait() = default;

  // The one that `w` is, or is a case of.
  static crossing_wait& of(wait_record& w) {
    wait_record* last = &w;
    while (last->sibling != nullptr) last = last->sibling;
    return static_cast<crossing_wait&>(*last);
  }
  // False: somebody else serves it, or has ended it.
  [[nodiscard]] bool claim() {
    return !claimed.exchange(true, std::memory_order_acq_rel);
  }

  // Has the time end it. False: that is over already, or there is none.
  [[nodiscard]] bool limit(const any_wait& wait);

  dispatcher* home;
  std::exception_ptr failure;  // what the wait comes to, if it is that
  std::atomic<bool> claimed{false};

 private:
  static void arrive(letter& l, core& home) noexcept;

  std::optional<alarm> alarm_;
};

// Those whom an operation has served under guards: told when it has left them.
class outbox {
 public:
  outbox() = default;
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;
  ~outbox() { send(); }

  // Requires: claimed, off its line, and what it waited for is done.
  void add(crossing_wait& w) noexcept {
    w.behind = nullptr;
    *end_ = &w;
    end_ = &w.behind;
  }
  // Requires: no guard is held.
  void send() noexcept;

 private:
  letter* first_ = nullptr;
  letter** end_ = &first_;
};

}  // namespace weft
