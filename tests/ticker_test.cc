// SPDX-License-Identifier: BSL-1.0
// Loops that keep time.
#include "weft/scheduler/ticker.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <stdexcept>
#include <string>

#include "weft/scheduler/clock.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

static_assert(std::ranges::input_range<ticker>);

std::chrono::nanoseconds since_epoch(const virtual_clock& c) {
  return const_cast<virtual_clock&>(c).now().time_since_epoch();
}

TEST_CASE("the first tick is at once, and each later one a period later") {
  virtual_clock clock;
  clock.advance(1h);
  const scheduler s({.driver = &clock});
  std::uint64_t n = 0;
  for (const tick t : every(100ms)) {
    CHECK(t.number == n);
    CHECK(t.time.time_since_epoch() == 1h + t.number * 100ms);
    CHECK(clock.now() == t.time);
    CHECK(t.late == 0s);
    CHECK(t.missed == 0);
    clock.advance(n * 10ms);  // what a round takes is made up for
    if (++n == 10) break;
  }
  CHECK(since_epoch(clock) == 1h + 990ms);
}

TEST_CASE("a rate that is no whole period does not drift") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const double hz = GENERATE(60.0, 59.94, 3.0, 0.7, 44100.0);
  for (const tick t : at_rate(hz)) {
    const auto exact = static_cast<double>(t.number) * 1e9 / hz;
    REQUIRE(std::abs(static_cast<double>(since_epoch(clock).count()) - exact) <=
            1);
    REQUIRE(t.missed == 0);
    if (t.number == 5000) break;
  }
}

TEST_CASE("60 ticks of a sixtieth are a second, to the nanosecond") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  for (const tick t : at_rate(60))
    if (t.number % 60 == 0) {
      REQUIRE(since_epoch(clock) == std::chrono::seconds(t.number / 60));
      if (t.number == 6000) break;
    }
}

TEST_CASE("ticks that lie wholly in the past are left out, and counted") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  struct {
    std::chrono::milliseconds work;
    std::uint64_t number;
    std::chrono::milliseconds late;
    std::uint64_t missed;
  } const rounds[] = {
      {0ms, 0, 0ms, 0},     {100ms, 1, 0ms, 0}, {199ms, 2, 0ms, 0},
      {50ms, 3, 99ms, 0},   {0ms, 4, 49ms, 0},  {250ms, 5, 0ms, 0},
      {1000ms, 7, 50ms, 1}, {0ms, 17, 50ms, 9}, {0ms, 18, 0ms, 0},
  };
  auto each = every(100ms).begin();
  for (const auto& r : rounds) {
    CAPTURE(r.number);
    CHECK(each->number == r.number);
    CHECK(each->time.time_since_epoch() == r.number * 100ms);
    CHECK(each->late == r.late);
    CHECK(each->missed == r.missed);
    clock.advance(r.work);
    ++each;
  }
}

TEST_CASE("a loop that is too slow still lets the others run") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  for (int i = 0; i < 3; ++i)
    spawn([&] {
      trace += 'o';
      yield();
      trace += 'o';
    });
  for (const tick t : every(1ms)) {
    trace += 't';
    clock.advance(5ms);
    if (t.number >= 10) break;
  }
  CHECK(trace == "toootooot");
}

TEST_CASE("a loop that is kept waiting is told how late it is") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  spawn([&] {
    sleep_for(10ms);
    clock.advance(25ms);  // computes for long
  });
  std::string trace;
  for (const tick t : every(10ms)) {
    trace +=
        std::to_string(t.number) + "+" + std::to_string(t.late / 1ms) + " ";
    if (t.number >= 4) break;
  }
  run();
  CHECK(trace == "0+0 1+0 3+5 4+0 ");
}

TEST_CASE("a loop begun again starts afresh") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const ticker beat = every(1s);
  for (int i = 1; i <= 3; ++i) {
    for (const tick t : beat)
      if (t.number == 2) break;
    CHECK(since_epoch(clock) == i * 2s);
  }
}

TEST_CASE("two loops at one rate take turns") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  for (char name : {'a', 'b'})
    spawn([&, name] {
      for (const tick t : every(1s)) {
        trace += name;
        if (t.number == 3) break;
      }
    });
  run();
  CHECK(trace == "abababab");
}

TEST_CASE("the longest period is a fine one") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  for (const tick t : every(std::chrono::hours::max())) {
    trace += 't';
    if (t.number == 2) break;
  }
  CHECK(trace == "ttt");
  CHECK(clock.now() == weft::clock::time_point::max());
}

TEST_CASE("a period is positive, and a nanosecond at least") {
  using seconds = std::chrono::duration<double>;
  const double bad = GENERATE(0.0, -0.0, -1.0, std::nan(""), -HUGE_VAL);
  CHECK_THROWS_AS(every(seconds(bad)), std::invalid_argument);
  CHECK_THROWS_AS(at_rate(bad), std::invalid_argument);
  CHECK_THROWS_AS(every(0ns), std::invalid_argument);
  CHECK_THROWS_AS(every(-1h), std::invalid_argument);
  CHECK_THROWS_AS(every(seconds(1e-10)), std::invalid_argument);
  CHECK_THROWS_AS(at_rate(2e9), std::invalid_argument);
  CHECK_THROWS_AS(at_rate(HUGE_VAL), std::invalid_argument);
}

TEST_CASE("a loop needs a scheduler") {
  CHECK_THROWS_AS(every(1s).begin(), no_scheduler);
}

}  // namespace
