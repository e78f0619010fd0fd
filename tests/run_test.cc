// SPDX-License-Identifier: BSL-1.0
// Law 15: runs with a budget.
#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/virtual_clock.h"
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
  virtual_clock clock;
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
  virtual_clock clock;
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

// ---- run_until

TEST_CASE("run_until waits for its time while somebody may wake") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const auto start = clock.now();
  spawn([] { sleep_for(5s); });
  run_result r = s.run_until(start + 2s);
  CHECK(r.why == run_result::budget);
  CHECK(clock.now() == start + 2s);
  CHECK(r.blocked == 1);
  CHECK(r.next_deadline == start + 5s);
  // A deadline that has passed makes it look, and not wait.
  r = s.run_until(start);
  CHECK(r.why == run_result::budget);
  CHECK(clock.now() == start + 2s);
  // The last sleeper goes on, and nothing can wake anyone any more.
  r = s.run_until(start + 10s);
  CHECK(r.why == run_result::drained);
  CHECK(clock.now() == start + 5s);
  CHECK(r.completed == 1);
}

TEST_CASE("run_until comes back at once where nothing can wake anyone") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const auto start = clock.now();
  channel<int> c;
  CHECK(s.run_until(start + 1h).why == run_result::drained);
  spawn([&] { c.receive(); });
  create([] {});
  const run_result r = s.run_until(start + 1h);
  CHECK(r.why == run_result::drained);
  CHECK(r.blocked == 1);
  CHECK(r.paused == 1);
  CHECK(clock.now() == start);
  c.close();
}

TEST_CASE("a sleeper due as the time of run_until ends goes on in the next") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const auto start = clock.now();
  bool woke = false;
  spawn([&] {
    sleep_for(2s);
    woke = true;
  });
  CHECK(s.run_until(start + 2s).runnable == 1);
  CHECK(clock.now() == start + 2s);
  CHECK(!woke);
  s.run_until(start + 2s);
  CHECK(woke);
}

TEST_CASE("run_until interrupts those that never stop, the next in front") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  std::string trace;
  for (char name : {'a', 'b'})
    spawn([&, name] {
      for (;;) {
        trace += name;
        clock.advance(1ms);
        yield();
      }
    });
  CHECK(s.run_until(clock.now() + 3ms).why == run_result::budget);
  CHECK(trace == "aba");
  CHECK(s.run_until(clock.now()).switches == 1);
  CHECK(trace == "abab");
}

TEST_CASE("of runs inside each other, the one whose time comes first returns") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const auto start = clock.now();
  std::string trace;
  spawn([] { sleep_for(1h); });
  const auto inner = [&](auto by) {
    spawn([&, by] {
      s.run_until(start + by);
      trace += 'i';
    });
  };
  inner(2s);
  s.run_until(start + 1s);
  CHECK(trace.empty());
  CHECK(clock.now() == start + 1s);
  s.run_until(start + 3s);
  CHECK(trace == "i");
  CHECK(clock.now() == start + 3s);
  inner(6s);
  inner(5s);
  // One that never sleeps comes back rather than let those inside it wait.
  CHECK(s.run_n(10).why == run_result::idle);
  CHECK(clock.now() == start + 3s);
  s.run_until(start + 7s);
  CHECK(trace == "iii");
  CHECK(clock.now() == start + 7s);
}

TEST_CASE("run_until waits for what the driver expects") {
  struct outside : virtual_clock {
    void wait(std::optional<clock::time_point> deadline) noexcept override {
      ++waits;
      if (expecting) return advance(1s);
      virtual_clock::wait(deadline);
    }
    [[nodiscard]] bool expects() const noexcept override { return expecting; }
    bool expecting = true;
    int waits = 0;
  } driver;
  scheduler s({.driver = &driver});
  const auto start = driver.now();
  channel<int> c;
  spawn([&] { c.receive(); });
  CHECK(s.run_until(start + 3s).why == run_result::budget);
  CHECK(driver.now() == start + 3s);
  CHECK(driver.waits == 3);
  CHECK(s.run_for(1h).why == run_result::idle);
  driver.expecting = false;
  CHECK(s.run_until(start + 9s).why == run_result::drained);
  CHECK(driver.now() == start + 3s);
  c.close();
}

// ---- checkpoint

TEST_CASE("checkpoint yields when the time slice is spent") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const auto slice = GENERATE(0ms, 1ms, 2ms, 3ms);
  s.set_time_slice(slice);
  std::string trace;
  for (char name : {'a', 'b'})
    spawn([&, name] {
      for (int i = 0; i < 4; ++i) {
        trace += name;
        clock.advance(1ms);
        checkpoint();
      }
    });
  run();
  const char* const expected[]{"aaaabbbb", "abababab", "aabbaabb", "aaabbbab"};
  CHECK(trace == expected[slice.count()]);
}

TEST_CASE("each turn begins a slice of its own, also that of a lone tasklet") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  s.set_time_slice(3ms);
  std::string trace;
  spawn([&] {
    clock.advance(5ms);
    checkpoint();  // alone: goes on
    spawn([&] { trace += 'x'; });
    clock.advance(2ms);
    checkpoint();
    trace += 'a';
    clock.advance(1ms);
    checkpoint();
    trace += 'b';
    spawn([&] { trace += 'y'; });
    clock.advance(2ms);
    yield();
    spawn([&] { trace += 'z'; });
    clock.advance(2ms);
    checkpoint();
    trace += 'c';
    s.set_time_slice(0ms);
    clock.advance(1h);
    checkpoint();
    trace += 'd';
  });
  run();
  CHECK(trace == "axbycdz");
}

TEST_CASE("checkpoint ends the run whose time is over, of a lone tasklet too") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const bool until = GENERATE(false, true);
  const bool nested = GENERATE(false, true);
  int turns = 0;
  const auto loop = [&] {
    for (;;) {
      ++turns;
      clock.advance(1ms);
      checkpoint();
    }
  };
  spawn([&, nested] {
    if (!nested) return loop();
    spawn(loop);
    run();
  });
  const auto go_on = [&] {
    return until ? s.run_until(clock.now() + 10ms) : s.run_for(10ms);
  };
  CHECK(go_on().why == run_result::budget);
  CHECK(turns == 10);
  CHECK(go_on().why == run_result::budget);
  CHECK(turns == 20);
  // A budget of switches is no matter of time.
  s.set_time_slice(2ms);
  s.run_n(3);
  CHECK(turns == 26);
}

TEST_CASE("without a slice or a time checkpoint does nothing") {
  scheduler s;
  std::string trace;
  spawn([&] {
    for (int i = 0; i < 3; ++i) {
      checkpoint();
      trace += 'a';
    }
  });
  spawn([&] { trace += 'b'; });
  s.run_n(1);
  CHECK(trace == "aaa");
  run();
  checkpoint();
}

TEST_CASE("checkpoint raises what is due") {
  scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      yield();
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
    try {
      checkpoint();
      trace += '!';
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
  });
  yield();
  t.kill();
  CHECK(trace == "kk");
}

TEST_CASE("checkpoint under a switch trap throws as yield does") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  s.set_time_slice(1ms);
  const tasklet t = spawn([] {});
  {
    const switch_trap none;
    checkpoint();
    clock.advance(1ms);
    CHECK_THROWS_AS(checkpoint(), switch_trap_error);
    const atomic_section whole;
    checkpoint();
  }
  CHECK(t.alive());
}

// ---- what a run tells

TEST_CASE("a run tells how many have ended, however they did") {
  scheduler s;
  channel<int> c;
  spawn([] {});
  spawn([] { yield(); });
  spawn([&] { c.receive(); });
  spawn([] { current().kill(); });
  const tasklet unstarted = spawn([] {});
  spawn([unstarted] { unstarted.kill(); });
  spawn([] { suspend(); });
  create([] {});
  run_result r = run();
  // The one that killed came too late: the other had run.
  CHECK(r.completed == 5);
  CHECK(r.blocked == 1);
  CHECK(r.paused == 2);
  CHECK(r.runnable == 0);
  CHECK(r.switches == 0);  // nobody counts
  CHECK(run().completed == 0);
  c.close();
  CHECK(run().completed == 1);
}

TEST_CASE("a run inside another tells of its own time") {
  scheduler s;
  run_result inner;
  spawn([] {});
  spawn([&] {
    spawn([] {});
    spawn([] {});
    inner = run();
  });
  const run_result outer = run();
  CHECK(inner.completed == 2);
  CHECK(inner.paused == 1);  // main
  CHECK(outer.completed == 4);
  CHECK(outer.paused == 0);
}

TEST_CASE("switches are counted with a budget, or while accounting is on") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const auto work = [] {
    spawn([] { yield(); });
    spawn([] { yield(); });
  };
  work();
  CHECK(run().switches == 0);
  work();
  CHECK(s.run_n(100).switches == 4);
  work();
  CHECK(s.run_until(clock.now() + 1h).switches == 4);
  s.set_accounting(true);
  work();
  CHECK(run().switches == 4);
  spawn([&] {
    work();
    const run_result inner = run();
    CHECK(inner.switches == 4);
  });
  // Those of the inner run, the one to its caller, and its return.
  CHECK(run().switches == 6);
  s.set_accounting(false);
  work();
  CHECK(run().switches == 0);
}

TEST_CASE("run_count counts the current tasklet and the queue") {
  scheduler s;
  channel<int> c;
  CHECK(s.run_count() == 1);
  spawn([&] { c.receive(); });
  create([] {});
  spawn([&] {
    CHECK(s.run_count() == 2);
    CHECK(s.runnable() == 1);
  });
  CHECK(s.run_count() == 3);
  // Main is inside run(): it does not count.
  yield();
  CHECK(s.run_count() == 1);
  spawn([&] { CHECK(s.run_count() == 1); });
  run();
  c.close();
}

// ---- a game

TEST_CASE("one call a frame runs what is due and never waits") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  std::string trace;
  for (const auto& [name, every] :
       {std::pair{'a', 10ms}, std::pair{'b', 20ms}, std::pair{'c', 30ms}})
    spawn([&trace, letter = name, time = every] {
      for (;;) {
        trace += letter;
        sleep_for(time);
      }
    });
  for (int frame = 0; frame < 7; ++frame) {
    const auto began = clock.now();
    const run_result r = s.run_for(5ms);
    CHECK(r.why == run_result::idle);
    CHECK(r.next_deadline == began + 10ms);
    CHECK(clock.now() == began);
    trace += '.';
    clock.advance(10ms);
  }
  CHECK(trace == "abc.a.ba.ca.ba.a.cba.");
}

TEST_CASE("what does not fit into a frame goes first in the next") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&, name] {
      for (;;) {
        trace += name;
        clock.advance(2ms);
        yield();
      }
    });
  for (int frame = 0; frame < 4; ++frame) {
    CHECK(s.run_for(4ms).why == run_result::budget);
    trace += '.';
    clock.advance(10ms);
  }
  CHECK(trace == "ab.ca.bc.ab.");
}

TEST_CASE("run_until paces the frames by itself") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  int ticks = 0;
  spawn([&] {
    for (;;) {
      ++ticks;
      sleep_for(5ms);
    }
  });
  const auto start = clock.now();
  for (int frame = 1; frame <= 6; ++frame) {
    CHECK(s.run_until(start + frame * 12ms).why == run_result::budget);
    CHECK(clock.now() == start + frame * 12ms);
    // One that is due as the frame ends comes in the next.
    CHECK(ticks == 1 + (frame * 12 - 1) / 5);
  }
}

// ---- in callbacks and traps

TEST_CASE(
    "a budget may be spent while its caller is in the schedule callback") {
  virtual_clock clock;
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
  virtual_clock clock;
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
  virtual_clock clock;
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
