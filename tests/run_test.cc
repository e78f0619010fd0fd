// SPDX-License-Identifier: BSL-1.0
// Law 15: runs with a budget.
#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "weft/channel/channel.h"
#include "weft/scheduler/manual_driver.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/yield.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

TEST_CASE("run_n makes that many switches, and the next stays in front") {
  scheduler s;
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&trace, name] {
      for (;;) {
        trace += name;
        yield();
      }
    });
  CHECK(s.run_n(0).switches == 0);
  CHECK(trace.empty());
  run_result r = s.run_n(4);
  CHECK(trace == "abca");
  CHECK(r.why == run_result::budget);
  CHECK(r.switches == 4);
  CHECK(r.runnable == 3);
  r = s.run_one();
  CHECK(trace == "abcab");
  CHECK(r.switches == 1);
}

TEST_CASE("run_n counts direct hand-overs, and the partner goes to the front") {
  scheduler s;
  channel<int> c;
  std::string trace;
  spawn([&] {
    for (;;) {
      trace += 'r';
      trace += static_cast<char>('0' + *c.receive());
    }
  });
  spawn([&] {
    for (int i = 0;; ++i) {
      trace += 's';
      c.send(i);
    }
  });
  spawn([&] {
    for (;;) {
      trace += 'x';
      yield();
    }
  });
  s.run_n(2);
  CHECK(trace == "rs");
  s.run_n(1);
  CHECK(trace == "rs0r");
  CHECK(s.run_n(2).switches == 2);
  CHECK(trace == "rs0rxs");
}

TEST_CASE("run_n comes back early with nothing left to run") {
  scheduler s;
  channel<int> c;
  spawn([&] { c.receive(); });
  const run_result r = s.run_n(10);
  CHECK(r.why == run_result::drained);
  CHECK(r.switches == 1);
  CHECK(r.blocked == 1);
  c.close();
  run();
}

TEST_CASE(
    "run_for comes back when the time is spent, after one switch at least") {
  manual_driver clock;
  scheduler s({.driver = &clock});
  int turns = 0;
  spawn([&] {
    for (;;) {
      ++turns;
      clock.advance(1ms);
      yield();
    }
  });
  run_result r = s.run_for(0ms);
  CHECK(turns == 1);
  CHECK(r.why == run_result::budget);
  r = s.run_for(10ms);
  CHECK(turns == 11);
  CHECK(r.switches == 10);
  CHECK(r.runnable == 1);
}

TEST_CASE("a lone tasklet that yields spends the budget") {
  scheduler s;
  int turns = 0;
  spawn([&] {
    for (;;) {
      ++turns;
      yield();
    }
  });
  s.run_n(5);
  CHECK(turns == 5);
  spawn([] { sleep_for(1h); });
  s.run_n(5);
  CHECK(turns >= 9);
  CHECK(s.run_for(1ms).why == run_result::budget);
}

TEST_CASE("a run with a budget never sleeps: it tells the next deadline") {
  manual_driver clock;
  scheduler s({.driver = &clock});
  spawn([] { sleep_for(3s); });
  spawn([] { sleep_for(2s); });
  const run_result r = s.run_for(1h);
  CHECK(r.why == run_result::idle);
  CHECK(r.blocked == 2);
  CHECK(r.next_deadline == clock.now() + 2s);
  CHECK(clock.now().time_since_epoch() == 0s);
  CHECK(s.run_one().why == run_result::idle);
  clock.advance(2s);
  CHECK(s.run_one().switches == 1);
  CHECK(run().why == run_result::drained);
  CHECK(clock.now().time_since_epoch() == 3s);
}

TEST_CASE("a budget holds for runs inside it") {
  scheduler s;
  int turns = 0;
  std::string trace;
  spawn([&] {
    spawn([&] {
      for (int i = 0; i < 20; ++i) {
        ++turns;
        yield();
      }
    });
    run();
    trace += 'i';
  });
  CHECK(s.run_n(6).why == run_result::budget);
  CHECK(turns == 5);
  CHECK(trace.empty());
  CHECK(s.run_n(5).switches == 5);
  CHECK(turns == 10);
  run();
  CHECK(turns == 20);
  CHECK(trace == "i");
}

TEST_CASE("a budget inside another keeps to its own") {
  scheduler s;
  bool over = false;
  run_result inner;
  spawn([&] {
    spawn([] {
      for (;;) yield();
    });
    inner = s.run_n(3);
    over = true;
  });
  const run_result outer = s.run_n(4);
  CHECK(outer.why == run_result::budget);
  CHECK(outer.switches == 4);
  CHECK(!over);
  s.run_n(1);
  CHECK(over);
  CHECK(inner.switches == 3);
}

TEST_CASE("an exception ends a run with a budget, and the next goes on") {
  scheduler s;
  std::string trace;
  spawn([] { throw 1; });
  spawn([&] { trace += 'a'; });
  CHECK_THROWS_AS(s.run_n(10), int);
  CHECK(trace.empty());
  CHECK(s.run_n(10).switches == 1);
  CHECK(trace == "a");
}

TEST_CASE(
    "a budget may be spent while its caller is in the schedule callback") {
  manual_driver clock;
  scheduler s({.driver = &clock});
  std::string trace;
  for (char name : {'a', 'b'})
    spawn([&, name] {
      for (int turn = 0; turn != 3; ++turn) {
        trace += name;
        clock.advance(1s);
        yield();
      }
    });
  bool in_callback = false;
  s.set_schedule_callback([&](tasklet from, tasklet) {
    if (!from.is_main()) return;
    in_callback = true;
    yield();
    in_callback = false;
  });
  CHECK(s.run_n(1).why == run_result::budget);
  CHECK(trace == "ab");  // The callback has yielded to both.
  CHECK(s.run_for(1s).why == run_result::budget);
  CHECK(!in_callback);
  s.set_schedule_callback(nullptr);
  CHECK(s.run().why == run_result::drained);
  CHECK(trace == "ababab");
}

TEST_CASE("a run that a switch trap forbids ends no other") {
  const scheduler s;
  std::optional<run_result::reason> why;
  const tasklet t = spawn([&] { why = run().why; });
  spawn([] { yield(); });
  yield();
  {
    const switch_trap none;
    CHECK_THROWS_AS(run(), switch_trap_error);
  }
  CHECK(t.paused());
  run();
  CHECK(why == run_result::drained);
}

TEST_CASE("a run in the schedule callback counts who is blocked as ever") {
  scheduler s;
  channel<int> c;
  spawn([&] { c.receive(); });
  std::string trace;
  s.set_schedule_callback([&](tasklet from, tasklet) {
    if (from.name() == "last") trace += '.';
    trace += std::to_string(s.run_n(0).blocked);
  });
  yield();
  spawn({.name = "last"}, [] {});
  yield();
  s.set_schedule_callback(nullptr);
  CHECK(trace == "001.1");
}

TEST_CASE("a block trap holds in the schedule callback") {
  scheduler s;
  channel<int> c;
  spawn([] {});
  bool trapped = false;
  s.set_schedule_callback([&](tasklet from, tasklet) {
    if (!from.is_main()) return;
    try {
      c.receive();
    } catch (const block_trap_error&) {
      trapped = true;
    }
  });
  const block_trap on;
  yield();
  CHECK(trapped);
}

TEST_CASE("an account is right though a time slice is set meanwhile") {
  manual_driver clock;
  scheduler s({.driver = &clock});
  s.set_accounting(true);
  const tasklet t = spawn([&] {
    clock.advance(5s);
    s.set_time_slice(1h);
    clock.advance(5s);
    yield();
  });
  yield();
  CHECK(t.account().run == 10s);
}

TEST_CASE("an account is right though the schedule callback switches") {
  manual_driver clock;
  scheduler s({.driver = &clock});
  channel<int> c;
  s.set_accounting(true);
  s.set_schedule_callback([](tasklet from, tasklet) {
    if (!from.is_main()) yield();
  });
  const tasklet t = spawn([&] {
    c.receive();
    s.set_schedule_callback(nullptr);
    yield();
  });
  yield();
  yield();
  clock.advance(5s);
  c.send(1);
  CHECK(t.account().blocked == 5s);
}

}  // namespace
