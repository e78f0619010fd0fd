// SPDX-License-Identifier: BSL-1.0
// A million timers.
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <random>

#include "weft/bench/weft/cases.h"
#include "weft/scheduler/timer_wheel.h"

namespace {

using namespace std::chrono_literals;

// A timer, among what else lies on the stack of whoever waits.
struct waiter {
  weft::timer timer{nullptr};
  char frame[152];
};

class crowd_of_timers {
 public:
  explicit crowd_of_timers(long n)
      : n_(static_cast<std::size_t>(n)), all_(new waiter[n_]) {
    wheel_.pop_due(begin_);
    for (std::size_t i = 0; i < n_; ++i) arm(all_[i].timer);
  }

  // Arms it for a time within the hour.
  void arm(weft::timer& t) {
    t.arm(wheel_, begin_ + std::chrono::nanoseconds(random_() % hour));
  }
  weft::timer& any() { return all_[random_() % n_].timer; }
  // Gives how many.
  std::size_t expire() {
    std::size_t fired = 0;
    while (wheel_.pop_due(begin_ + 1h) != nullptr) ++fired;
    return fired;
  }

 private:
  static constexpr auto hour =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(1h).count());

  const weft::timer::time_point begin_ = weft::timer::time_point(1000h);
  std::size_t n_;
  weft::timer_wheel wheel_;
  std::unique_ptr<waiter[]> all_;
  std::mt19937_64 random_;
};

// Of an insert or a cancel. A timer that is disarmed lies on the stack that
// does it, so that it is warm, and those beside it in the wheel are not.
double rearm(long crowd, long operations) {
  crowd_of_timers timers(crowd);
  std::array<weft::timer*, 16> some;
  double took = 0;
  long done = 0;
  for (; done < operations; done += 2 * long{some.size()}) {
    bool all_armed = true;
    for (weft::timer*& each : some) {
      each = &timers.any();
      all_armed &= each->armed();
    }
    bench::check(all_armed, "a timer has been lost");
    const bench::stopwatch watch;
    for (weft::timer* each : some) {
      each->disarm();
      timers.arm(*each);
    }
    took += watch.ns();
  }
  bench::check(timers.expire() == static_cast<std::size_t>(crowd),
               "not all timers are armed");
  return took / static_cast<double>(done);
}

// Of one timer that is added to the crowd and taken out again.
double arm_and_disarm(long crowd, long operations) {
  crowd_of_timers timers(crowd);
  weft::timer mine(nullptr);
  const bench::stopwatch watch;
  for (long i = 0; i < operations; i += 2) {
    timers.arm(mine);
    mine.disarm();
  }
  return watch.ns() / static_cast<double>(operations);
}

double expire(long crowd) {
  crowd_of_timers timers(crowd);
  const bench::stopwatch watch;
  const std::size_t fired = timers.expire();
  const double took = watch.ns();
  bench::check(fired == static_cast<std::size_t>(crowd),
               "not all timers have fired");
  return took / static_cast<double>(crowd);
}

}  // namespace

void add_timer_cases(bench::suite& all) {
  all.add_once("timers/1m", "ns",
               "to arm or disarm a timer that comes to a million and goes",
               [](const bench::work& w) {
                 return arm_and_disarm(w.crowd(1'000'000), w.crowd(10'000'000));
               });
  all.add_once("timers/1m/random", "ns",
               "to arm or disarm any of a million timers",
               [](const bench::work& w) {
                 return rearm(w.crowd(1'000'000), w.crowd(2'000'000));
               });
  all.add_once("timers/1m/expire", "ns", "each of a million timers that expire",
               [](const bench::work& w) { return expire(w.crowd(1'000'000)); });
}
