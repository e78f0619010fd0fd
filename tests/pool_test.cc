// SPDX-License-Identifier: BSL-1.0
// Law 21, its pools.
#include "weft/structure/pool.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/scope.h"
#include "weft/tasklet/error.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

struct fixture {
  virtual_clock clock;
  scheduler s{{.driver = &clock}};
  std::string trace;
  channel<int> gate;

  auto worker(char name) {
    return [this, name] {
      trace += name;
      gate.receive();
    };
  }
};

TEST_CASE_METHOD(fixture, "spawn() parks while as many run as there may") {
  pool p(2);
  int most = 0;
  int now = 0;
  for (int i = 0; i < 10; ++i)
    p.spawn([&, i] {
      most = std::max(most, ++now);
      sleep_for(1s * (i % 3));
      --now;
    });
  p.join();
  CHECK(most == 2);
  CHECK(p.free() == 2);
}

TEST_CASE_METHOD(fixture, "who waits for a place gets it in order") {
  pool p(1);
  p.spawn(worker('a'));
  for (char name : {'b', 'c', 'd'}) spawn([&, name] { p.spawn(worker(name)); });
  yield();
  CHECK(p.running() == 1);
  CHECK(p.free() == 0);
  CHECK(p.waiting() == 3);
  CHECK(trace == "a");
  for (int i = 0; i < 4; ++i) gate.send(0);
  run();
  CHECK(trace == "abcd");
  CHECK(p.waiting() == 0);
}

TEST_CASE_METHOD(fixture, "nobody comes before one who waits") {
  pool p(1);
  p.spawn(worker('a'));
  spawn([&] { p.spawn(worker('b')); });
  yield();
  gate.send(0);
  yield();
  // The place has been handed over, though its owner may not have gone on yet.
  CHECK(!p.try_spawn(worker('c')));
  run();
  CHECK(trace == "ab");
  gate.send(0);
  yield();
  CHECK(p.try_spawn(worker('c')));
  yield();
  CHECK(trace == "abc");
  p.cancel();
}

TEST_CASE_METHOD(fixture, "one that stops waiting leaves its place to others") {
  pool p(1);
  p.spawn(worker('a'));
  const tasklet b = spawn([&] { p.spawn(worker('b')); });
  spawn([&] { p.spawn(worker('c')); });
  const tasklet d =
      spawn([&] { CHECK(!with_timeout(1s, [&] { p.spawn(worker('d')); })); });
  yield();
  const bool served = GENERATE(false, true);
  if (served) {
    gate.set_preference(preference::neither);
    gate.send(0);
    yield();  // The worker ends, and b has its place.
    CHECK(b.scheduled());
  }
  b.kill();
  CHECK(p.waiting() == (served ? 1 : 2));
  if (!served) gate.send(0);
  yield();
  yield();
  CHECK(trace == "ac");
  d.join();
  CHECK(p.waiting() == 0);
  CHECK(p.running() == 1);
  p.cancel();
}

TEST_CASE_METHOD(fixture, "a worker that finds the pool full does it itself") {
  pool p(2);
  std::size_t most = 0;
  int done = 0;
  const std::function<void(int)> crawl = [&](int depth) {
    most = std::max(most, p.running());
    yield();
    if (depth > 0)
      for (int i = 0; i < 3; ++i) p.spawn([&, depth] { crawl(depth - 1); });
    ++done;
  };
  p.spawn([&] { crawl(3); });
  p.join();
  CHECK(done == 1 + 3 + 9 + 27);
  CHECK(most == 2);
}

TEST_CASE_METHOD(fixture, "what escapes it then is a failure as any") {
  pool p(1);
  p.spawn([&] {
    const tasklet me = current();
    CHECK(p.spawn([] { throw 7; }) == me);
    trace += 'a';
  });
  p.wait();
  CHECK(trace == "a");
  REQUIRE(p.failures().size() == 1);
  CHECK_THROWS_AS(p.join(), int);
}

TEST_CASE_METHOD(fixture, "but what interrupts the worker is the worker's") {
  pool p(1);
  p.spawn([&] {
    const timeout limit(1s);
    try {
      p.spawn([&] { gate.receive(); });
    } catch (const timed_out& e) {
      if (e.by(limit)) trace += 't';
    }
    p.spawn([&] {
      static_cast<void>(with_timeout(1s, [&] { gate.receive(); }));
      trace += 'w';
      throw 7;
    });
  });
  p.spawn([&] {
    try {
      scope children;
      children.spawn([] { throw 'c'; });
      p.spawn([&] { gate.receive(); });
    } catch (char c) {
      trace += c;
    }
  });
  p.wait();
  CHECK(trace == "twc");
  REQUIRE(p.failures().size() == 1);
  CHECK_THROWS_AS(p.join(), int);
}

TEST_CASE_METHOD(fixture, "resize() lets more in, and kills nobody") {
  pool p(2);
  p.spawn(worker('a'));
  p.spawn(worker('b'));
  for (char name : {'c', 'd'}) spawn([&, name] { p.spawn(worker(name)); });
  yield();
  p.resize(1);
  CHECK(p.limit() == 1);
  CHECK(p.running() == 2);
  CHECK(p.free() == 0);
  gate.send(0);
  yield();
  yield();
  CHECK(trace == "ab");
  p.resize(3);
  yield();
  yield();
  CHECK(trace == "abcd");
  CHECK(p.running() == 3);
  p.cancel();
  p.wait();
  CHECK(p.running() == 0);
}

TEST_CASE_METHOD(fixture,
                 "one without places lets nobody in till it has some") {
  pool p(0);
  CHECK(!p.try_spawn([] {}));
  CHECK_THROWS_AS(p.spawn([] {}), deadlock_error);
  spawn([&] { p.spawn([&] { trace += 'a'; }); });
  yield();
  p.resize(1);
  run();
  CHECK(trace == "a");
}

TEST_CASE_METHOD(fixture, "another thread may not use one") {
  pool p(1);
  const bool full = GENERATE(true, false);
  if (full) p.spawn(worker('a'));
  std::thread([&] {
    const scheduler other;
    CHECK_THROWS_AS(p.spawn([] {}), wrong_scheduler);
    CHECK_THROWS_AS(p.try_spawn([] {}), wrong_scheduler);
    CHECK_THROWS_AS(p.resize(2), wrong_scheduler);
    CHECK_THROWS_AS(p.join(), wrong_scheduler);
  }).join();
  CHECK(p.limit() == 1);
  CHECK(p.running() == (full ? 1 : 0));
}

}  // namespace
