// SPDX-License-Identifier: BSL-1.0
// Law 22: events, latches, wait groups, barriers: tasklets that wait until
// something has come to pass.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "weft/tests/support/both_threads.h"
#include "weft/weft.h"

namespace {

using namespace weft;
using std::chrono::seconds;
using weft_test::refusal_of;
using weft_test::refused;
using weft_test::this_thread_text;

// What one waits for without saying what, and what has it come to pass.
template <typename P>
struct subject;
template <>
struct subject<event> {
  event of;
  void happen() { of.set(); }
};
template <>
struct subject<latch> {
  latch of{2};
  void happen() { of.count_down(2); }
};
template <>
struct subject<wait_group> {
  subject() { of.add(2); }
  wait_group of;
  void happen() {
    of.done();
    of.done();
  }
};

TEMPLATE_TEST_CASE("all who wait go on in order once it has come to pass", "",
                   event, latch, wait_group) {
  const scheduler s;
  subject<TestType> it;
  std::string trace;
  for (const char name : {'a', 'b', 'c'})
    spawn([&, name] {
      it.of.wait();
      trace += name;
    });
  run();
  CHECK(trace.empty());
  CHECK(it.of.waiters() == 3);
  CHECK_FALSE(it.of.try_wait());
  spawn([&] {
    it.happen();
    trace += 'h';  // it goes on
  });
  run();
  CHECK(trace == "habc");
  it.of.wait();  // returns at once
  CHECK(it.of.try_wait());
}

TEMPLATE_TEST_CASE("a timed wait says whether it came to pass in time", "",
                   event, latch, wait_group) {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  subject<TestType> it;
  CHECK_FALSE(it.of.wait_for(seconds(2)));
  CHECK(clock.now().time_since_epoch() == seconds(2));
  CHECK_FALSE(it.of.wait_until(clock.now()));
  CHECK(it.of.waiters() == 0);
  spawn([&] {
    sleep_for(seconds(1));
    it.happen();
  });
  CHECK(it.of.wait_for(seconds(2)));
  CHECK(clock.now().time_since_epoch() == seconds(3));
}

TEMPLATE_TEST_CASE("those who wait go on with an error when it is destroyed",
                   "", event, latch, wait_group) {
  const scheduler s;
  std::string trace;
  {
    subject<TestType> it;
    for (const bool selects : {false, true})
      spawn([&, selects] {
        channel<int> c;
        try {
          selects
              ? static_cast<void>(select(it.of.wait_case(), c.receive_case()))
              : it.of.wait();
        } catch (const error&) {
          trace += 'e';
        }
      });
    run();
  }
  run();
  CHECK(trace == "ee");
}

TEMPLATE_TEST_CASE("it may end while those it has released have not gone on",
                   "", event, auto_reset_event) {
  const scheduler s;
  std::string trace;
  tasklet killed;
  {
    TestType e;
    killed = spawn([&] {
      e.wait();
      trace += 'a';
    });
    spawn([&] {
      e.wait();
      trace += 'b';
    });
    yield();
    e.set();
    e.set();
    killed.kill(pending);
  }
  run();
  CHECK(trace == "b");
}

TEST_CASE("an event stays set until it is cleared") {
  const scheduler s;
  event e;
  std::string trace;
  const auto waiter = [&] {
    e.wait();
    trace += 'w';
  };
  spawn(waiter);
  yield();
  e.set();
  e.clear();  // the one released goes on all the same
  CHECK_FALSE(e.is_set());
  spawn(waiter);
  run();
  CHECK(trace == "w");
  e.set();
  e.set();
  run();
  CHECK(trace == "ww");
  CHECK(event(true).is_set());
}

TEST_CASE("an auto-reset event lets one go on for each set") {
  const scheduler s;
  auto_reset_event e;
  std::string trace;
  for (const char name : {'a', 'b'})
    spawn([&, name] {
      e.wait();
      trace += name;
    });
  run();
  e.set();
  run();
  CHECK(trace == "a");
  e.set();
  run();
  CHECK(trace == "ab");
  e.set();
  e.set();  // lost
  CHECK(e.try_wait());
  CHECK_FALSE(e.try_wait());
}

TEST_CASE("one killed before it goes on leaves its turn to the next") {
  const scheduler s;
  const bool selects = GENERATE(false, true);
  const bool now = GENERATE(false, true);
  auto_reset_event e;
  std::string trace;
  const auto waiter = [&](char name) {
    channel<int> c;
    selects ? static_cast<void>(select(c.receive_case(), e.wait_case()))
            : e.wait();
    trace += name;
  };
  const tasklet a = spawn(waiter, 'a');
  spawn(waiter, 'b');
  yield();
  e.set();
  now ? a.kill() : a.kill(pending);
  run();
  CHECK(trace == "b");
  CHECK_FALSE(e.is_set());
}

TEST_CASE("a latch never falls below zero, nor a wait group") {
  const scheduler s;
  latch l(2);
  CHECK_THROWS_AS(l.count_down(3), error);
  CHECK(l.count() == 2);
  spawn([&] { l.arrive_and_wait(); });
  l.arrive_and_wait();
  CHECK(l.count() == 0);
  CHECK_THROWS_AS(l.count_down(), error);
  wait_group g;
  g.wait();
  CHECK_THROWS_AS(g.done(), error);
  g.add(2);
  CHECK_THROWS_AS(g.add(-3), error);
  CHECK(g.count() == 2);
  g.add(-2);
}

TEST_CASE("a wait group may be used again, and grow while it is waited for") {
  const scheduler s;
  wait_group g;
  std::string trace;
  for (int round = 0; round != 2; ++round) {
    g.add();
    spawn([&] {
      g.add();
      spawn([&] {
        trace += 'b';
        g.done();
      });
      trace += 'a';
      g.done();
    });
    g.wait();
    trace += 'w';
  }
  CHECK(trace == "abwabw");
}

TEST_CASE("a barrier's last party completes the phase, then all go on") {
  const scheduler s;
  std::string trace;
  barrier b(3, [&] { trace += '|'; });
  for (const char name : {'a', 'b', 'c'})
    spawn([&, name] {
      for (int phase = 0; phase != 2; ++phase) {
        trace += name;
        b.arrive_and_wait();
      }
    });
  run();
  // Whoever comes last goes on at once.
  CHECK(trace == "abc|cab|");
}

TEST_CASE("who has dropped out of a barrier is expected no more") {
  const scheduler s;
  barrier b(2);
  std::string trace;
  spawn([&] {
    b.arrive_and_wait();
    trace += '1';
    b.arrive_and_wait();
    trace += '2';
  });
  spawn([&] { b.arrive_and_drop(); });
  run();
  CHECK(trace == "12");
  CHECK(b.missing() == 1);
}

TEST_CASE("a token waits for the phase it is of, which may be over") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  barrier b(2);
  auto first = b.arrive();
  CHECK_FALSE(b.wait_for(first, seconds(1)));
  CHECK(select(in_order, b.wait_case(first), default_case()) == 1);
  auto second = b.arrive();
  b.wait(second);
  b.wait(first);
  CHECK(b.wait_until(first, clock.now()));
  CHECK(select(in_order, b.wait_case(first), default_case()) == 0);
  CHECK_THROWS_AS(b.arrive(3), error);
  CHECK_THROWS_AS(b.arrive(0), error);
}

TEST_CASE("whose phase is over does not wait behind those of the next") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  barrier b(2);
  const auto first = b.arrive();
  spawn([&] {
    b.arrive_and_wait();
    b.arrive_and_wait();
  });
  yield();
  CHECK(b.waiters() == 1);
  CHECK(b.wait_for(first, seconds(0)));
  CHECK(select(in_order, b.wait_case(first), default_case()) == 0);
  b.wait(first);
  CHECK(b.waiters() == 1);
  b.arrive_and_wait();
}

TEST_CASE("a phase ends even if its completion throws, at the last party") {
  const scheduler s;
  std::string trace;
  barrier b(2, [] { throw 1; });
  spawn([&] {
    b.arrive_and_wait();
    trace += 'a';
  });
  yield();
  CHECK_THROWS_AS(b.arrive(), int);
  CHECK(b.missing() == 2);
  run();
  CHECK(trace == "a");
}

TEST_CASE("a select waits for a tasklet's end, and gets what escapes it") {
  const scheduler s;
  std::string trace;
  event never;
  const tasklet good = spawn([] { yield(); });
  CHECK(select(never.wait_case(), good.join_case([&] { trace += 'g'; })) == 1);
  CHECK(select(never.wait_case(), good.join_case([&] { trace += 'd'; })) == 1);
  CHECK(trace == "gd");
  const tasklet bad = spawn([] { throw 1; });
  CHECK_THROWS_AS(select(never.wait_case(), bad.join_case()), int);
  CHECK(never.waiters() == 0);
  CHECK_THROWS_AS(select(current().join_case()), error);
}

TEST_CASE("a thing belongs to the scheduler of its first operation") {
  event e;
  CHECK_THROWS_AS(e.wait(), no_scheduler);
  CHECK_THROWS_AS(e.set(), no_scheduler);
  const scheduler s;
  e.set();
  e.wait();
  bool elsewhere = false;
  const std::string home = this_thread_text();
  std::thread([&] {
    try {
      e.set();
    } catch (const no_scheduler&) {
      elsewhere = true;
    }
    const scheduler other;
    CHECK_THAT(refusal_of([&] { e.set(); }),
               Catch::StartsWith(refused("this event belongs to", home)));
    CHECK_THROWS_AS(e.set(), wrong_scheduler);
    CHECK_THROWS_AS(e.wait(), wrong_scheduler);
    CHECK_THROWS_AS(e.try_wait(), wrong_scheduler);
    CHECK_THROWS_AS(select(e.wait_case()), wrong_scheduler);
  }).join();
  CHECK(elsewhere);
}

}  // namespace
