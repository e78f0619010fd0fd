// SPDX-License-Identifier: BSL-1.0
// Clocks: virtual, manual and scaled ones, and the thread's own.
#include "weft/scheduler/clock.h"

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "weft/channel/channel.h"
#include "weft/scheduler/manual_clock.h"
#include "weft/scheduler/scaled_clock.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/thread_driver.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using time_point = weft::clock::time_point;

time_point at(std::chrono::nanoseconds t) { return time_point(t); }

// What it does with time is in an order of cause and effect, so that it is the
// same however busy the machine is.
void program(channel<int>& c, std::string& trace) {
  spawn([&] {
    for (int i = 0; i < 3; ++i) {
      sleep_for(1ms);
      trace += 's';
      c.send(i);
    }
    trace += c.send_for(1ms, 3) == op_status::timed_out ? 't' : '?';
    c.close();
  });
  spawn([&] {
    const auto begin = weft::clock::now();
    for (int i = 0; i < 3; ++i) {
      if (!c.receive_for(1h)) trace += '?';
      trace += 'r';
    }
    if (weft::clock::now() < begin + 3ms) trace += '?';
    sleep_for(5h);
    trace += 'e';
  });
}

TEST_CASE("a program runs the same way on every clock") {
  virtual_clock inner;
  virtual_clock jumping;
  manual_clock by_hand;
  scaled_clock fast(inner, 1000);
  scaled_clock slow(jumping, 1e-3);
  scaled_clock quick(2e6);  // of real time
  const std::array<idle_driver*, 5> all{&jumping, &by_hand, &fast, &slow,
                                        &quick};
  idle_driver* const driver = all[GENERATE(as<std::size_t>(), 0, 1, 2, 3, 4)];
  std::string trace;
  const scheduler s({.driver = driver});
  channel<int> c;
  program(c, trace);
  run_result r = run();
  for (; r.why == run_result::idle; r = run())
    by_hand.advance_to(r.next_deadline.value());
  CHECK(r.why == run_result::drained);
  CHECK(r.blocked == 0);
  CHECK(trace == "srsrsrte");
}

TEST_CASE("the scheduler's time is that of its clock") {
  virtual_clock clock;
  CHECK_THROWS_AS(weft::clock::now(), no_scheduler);
  const scheduler s({.driver = &clock});
  sleep_for(3s);
  CHECK(weft::clock::now() == at(3s));
  sleep_until(weft::clock::now() + 2s);
  CHECK(weft::clock::now() == clock.now());
  CHECK(clock.now() == at(5s));
  clock.advance_to(at(1s));
  CHECK(clock.now() == at(5s));
}

TEST_CASE("a clock that is advanced does not go beyond the end of time") {
  manual_clock clock;
  clock.advance(1h);
  clock.advance(std::chrono::nanoseconds::max());
  CHECK(clock.now() == time_point::max());
}

// Counts how often it is asked.
struct counting_clock : virtual_clock {
  clock::time_point now() noexcept override {
    ++reads;
    return virtual_clock::now();
  }
  int reads = 0;
};

TEST_CASE("without timers no clock is read; with them once in 64 switches") {
  counting_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  const auto work = [&] {
    spawn([&] {
      for (int i = 0; i < 640; ++i) c.send(i);
    });
    spawn([&] {
      for (int i = 0; i < 640; ++i) c.receive();
    });
    for (int i = 0; i < 640; ++i) yield();
  };
  work();
  CHECK(clock.reads == 0);
  const tasklet t = spawn([] { sleep_for(1h); });
  yield();
  CHECK(clock.reads == 1);
  work();
  CHECK(clock.reads > 1);
  CHECK(clock.reads <= 1 + 3 * 640 / 64 + 1);
  t.kill();
}

TEST_CASE("what need not wait reads no clock") {
  counting_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c(1);
  CHECK(c.send_for(1s, 1) == op_status::done);
  CHECK(c.receive_for(1s).status() == op_status::done);
  CHECK(clock.reads == 0);
}

TEST_CASE("where time stands still, run comes back idle with the deadline") {
  manual_clock clock;
  scheduler s({.driver = &clock});
  std::string trace;
  for (int d : {3, 1, 2})
    spawn([&, d] {
      sleep_for(std::chrono::seconds(d));
      trace += static_cast<char>('0' + d);
    });
  const auto how = GENERATE(0, 1, 2);
  const auto go_on = [&] {
    return how == 0 ? run() : how == 1 ? s.run_for(1h) : s.run_until(at(24h));
  };
  run_result r = go_on();
  CHECK(r.why == run_result::idle);
  CHECK(r.next_deadline == at(1s));
  CHECK(r.blocked == 3);
  clock.advance(1s - 1ns);
  CHECK(go_on().why == run_result::idle);
  CHECK(trace.empty());
  clock.advance(1ns);
  CHECK(go_on().next_deadline == at(2s));
  CHECK(trace == "1");
  clock.advance(5s);
  CHECK(go_on().why == run_result::drained);
  CHECK(trace == "123");
}

TEST_CASE("where time stands still, the innermost run comes back") {
  manual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  spawn([&] {
    trace += run().why == run_result::idle ? 'i' : '?';
    clock.advance(1s);
  });
  spawn([&] {
    sleep_for(1s);
    trace += 's';
  });
  CHECK(run().why == run_result::drained);
  CHECK(trace == "is");
}

TEST_CASE("where time stands still, whoever would block last is told") {
  manual_clock clock;
  const scheduler s({.driver = &clock});
  std::string said;
  try {
    sleep_for(1s);
  } catch (const deadlock_error& e) {
    said = e.what();
  }
  CHECK_THAT(said, Catch::Contains("waits in sleep"));
  CHECK_THAT(said, Catch::Contains("stands still"));
  channel<int> c;
  spawn([&] {
    sleep_for(1s);
    c.send(1);
  });
  yield();
  CHECK_THROWS_AS(c.receive(), deadlock_error);
  CHECK(c.balance() == 0);
  clock.advance(1s);
  CHECK(c.receive() == 1);
}

TEST_CASE("a sleeper gets its turn though somebody was told of a deadlock") {
  manual_clock clock;
  const scheduler s({.driver = &clock});
  bool done = false;
  spawn([&] {
    sleep_for(1s);
    done = true;
  });
  yield();
  channel<int> never;
  CHECK_THROWS_AS(never.receive(), deadlock_error);
  spawn([&] {
    while (!done) yield();
  });
  clock.advance(1s);
  for (int i = 0; i < 200 && !done; ++i) yield();
  CHECK(done);
}

TEST_CASE("where time stands still, main comes back from suspend") {
  manual_clock clock;
  const scheduler s({.driver = &clock});
  spawn([] { sleep_for(1s); });
  CHECK(!suspend().has_value());
  clock.advance(1s);
  CHECK(run().why == run_result::drained);
}

TEST_CASE("a scheduler ends though time stands still for those in shields") {
  manual_clock clock;
  std::string trace;
  {
    const scheduler s({.driver = &clock});
    spawn([&] {
      const shield on;
      try {
        sleep_for(1h);
      } catch (const deadlock_error&) {
        trace += 'd';
      }
    });
    yield();
  }
  CHECK(trace == "d");
}

TEST_CASE("a timer that is due to no effect does not keep run waiting") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  c.set_preference(preference::neither);
  const tasklet t = spawn([&] { static_cast<void>(c.receive_for(1s)); });
  yield();
  c.send(7);
  t.remove();
  clock.advance(2s);
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(r.paused == 1);
  t.insert();
  run();
}

TEST_CASE("a scaled clock goes at its rate, and changes it without a jump") {
  virtual_clock inner;
  inner.advance(100s);
  scaled_clock clock(inner, 2);
  CHECK(clock.now() == inner.now());
  inner.advance(10s);
  CHECK(clock.now() == at(120s));
  clock.set_rate(0.5);
  CHECK(clock.rate() == 0.5);
  CHECK(clock.now() == at(120s));
  inner.advance(10s);
  CHECK(clock.now() == at(125s));
  clock.set_rate(0);
  inner.advance(1h);
  CHECK(clock.now() == at(125s));
  CHECK(!clock.time_passes());
  clock.set_rate(1);
  inner.advance(1s);
  CHECK(clock.now() == at(126s));
}

TEST_CASE("a sleeper on a scaled clock is never early, nor a tick late") {
  virtual_clock inner;
  const double rate =
      GENERATE(1.0, 1000.0, 1 / 3.0, 0.7, 1e-3, 123456.789, 59.94);
  const auto time = GENERATE(1ns, 999ns, 1h, 24h + 1ns);
  inner.advance(12345s);
  scaled_clock clock(inner, rate);
  const scheduler s({.driver = &clock});
  const auto begin = weft::clock::now();
  const auto inner_begin = inner.now();
  sleep_for(time);
  CHECK(weft::clock::now() >= begin + time);
  const double took = static_cast<double>((inner.now() - inner_begin).count());
  CHECK(took == Approx(static_cast<double>(time.count()) / rate).margin(1));
}

TEST_CASE("a scaled clock may change while tasklets sleep") {
  virtual_clock inner;
  scaled_clock clock(inner, 1);
  const scheduler s({.driver = &clock});
  std::string trace;
  spawn([&] {
    sleep_for(10s);
    trace += 'a';
    clock.set_rate(10);
  });
  spawn([&] {
    sleep_for(110s);
    trace += 'b';
  });
  run();
  CHECK(trace == "ab");
  CHECK(inner.now() == at(20s));
}

TEST_CASE("at rate 0 time stands still, and run comes back idle") {
  virtual_clock inner;
  scaled_clock clock(inner, 0);
  const scheduler s({.driver = &clock});
  spawn([] { sleep_for(1s); });
  const run_result r = run();
  CHECK(r.why == run_result::idle);
  CHECK(r.next_deadline == at(1s));
  clock.set_rate(4);
  CHECK(run().why == run_result::drained);
  CHECK(inner.now() == at(250ms));
}

TEST_CASE("a scaled clock ends with time, however fast or slow") {
  const double rate = GENERATE(std::numeric_limits<double>::min(), 0.5, 1.0,
                               std::numeric_limits<double>::max());
  virtual_clock inner;
  scaled_clock clock(inner, rate);
  const scheduler s({.driver = &clock});
  sleep_until(time_point::max());
  CHECK(clock.now() == time_point::max());
}

TEST_CASE("a rate is finite and not negative") {
  virtual_clock inner;
  scaled_clock clock(inner, 3);
  const double bad = GENERATE(-1.0, std::nan(""), HUGE_VAL, -HUGE_VAL);
  CHECK_THROWS_AS(clock.set_rate(bad), std::invalid_argument);
  CHECK(clock.rate() == 3);
  CHECK_THROWS_AS(scaled_clock(bad), std::invalid_argument);
  CHECK_THROWS_AS(scaled_clock(inner, bad), std::invalid_argument);
}

// Says by hand whether something may come.
struct outside : virtual_clock {
  [[nodiscard]] bool expects() const noexcept override { return expecting; }
  void poll() noexcept override {
    if (on_poll) on_poll();
  }
  void wait(std::optional<clock::time_point>) noexcept override { ++waits; }
  void wake() noexcept override { ++wakes; }
  std::function<void()> on_poll;
  bool expecting = false;
  int waits = 0;
  int wakes = 0;
};

TEST_CASE("a scaled clock hands on what its other driver expects") {
  outside other;
  scaled_clock clock(other, GENERATE(0.0, 2.0));
  const scheduler s({.driver = &clock});
  channel<int> c(1);
  other.expecting = true;
  other.on_poll = [&] {
    if (other.waits < 2) return;
    other.expecting = false;
    c.try_send(7);
  };
  CHECK(c.receive() == 7);
  CHECK(other.waits == 2);
  clock.wake();
  CHECK(other.wakes == 1);
}

}  // namespace
