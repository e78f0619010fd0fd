// SPDX-License-Identifier: BSL-1.0
// Waits for a condition on what a mutex protects.
//
//   weft::mutex m;
//   weft::condition_variable changed;
//   std::unique_lock lock(m);
//   changed.wait(lock, [&] { return stock > 0; });
//
// Where nobody parks between looking and waiting, no mutex is needed: an event
// or a channel does.
//
// Ordering:       notify_one() lets the one go on who has waited longest. One
//                 who is killed before it goes on leaves its turn to the next.
//                 All lock the mutex again in the order in which they go on.
// Thread safety:  belongs to the scheduler of the first operation on it; in any
//                 other thread operations throw wrong_scheduler or
//                 no_scheduler; queries and set_name() are not checked.
// Lifetime:       ending one has those who wait go on with an error.
// Cost:           O(1), and notify_all() O(those who wait); no allocation.
//
// Nobody goes on without a reason: notified, killed, out of time. `Lock` is
// anything with lock() and unlock(): a std::unique_lock of any mutex here.
// (std::condition_variable_any.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <source_location>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/scheduler/shield.h"
#include "weft/sync/waitable.h"

namespace weft {

class condition_variable : public waiting_line {
  using time_point = std::chrono::steady_clock::time_point;

 public:
  condition_variable() : waiting_line(kind, &left_by<condition_variable>) {}

  // Unlocks, parks until it is notified, and locks again, kills held back, also
  // where it throws: as lock.unlock(); then error where this is destroyed
  // meanwhile; no_scheduler, wrong_scheduler; deadlock_error where nobody could
  // notify it; tasklet_exit when killed, and what throw_exception() raises;
  // block_trap_error, switch_trap_error. Main gets what escaped a tasklet.
  // Only where it cannot be locked again is it left unlocked, and that thrown
  // instead: for a deadlock, a trap, an owner that has ended, the end of the
  // mutex. A std::unique_lock knows.
  template <typename Lock>
  void wait(Lock& lock, location where = location::current()) {
    static_cast<void>(wait_as(lock, wait_forever{}, where));
  }
  // The same until condition() holds; at once if it does.
  template <typename Lock, typename Condition>
  void wait(Lock& lock, Condition condition,
            location where = location::current()) {
    while (!condition()) wait(lock, where);
  }

  // As wait(), but for `time`, or until `when`, at most. With a condition: what
  // it says then.
  template <typename Lock>
  std::cv_status wait_until(Lock& lock, time_point when,
                            location where = location::current()) {
    return wait_as(lock, weft::wait_until{when}, where)
               ? std::cv_status::no_timeout
               : std::cv_status::timeout;
  }
  template <typename Lock, typename Condition>
  bool wait_until(Lock& lock, time_point when, Condition condition,
                  location where = location::current()) {
    while (!condition())
      if (wait_until(lock, when, where) == std::cv_status::timeout)
        return condition();
    return true;
  }
  template <typename Lock, typename Rep, typename Period>
  std::cv_status wait_for(Lock& lock, std::chrono::duration<Rep, Period> time,
                          location where = location::current()) {
    return wait_until(lock, admit()->from_now(saturate(time)), where);
  }
  template <typename Lock, typename Rep, typename Period, typename Condition>
  bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> time,
                Condition condition, location where = location::current()) {
    return wait_until(lock, admit()->from_now(saturate(time)),
                      std::move(condition), where);
  }

  // The first who waits goes on, or all who wait. Neither switches nor parks;
  // the caller need not own the mutex. Throws no_scheduler, wrong_scheduler.
  void notify_one() {
    attend();
    give_back(0);
  }
  void notify_all() {
    attend();
    for (std::size_t n = waiters(); n != 0 && waiters() != 0; --n)
      serve_one(*this, false);  // One who leaves passes nothing on.
  }

 private:
  friend waiting_line;
  static constexpr wait_kind kind{"condition_variable"};
  // One who waits has nothing until it is notified.
  [[nodiscard]] static bool possible(std::uint32_t) { return false; }
  void take(const descriptor*, std::uint32_t) {}
  void give_back(std::uint32_t) noexcept {
    if (waiters() != 0) serve_one(*this);
  }

  template <typename Lock>
  static void lock_again(Lock& lock) {
    const shield on;
    lock.lock();
  }
  template <typename Lock, typename Wait>
  bool wait_as(Lock& lock, Wait wait, location where) {
    admit();
    lock.unlock();
    bool notified = false;
    try {
      notified = perform<waiting>(*this, 0, wait, where);
    } catch (...) {
      lock_again(lock);
      throw;
    }
    lock_again(lock);
    return notified;
  }
};

}  // namespace weft
