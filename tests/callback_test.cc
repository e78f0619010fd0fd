// SPDX-License-Identifier: BSL-1.0
// Law 13 for the spawn and the end callback and the error handler.
#include <catch2/catch.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "weft/channel/channel.h"
#include "weft/channel/signal_channel.h"
#include "weft/scheduler/callbacks.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;

// What `failure` is: the int in it, '.' for none.
char text_of(const std::exception_ptr& failure) {
  if (!failure) return '.';
  try {
    std::rethrow_exception(failure);
  } catch (int i) {
    return static_cast<char>('0' + i);
  } catch (...) {
    return '?';
  }
}

// ---- spawn and end

TEST_CASE("spawn and create are told once the tasklet is there") {
  scheduler s;
  std::string trace;
  s.set_spawn_callback([&](tasklet t) {
    CHECK(t.alive());
    CHECK(current().is_main());
    trace += t.name();
    trace += t.scheduled() ? 's' : t.paused() ? 'p' : '?';
  });
  spawn({.name = "a"}, [] {});
  const tasklet b = create({.name = "b"}, [] {});
  const tasklet c = create({.name = "c"});
  CHECK(trace == "asbpcp");
  c.setup([] {});
  b.insert();
  CHECK(trace == "asbpcp");
  CHECK(s.set_spawn_callback(nullptr));
  spawn([] {});
  run();
  CHECK(trace == "asbpcp");
}

TEST_CASE("an end is told before it, with what escapes") {
  scheduler s;
  std::string trace;
  channel<int> c;
  s.set_end_callback([&](tasklet t, const std::exception_ptr& failure) {
    CHECK(t.alive());
    CHECK(t == current());
    trace += t.name();
    trace += text_of(failure);
  });
  spawn({.name = "a"}, [] {});
  spawn({.name = "b"}, [] { throw 1; });
  CHECK_THROWS_AS(run(), int);
  const tasklet t = spawn({.name = "c"}, [&] { c.receive(); });
  run();
  t.kill();
  CHECK(trace == "a.b1c.");
  const tasklet d = spawn({.name = "d"}, [] {});
  d.throw_exception(std::make_exception_ptr(2), pending);
  CHECK_THROWS_AS(d.join(), int);
  CHECK(trace == "a.b1c.d2");
  CHECK(s.set_end_callback(nullptr));
}

TEST_CASE("one that is killed before its start ends on who kills it") {
  scheduler s;
  int told = 0;
  bool dropped = false;
  const bool created = GENERATE(true, false);
  s.set_end_callback([&](tasklet t, const std::exception_ptr& failure) {
    ++told;
    CHECK(t.paused());
    CHECK(t.name() == "stillborn");
    CHECK(current().is_main());
    CHECK_FALSE(failure);
    CHECK_FALSE(dropped);
    yield();
  });
  auto body = [held = std::shared_ptr<void>(nullptr,
                                            [&](void*) { dropped = true; })] {};
  const tasklet t = created ? create({.name = "stillborn"}, std::move(body))
                            : spawn({.name = "stillborn"}, std::move(body));
  t.kill();
  CHECK(told == 1);
  CHECK(dropped);
  CHECK(s.live() == 0);
  s.set_end_callback(nullptr);
}

TEST_CASE("every spawn has its end, also in a shutdown") {
  int spawned = 0;
  int ended = 0;
  {
    scheduler s;
    channel<void> c;
    channel<void> gate(100);
    s.set_spawn_callback([&](tasklet) {
      ++spawned;
      if (spawned % 2 == 0) yield();
    });
    s.set_end_callback([&](tasklet, const std::exception_ptr&) {
      ++ended;
      if (ended % 2 == 0) yield();
      if (ended == 3) spawn([] {});
    });
    s.set_error_handler([](tasklet, const std::exception_ptr&) {});
    for (int i = 0; i < 5; ++i) {
      spawn([&] { c.receive(); });
      spawn([] {});
      spawn([] { throw 1; });
      create([] {});
      spawn([&] {
        const std::shared_ptr<void> last(nullptr,
                                         [](void*) { spawn([] { yield(); }); });
        c.receive();
      });
    }
    run();
    for (int i = 0; i < 5; ++i) spawn([] {});
    s.shutdown();
  }
  CHECK(spawned > 30);  // What is spawned in the shutdown is not told.
  CHECK(ended == spawned);
}

TEST_CASE("what spawn and end callbacks throw goes to run, else to main") {
  scheduler s;
  std::string trace;
  const bool at_end = GENERATE(true, false);
  if (at_end)
    s.set_end_callback([](tasklet, const std::exception_ptr&) { throw 7; });
  else
    s.set_spawn_callback([](tasklet) { throw 7; });
  SECTION("to run") {
    spawn([&] {
      trace += 'a';
      if (!at_end) create([] {});
    });
    if (!at_end) CHECK_THROWS_AS(yield(), int);
    CHECK_THROWS_AS(run(), int);
    CHECK(trace == "a");
  }
  SECTION("to main, where it spawns") {
    const tasklet t = create([&] { trace += 'a'; });
    if (!at_end) CHECK_THROWS_AS(yield(), int);
    t.insert();
    if (at_end)
      CHECK_THROWS_AS(yield(), int);
    else
      yield();
    CHECK(trace == "a");
  }
  SECTION("not to those who join, and what escapes the tasklet is apart") {
    const tasklet t = create([] { throw 1; });
    if (!at_end) CHECK_THROWS_AS(yield(), int);
    std::string got;
    s.set_spawn_callback(nullptr);
    spawn([&] {
      try {
        t.join();
      } catch (int i) {
        got += static_cast<char>('0' + i);
      }
    });
    yield();
    t.insert();
    if (at_end) {
      CHECK_THROWS_AS(run(), int);
    }
    s.set_end_callback(nullptr);
    run();
    CHECK(got == "1");
  }
  s.set_spawn_callback(nullptr);
  s.set_end_callback(nullptr);
  s.shutdown();
}

TEST_CASE("spawn and end callbacks may switch, and replace themselves") {
  scheduler s;
  std::string trace;
  channel<int> c;
  s.set_spawn_callback([&](tasklet t) {
    trace += 's';
    s.set_spawn_callback(nullptr);
    t.join();  // It has run before spawn() returns.
    trace += 'j';
  });
  const tasklet t = spawn([&] { trace += 'a'; });
  CHECK(trace == "saj");
  CHECK_FALSE(t.alive());
  s.set_end_callback([&](tasklet, const std::exception_ptr&) {
    s.set_end_callback(
        [&](tasklet, const std::exception_ptr&) { trace += 'E'; });
    CHECK(c.receive() == 1);
    trace += 'e';
  });
  const tasklet b = spawn([&] { trace += 'b'; });
  run();
  CHECK(b.blocked());
  spawn([&] { trace += 'c'; });
  run();
  CHECK(trace == "sajbcE");
  b.kill();  // Held back: it ends anyway.
  CHECK(b.alive());
  c.send(1);
  CHECK_FALSE(b.alive());
  CHECK(trace == "sajbcEe");
}

TEST_CASE("the spawn callback may kill the tasklet") {
  scheduler s;
  s.set_spawn_callback([](tasklet t) { t.kill(); });
  bool ran = false;
  CHECK_FALSE(spawn([&] { ran = true; }).alive());
  CHECK_FALSE(create([&] { ran = true; }).alive());
  run();
  CHECK_FALSE(ran);
  CHECK(s.live() == 0);
}

// ---- the error handler

TEST_CASE("the error handler takes what would go to run or to main") {
  scheduler s;
  std::string trace;
  s.set_error_handler([&](tasklet t, const std::exception_ptr& failure) {
    CHECK(t == current());
    CHECK(t.alive());
    trace += t.name();
    trace += text_of(failure);
  });
  spawn({.name = "a"}, [] { throw 1; });
  run();
  CHECK(trace == "a1");
  spawn({.name = "b"}, [] { throw 2; });
  yield();
  CHECK(trace == "a1b2");
  const tasklet c = spawn({.name = "c"}, [] { throw 3; });
  CHECK_THROWS_AS(c.join(), int);  // Whoever joins it gets it.
  CHECK(trace == "a1b2");
  const tasklet d = spawn({.name = "d"}, [] { yield(); });
  yield();
  d.kill();
  spawn([] { throw tasklet_exit(); });
  run();
  CHECK(trace == "a1b2");
  const tasklet e = spawn({.name = "e"}, [] {});
  e.throw_exception(std::make_exception_ptr(5));
  CHECK(trace == "a1b2e5");
  CHECK(s.set_error_handler(nullptr));
  spawn([] { throw 6; });
  CHECK_THROWS_AS(run(), int);
}

TEST_CASE("what the error handler throws goes on in place of the failure") {
  scheduler s;
  const bool another = GENERATE(true, false);
  s.set_error_handler([=](tasklet, const std::exception_ptr& failure) {
    if (another) throw std::runtime_error("another");
    std::rethrow_exception(failure);
  });
  spawn([] { throw 1; });
  if (another)
    CHECK_THROWS_WITH(run(), "another");
  else
    CHECK_THROWS_AS(run(), int);
  spawn([] { throw 1; });
  if (another)
    CHECK_THROWS_WITH(yield(), "another");
  else
    CHECK_THROWS_AS(yield(), int);
}

TEST_CASE("the error handler may block, kill, spawn and replace itself") {
  scheduler s;
  std::string trace;
  channel<int> c;
  const auto held = std::make_shared<char>('h');
  s.set_error_handler([&, held](tasklet t, const std::exception_ptr&) {
    s.set_error_handler(nullptr);
    t.kill();  // Held back.
    spawn([&] { trace += 's'; });
    CHECK(c.receive() == 1);
    trace += *held;
  });
  const tasklet a = spawn([] { throw 1; });
  run();
  CHECK(a.blocked());
  CHECK(trace == "s");
  c.send(1);
  CHECK(trace == "sh");
  CHECK_FALSE(a.alive());
  CHECK(held.use_count() == 1);
  spawn([] { throw 1; });
  CHECK_THROWS_AS(run(), int);
}

TEST_CASE("in a shutdown the error handler is asked once, then stderr") {
  const bool passes_on = GENERATE(true, false);
  const auto e = weft_test::in_child([=] {
    int asked = 0;
    {
      channel<void> c;
      scheduler s;
      s.set_error_handler([&](tasklet, const std::exception_ptr& failure) {
        ++asked;
        yield();
        if (passes_on) std::rethrow_exception(failure);
      });
      spawn([&] {
        const shield on;
        try {
          c.receive();
        } catch (const deadlock_error&) {
          throw std::runtime_error("last words");
        }
      });
      run();
    }
    if (asked != 1) std::abort();
  });
  CHECK(e.returned);
  CHECK((e.said.find("last words") != std::string::npos) == passes_on);
}

TEST_CASE("of two failures for main, neither is lost") {
  scheduler s;
  std::string trace;
  // The second comes between the end of main's run and its turn.
  s.set_schedule_callback([&](tasklet from, tasklet) {
    if (!from.is_main()) throw 2;
  });
  spawn([] { yield(); });
  spawn([] { yield(); });
  for (int i = 0; i < 20; ++i) try {
      run();
      trace += '.';
    } catch (int n) {
      trace += static_cast<char>('0' + n);
    }
  CHECK(trace.find('.') != std::string::npos);
  CHECK(trace.substr(0, 4) == "2222");
  CHECK(s.live() == 0);
}

}  // namespace
