// SPDX-License-Identifier: BSL-1.0
// Law 21: a function of every element of a range.
#include "weft/structure/map.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/broken_promise.h"
#include "weft/tasklet/error.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

struct fixture {
  virtual_clock clock;
  scheduler s{{.driver = &clock}};
  int now = 0;
  int most = 0;
  int read = 0;  // elements of numbers()

  // Sleeps `n` seconds and gives it, and counts how many do.
  auto sleeper() {
    return [this](int n) {
      const struct count {
        int& n;
        ~count() { --n; }
      } alive{now};
      most = std::max(most, ++now);
      sleep_for(1s * n);
      return n;
    };
  }
  // Without end.
  auto numbers() {
    return std::views::iota(0) |
           std::views::transform([this](int n) { return ++read, n; });
  }
};

TEST_CASE_METHOD(fixture, "map() gives the results in order") {
  const std::vector<int> in{5, 1, 4, 2, 3};
  const auto n = GENERATE(0U, 1U, 2U, 5U, 100U);
  CHECK(map(in, sleeper(), n) == in);
  CHECK(most == std::clamp(static_cast<int>(n), 1, 5));
  CHECK(map(std::vector<int>(), sleeper(), n).empty());
}

TEST_CASE_METHOD(fixture, "elements and results may be move-only") {
  std::vector<std::unique_ptr<int>> in;
  for (int i = 0; i < 5; ++i) in.push_back(std::make_unique<int>(i));
  const auto out = map(
      in |
          std::views::transform([](auto& p) -> auto&& { return std::move(p); }),
      [](std::unique_ptr<int> p) { return p; }, 2);
  for (int i = 0; i < 5; ++i) CHECK(*out[static_cast<std::size_t>(i)] == i);
}

TEST_CASE_METHOD(fixture, "for_each() returns when f has been called for all") {
  int sum = 0;
  for_each(
      numbers() | std::views::take(10),
      [&](int n) {
        sleep_for(1s);
        sum += n;
      },
      3);
  CHECK(sum == 45);
  CHECK(clock.now().time_since_epoch() == 4s);
}

TEST_CASE_METHOD(fixture, "the first failure kills the rest, and is thrown") {
  const auto fail = [&](int n) {
    sleeper()(n == 3 ? 1 : 10);
    if (n == 3) throw n;
    return n;
  };
  SECTION("by map()") { CHECK_THROWS_AS(map(numbers(), fail, 5), int); }
  SECTION("by for_each()") {
    CHECK_THROWS_AS(for_each(numbers(), fail, 5), int);
  }
  SECTION("by map_unordered(), when it is asked for a result") {
    auto results = map_unordered(numbers(), fail, 5);
    CHECK_THROWS_AS(results.begin(), int);
    CHECK(results.begin() == results.end());
  }
  CHECK(now == 0);
  CHECK(read == 5);
  CHECK(clock.now().time_since_epoch() == 1s);
}

TEST_CASE_METHOD(fixture, "so is what the range throws") {
  auto bad = numbers() | std::views::transform([](int n) {
               if (n == 3) throw n;
               return n;
             });
  SECTION("by map()") { CHECK_THROWS_AS(map(bad, sleeper(), 5), int); }
  SECTION("by map_unordered()") {
    auto results = map_unordered(bad, sleeper(), 5);
    CHECK_THROWS_AS(results.begin(), int);
  }
  CHECK(now == 0);
}

TEST_CASE_METHOD(fixture, "a time-out kills all") {
  CHECK(!with_timeout(5s, [&] { return map(numbers(), sleeper(), 3); }));
  CHECK(now == 0);
  CHECK(!with_timeout(5s, [&] {
    for (int n : map_unordered(numbers(), sleeper(), 3)) CHECK(n < 6);
  }));
  CHECK(now == 0);
}

TEST_CASE_METHOD(fixture, "map_unordered() gives them as they come") {
  const std::vector<int> in{5, 1, 4, 2, 3};
  std::vector<int> out;
  for (int n : map_unordered(in, sleeper(), 3)) out.push_back(n);
  // 5, 1, 4; 2 from 1s, 3 from 3s.
  CHECK(out == std::vector{1, 2, 4, 5, 3});
  CHECK(most == 3);
  for (int n : map_unordered(std::vector<int>(), sleeper(), 3)) CHECK(n == 0);
}

TEST_CASE_METHOD(fixture, "it reads no further than its consumer has come") {
  auto results = map_unordered(numbers(), sleeper(), 3);
  CHECK(read == 0);
  auto at = results.begin();
  CHECK(*at == 0);
  CHECK(read == 3);
  sleep_for(1h);  // All that run have ended; nobody goes on.
  CHECK(now == 0);
  CHECK(read == 3);
  ++at;
  CHECK(*at == 1);
  CHECK(read == 4);
}

TEST_CASE_METHOD(fixture, "its end kills those that run") {
  for (int n : map_unordered(numbers(), sleeper(), 3)) {
    CHECK(n == 0);
    break;
  }
  CHECK(now == 0);
  CHECK(clock.now().time_since_epoch() == 0s);
}

TEST_CASE_METHOD(fixture, "a call that somebody kills gives nothing") {
  const auto kill_odd = [](int n) {
    if (n % 2 == 1) current().kill();
    return n;
  };
  std::vector<int> out;
  for (int n : map_unordered(numbers() | std::views::take(7), kill_odd, 1))
    out.push_back(n);
  CHECK(out == std::vector{0, 2, 4, 6});
}

TEST_CASE("map() tells of a call that was killed") {
  const scheduler s;
  const auto call = [] {
    return map(
        std::vector{1, 2, 3},
        [](int i) {
          if (i == 2) current().kill();
          return i;
        },
        2);
  };
  CHECK_THROWS_AS(call(), broken_promise);
}

TEST_CASE("another thread may not ask map_unordered for results") {
  const scheduler s;
  auto results =
      map_unordered(std::vector{1, 2, 3}, [](int i) { return i; }, 2);
  auto at = results.begin();
  std::thread([&] {
    const scheduler other;
    CHECK_THROWS_AS(++at, wrong_scheduler);
  }).join();
  CHECK(*at == 1);
  ++at;
  CHECK(*at == 2);
}

TEST_CASE("for_each() reads no more after a failure that is held back") {
  const scheduler s;
  int last = 0;
  const shield on;
  const auto numbers = std::views::iota(0) |
                       std::views::transform([&](int i) { return last = i; });
  CHECK_THROWS_AS(for_each(numbers, [](int) { throw 'x'; }, 2), char);
  CHECK(last < 4);
}

}  // namespace
