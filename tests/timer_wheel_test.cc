// SPDX-License-Identifier: BSL-1.0
// The wheel that timers stand in, by itself and against a multimap.
#include "weft/scheduler/timer_wheel.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "weft/tests/support/sizes.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using time_point = timer::time_point;

struct named : timer {
  named() : timer(nullptr) {}
  explicit named(char n) : timer(nullptr), name(n) {}
  char name = '?';
};

time_point at(std::chrono::nanoseconds t) { return time_point(t); }

// The names of those that are due, in order.
std::string due(timer_wheel& wheel, time_point now) {
  std::string names;
  while (timer* t = wheel.pop_due(now)) names += static_cast<named*>(t)->name;
  return names;
}

TEST_CASE("timers fire in the order of their deadlines, near and far") {
  timer_wheel wheel;
  named a('a');
  named b('b');
  named c('c');
  named d('d');
  named e('e');
  named f('f');
  c.arm(wheel, at(1s));
  f.arm(wheel, time_point::max());
  a.arm(wheel, at(1ns));
  e.arm(wheel, at(100 * 365 * 24h));
  b.arm(wheel, at(64ns));
  d.arm(wheel, at(24h));
  CHECK(due(wheel, at(0ns)).empty());
  CHECK(due(wheel, time_point::max()) == "abcdef");
  CHECK(wheel.empty());
}

TEST_CASE("a timer fires at its nanosecond, and not before") {
  const auto t = GENERATE(1ns, 63ns, 64ns, 4095ns, 4096ns, 1s + 1ns, 1000h);
  const auto begin = GENERATE(at(0ns), at(-3ns), at(999h), time_point::min());
  timer_wheel wheel;
  CHECK(wheel.pop_due(begin) == nullptr);
  named a;
  a.arm(wheel, begin + t);
  CHECK(wheel.pop_due(begin + t - 1ns) == nullptr);
  CHECK(wheel.next_deadline() == begin + t);
  CHECK(wheel.pop_due(begin + t) == &a);
  CHECK(!a.armed());
}

TEST_CASE("equal deadlines fire in the order of arming, wherever they stood") {
  timer_wheel wheel;
  named a('a');
  named b('b');
  named c('c');
  named other('-');
  const auto when = at(1h);
  a.arm(wheel, when);
  other.arm(wheel, at(59min));
  CHECK(due(wheel, at(59min)) == "-");  // the base has come nearer
  b.arm(wheel, when);
  other.arm(wheel, when - 1ns);
  CHECK(due(wheel, when - 1ns) == "-");
  c.arm(wheel, when);
  CHECK(due(wheel, when) == "abc");
}

TEST_CASE("a timer for a time that has passed is due at once") {
  timer_wheel wheel;
  CHECK(due(wheel, at(1h)).empty());
  named a('a');
  named b('b');
  named c('c');
  a.arm(wheel, at(1h));
  b.arm(wheel, at(1s));
  c.arm(wheel, time_point::min());
  CHECK(wheel.next_deadline() <= at(1h));
  CHECK(due(wheel, at(1h)) == "abc");
}

TEST_CASE("a timer can be armed again, disarmed, and disarms itself") {
  timer_wheel wheel;
  named a('a');
  a.disarm();
  CHECK(!a.armed());
  a.arm(wheel, at(2s));
  CHECK(a.armed());
  a.arm(wheel, at(1s));
  {
    named b('b');
    b.arm(wheel, at(1s));
    CHECK(wheel.next_deadline() == at(1s));
  }
  CHECK(due(wheel, at(3s)) == "a");
  a.arm(wheel, at(4s));
  a.disarm();
  CHECK(!a.armed());
  CHECK(wheel.empty());
  CHECK(due(wheel, at(5s)).empty());
}

TEST_CASE("the next look is soon enough, and in the end it is the deadline") {
  timer_wheel wheel;
  CHECK(due(wheel, at(0s)).empty());
  std::vector<std::unique_ptr<named>> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(std::make_unique<named>('x'));
    all.back()->arm(wheel, at(1h + i * 1ms));
  }
  CHECK(wheel.next_look() == at(1h));
  all.front().reset();  // the earliest is not known any more
  int looks = 0;
  time_point now;
  while (due(wheel, now).empty()) {
    REQUIRE(wheel.next_look() > now);
    REQUIRE(wheel.next_look() <= at(1h + 1ms));
    now = wheel.next_look();
    ++looks;
  }
  CHECK(now == at(1h + 1ms));
  CHECK(looks <= 11);
}

// A wheel and a multimap are told the same. In the map a key is the deadline,
// or the time that was reached where it had passed by then.
class pair_of_wheels {
 public:
  explicit pair_of_wheels(unsigned seed) : random_(seed) {
    wheel_.pop_due(now_);
  }

  void step() {
    const std::size_t i = any(timers_.size());
    switch (any(4)) {
      case 0:
        timers_[i].disarm();
        forget(i);
        break;
      case 1:
        advance();
        break;
      default: {
        const time_point when = some_time();
        timers_[i].arm(wheel_, when);
        forget(i);
        expected_.emplace(std::max(when, now_), i);
        break;
      }
    }
    REQUIRE(wheel_.empty() == expected_.empty());
    if (expected_.empty() || any(2) == 0) return;
    REQUIRE(wheel_.next_look() <= expected_.begin()->first);
    REQUIRE(wheel_.next_deadline() == expected_.begin()->first);
  }

 private:
  std::size_t any(std::size_t n) { return random_() % n; }

  // Of every order of magnitude; of few values, so that many are equal.
  std::chrono::nanoseconds some_distance() {
    const auto unit = std::int64_t{1} << any(56);
    return std::chrono::nanoseconds(unit * static_cast<std::int64_t>(any(8)));
  }

  time_point some_time() {
    switch (any(16)) {
      case 0:
        return time_point::max();
      case 1:
        return now_ - 1ns - some_distance();
      case 2:
        return now_;
      default:
        return now_ + some_distance();
    }
  }

  void advance() {
    // To a deadline as often as not.
    const bool exactly = !expected_.empty() && any(2) == 0;
    now_ = std::max(
        now_, exactly ? expected_.begin()->first : now_ + some_distance());
    if (now_ > time_point() + 10 * 365 * 24h)
      now_ = time_point() + 10 * 365 * 24h;
    while (timer* t = wheel_.pop_due(now_)) {
      REQUIRE(!expected_.empty());
      const auto first = expected_.begin();
      REQUIRE(first->first <= now_);
      REQUIRE(t == &timers_[first->second]);
      REQUIRE(!t->armed());
      expected_.erase(first);
    }
    if (!expected_.empty()) REQUIRE(expected_.begin()->first > now_);
  }

  void forget(std::size_t i) {
    std::erase_if(expected_, [&](const auto& e) { return e.second == i; });
  }

  std::minstd_rand random_;
  timer_wheel wheel_;
  std::array<named, 40> timers_;
  std::multimap<time_point, std::size_t> expected_;
  time_point now_ = time_point() - 1h;
};

TEST_CASE("random programs do the same with a wheel and with a multimap") {
  const int programs = std::min(weft_test::many, 200);
  for (int seed = 1; seed <= programs; ++seed) {
    CAPTURE(seed);
    pair_of_wheels both(static_cast<unsigned>(seed));
    for (int i = 0; i < 500; ++i) both.step();
  }
}

TEST_CASE("a hundred thousand timers are armed, disarmed and fired in order") {
  const auto n = static_cast<std::size_t>(std::min(weft_test::many, 100'000));
  timer_wheel wheel;
  const auto all = std::make_unique<named[]>(n);
  std::minstd_rand random(1);
  std::map<const timer*, time_point> deadlines;
  for (std::size_t i = 0; i < n; ++i) {
    const auto when = at(std::chrono::nanoseconds(random() * 1000ULL));
    all[i].arm(wheel, when);
    deadlines[&all[i]] = when;
  }
  for (std::size_t i = 0; i < n; i += 3) all[i].disarm();
  std::size_t fired = 0;
  bool ordered = true;
  time_point last;
  while (timer* t = wheel.pop_due(time_point::max())) {
    ordered &= last <= deadlines[t];
    last = deadlines[t];
    ++fired;
  }
  CHECK(ordered);
  CHECK(fired == n - (n + 2) / 3);
  CHECK(wheel.empty());
}

}  // namespace
