// SPDX-License-Identifier: BSL-1.0
// Loops that keep time.
//
//   for (weft::tick t : weft::every(100ms)) {
//     poll_sensor();
//     if (t.missed != 0) log("too slow");
//     if (done) break;
//   }
//   for (weft::tick t : weft::at_rate(60)) draw(t.number);  // 60 a second
//
// The first tick is at once, and the n-th one n periods after it: what a round
// takes, and how late it began, is made up for. Where a round takes more than a
// period, the ticks that lie wholly in the past are left out and counted, so
// that the loop stays in phase.
//
// Ordering:  every tick but the first lets the others run: it parks until its
//            time, and yields where that has passed.
// Thread safety: the scheduler's thread. Throws as sleep_until().
// Cost:      O(1); no allocation.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "weft/scheduler/clock.h"
#include "weft/scheduler/saturate.h"

namespace weft {

struct tick {
  std::uint64_t number = 0;          // of periods since the first
  clock::time_point time;            // when it was to be
  std::chrono::nanoseconds late{0};  // by how much it is later
  std::uint64_t missed = 0;          // left out since the one before
};

// An endless range. Each begin() starts afresh.
class ticker {
 public:
  class iterator {
   public:
    using value_type = tick;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    const tick& operator*() const { return tick_; }
    const tick* operator->() const { return &tick_; }
    iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return false; }

   private:
    friend class ticker;
    explicit iterator(const ticker& t);
    [[nodiscard]] clock::time_point time_of(std::uint64_t number) const;
    // The last one whose time has come.
    [[nodiscard]] std::uint64_t latest(clock::time_point now) const;

    long double span_ = 0;
    long double ticks_ = 0;
    clock::time_point start_;
    tick tick_;
  };

  [[nodiscard]] iterator begin() const { return iterator(*this); }
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }

 private:
  template <typename Rep, typename Period>
  friend ticker every(std::chrono::duration<Rep, Period> period);
  friend ticker at_rate(double hz);
  // So many ticks in so many nanoseconds. Throws std::invalid_argument where a
  // tick would take less than one, or no time that can be told.
  ticker(long double span, long double ticks);

  long double span_;
  long double ticks_;
};

// A tick each `period`, which is rounded down to nanoseconds. Throws
// std::invalid_argument for less than one.
template <typename Rep, typename Period>
[[nodiscard]] ticker every(std::chrono::duration<Rep, Period> period) {
  // Not a number is not positive either.
  if (!(period > period.zero())) return {0, 1};
  return {static_cast<long double>(saturate(period).count()), 1};
}

// `hz` ticks a second: the n-th is n / hz seconds after the first, however long
// the loop runs. Throws std::invalid_argument for what is not positive, and for
// more than a tick a nanosecond.
[[nodiscard]] ticker at_rate(double hz);

}  // namespace weft
