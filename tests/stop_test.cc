// SPDX-License-Identifier: BSL-1.0
// Law 21, its stops: stop_guard.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/manual_clock.h"
#include "weft/scheduler/scaled_clock.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/stop_guard.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

static_assert(!std::is_base_of_v<std::exception, stopped>);

// 's': f() has thrown stopped; 'r': it has returned.
template <typename F>
void watch(std::string& trace, F f) {
  try {
    f();
    trace += 'r';
  } catch (const stopped&) {
    trace += 's';
  }
}

TEST_CASE("a stop ends what the tasklet is parked in") {
  const scheduler s;
  channel<int> never;
  std::stop_source source;
  std::string trace;
  const tasklet t = spawn([&] {
    const stop_guard until(source.get_token());
    watch(trace, [&] { never.receive(); });
  });
  yield();
  source.request_stop();
  CHECK(trace.empty());
  CHECK(never.balance() == 0);
  t.join();
  CHECK(trace == "s");
}

TEST_CASE("it is raised again and again, until the guard ends") {
  const scheduler s;
  std::stop_source source;
  std::string trace;
  {
    const stop_guard until(source.get_token());
    watch(trace, [] { yield(); });
    source.request_stop();
    watch(trace, [] { yield(); });
    watch(trace, [] { yield(); });
    const shield on;
    watch(trace, [] { yield(); });
  }
  watch(trace, [] { yield(); });
  CHECK(trace == "rssrr");
}

TEST_CASE("one that was asked for before is raised by the first operation") {
  const scheduler s;
  std::stop_source source;
  source.request_stop();
  std::string trace;
  const stop_guard until(source.get_token());
  watch(trace, [] { yield(); });
  CHECK(trace == "s");
}

TEST_CASE("while a stop may still come there is no deadlock") {
  const scheduler s;
  channel<int> never;
  std::optional<std::stop_source> source(std::in_place);
  const stop_guard until(source->get_token());
  SECTION("but once its source has gone") {
    source.reset();
    CHECK_THROWS_AS(never.receive(), deadlock_error);
  }
  SECTION("and from another thread it wakes the scheduler") {
    std::string trace;
    std::atomic<bool> waits = false;
    spawn([&] { waits = true; });
    std::thread other([&] {
      while (!waits) std::this_thread::yield();
      source->request_stop();
    });
    watch(trace, [&] { never.receive(); });
    CHECK(trace == "s");
    other.join();
  }
  SECTION("and run() waits for it") {
    std::thread other([&] { source->request_stop(); });
    CHECK_THROWS_AS(run(), stopped);
    other.join();
  }
  CHECK(never.balance() == 0);
}

TEST_CASE("the source may go while all wait, whatever the clock") {
  virtual_clock jumps;
  manual_clock stands;
  scaled_clock crawls(1e-6);
  idle_driver* const driver = GENERATE_REF(static_cast<idle_driver*>(nullptr),
                                           &jumps, &stands, &crawls);
  const auto begin =
      driver ? driver->now() : virtual_clock::clock::time_point();
  const scheduler s({.driver = driver});
  channel<int> never;
  std::optional<std::stop_source> source(std::in_place);
  const stop_guard until(source->get_token());
  std::thread other([&] {
    std::this_thread::sleep_for(10ms);
    source.reset();
  });
  CHECK_THROWS_AS(never.receive(), deadlock_error);
  other.join();
  if (driver == &jumps || driver == &stands) CHECK(driver->now() == begin);
}

TEST_CASE("a guard without a source changes nothing") {
  const scheduler s;
  channel<int> never;
  const stop_guard until{std::stop_token()};
  CHECK_THROWS_AS(never.receive(), deadlock_error);
  yield();
}

TEST_CASE("a scheduler that is busy sees another thread's stop, too") {
  const scheduler s;
  std::stop_source source;
  const stop_guard until(source.get_token());
  bool stop_spinning = false;
  spawn([&] {
    while (!stop_spinning) yield();
  });
  std::thread other([&] { source.request_stop(); });
  bool seen = false;
  while (!seen) {
    try {
      yield();
    } catch (const stopped&) {
      seen = true;
    }
  }
  stop_spinning = true;
  other.join();
}

TEST_CASE("one source stops many, in many threads, at any moment") {
  for (int round = 0; round < 50; ++round) {
    std::stop_source source;
    std::atomic<int> ended = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
      threads.emplace_back([&] {
        const scheduler s;
        channel<int> never;
        for (int j = 0; j < 3; ++j)
          spawn([&, j] {
            try {
              const stop_guard until(source.get_token());
              if (j == 0)
                for (;;) yield();
              never.receive();
            } catch (const stopped&) {
              ++ended;
            }
          });
        // Guards that come and go meanwhile.
        for (int j = 0; j < round; ++j) {
          try {
            const stop_guard brief(source.get_token());
            yield();
          } catch (const stopped&) {
            // Whether it comes in time is chance.
          }
        }
        run();
      });
    source.request_stop();
    for (std::thread& t : threads) t.join();
    CHECK(ended == 6);
  }
}

TEST_CASE("main's guard may outlive its scheduler") {
  std::stop_source source;
  std::optional<scheduler> s(std::in_place);
  const stop_guard until(source.get_token());
  s.reset();
  source.request_stop();
  s.emplace();
  yield();
}

TEST_CASE("a guard does not keep a scheduler from ending") {
  std::stop_source source;
  std::string trace;
  scheduler s;
  channel<int> never;
  const stop_guard until(source.get_token());
  spawn([&] {
    const shield on;
    try {
      never.receive();
    } catch (const deadlock_error&) {
      trace += 'd';
    }
  });
  yield();
  s.shutdown();
  CHECK(trace == "d");
}

TEST_CASE("without a scheduler there is no guard") {
  CHECK_THROWS_AS(stop_guard(std::stop_token()), no_scheduler);
}

}  // namespace
