// SPDX-License-Identifier: BSL-1.0
// A million timers.
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

// With what is done `operations` times, each an insert and a cancel.
template <typename Each>
double among(long crowd, long operations, Each each) {
  crowd_of_timers timers(crowd);
  const bench::stopwatch watch;
  for (long i = 0; i < operations; i += 2) each(timers);
  const double took = watch.ns();
  bench::check(timers.expire() == static_cast<std::size_t>(crowd),
               "not all timers are armed");
  return took / static_cast<double>(operations);
}

}  // namespace

void add_timer_cases(bench::suite& all) {
  all.add_once("timers/1m", "ns",
               "to arm or disarm a timer, on a stack in use, among a million",
               [](const bench::work& w) {
                 weft::timer mine(nullptr);
                 return among(w.crowd(1'000'000), w.crowd(10'000'000),
                              [&](crowd_of_timers& timers) {
                                timers.arm(mine);
                                mine.disarm();
                              });
               });
  all.add_once("timers/1m/random", "ns",
               "to arm or disarm any of a million timers",
               [](const bench::work& w) {
                 return among(w.crowd(1'000'000), w.crowd(4'000'000),
                              [](crowd_of_timers& timers) {
                                weft::timer& t = timers.any();
                                t.disarm();
                                timers.arm(t);
                              });
               });
  all.add_once("timers/1m/expire", "ns", "each of a million timers that expire",
               [](const bench::work& w) {
                 const long n = w.crowd(1'000'000);
                 crowd_of_timers timers(n);
                 const bench::stopwatch watch;
                 const std::size_t fired = timers.expire();
                 const double took = watch.ns();
                 bench::check(fired == static_cast<std::size_t>(n),
                              "not all timers have fired");
                 return took / static_cast<double>(n);
               });
}
