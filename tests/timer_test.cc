// SPDX-License-Identifier: BSL-1.0
// Sleeping, operations that time out, and the idle driver's seam.
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/thread_driver.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/in_child.h"
#include "weft/tests/support/sizes.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

TEST_CASE("sleepers go on in the order of their deadlines") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  for (int d : {5, 1, 3, 1, 4})
    spawn([&, d] {
      sleep_for(std::chrono::seconds(d));
      trace += static_cast<char>('0' + d);
    });
  CHECK(run().why == run_result::drained);
  CHECK(trace == "11345");
  CHECK(clock.now().time_since_epoch() == 5s);
}

TEST_CASE("equal deadlines go on in the order in which they went to sleep") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  const auto when = clock.now() + 1h;
  for (char name : {'a', 'b', 'c', 'd', 'e'})
    spawn([&, name] {
      sleep_until(when);
      trace += name;
    });
  run();
  CHECK(trace == "abcde");
}

TEST_CASE("a time that has passed yields") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  spawn([&] { trace += 'a'; });
  sleep_for(-1h);
  trace += 'm';
  sleep_until(clock.now());
  CHECK(trace == "am");
}

TEST_CASE("main sleeps while the others run") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  int turns = 0;
  spawn([&] {
    for (; turns < 10; ++turns) sleep_for(1s);
  });
  sleep_for(5500ms);
  CHECK(turns == 5);
  run();
  CHECK(turns == 10);
}

TEST_CASE("a due sleeper gets its turn among tasklets that never stop") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  bool done = false;
  int turns = 0;
  for (int i = 0; i < 3; ++i)
    spawn([&] {
      while (!done) {
        ++turns;
        yield();
      }
    });
  spawn([&] {
    sleep_for(1ms);
    done = true;
  });
  clock.advance(0ms);
  spawn([&] {
    for (int i = 0; i < 1000; ++i) yield();
    clock.advance(1ms);
  });
  run();
  CHECK(done);
  CHECK(turns < 3 * 1000 + 3 * 64 + 64);
}

TEST_CASE("the longest duration is a fine time to sleep") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const tasklet t = spawn([] { sleep_for(std::chrono::hours::max()); });
  yield();
  CHECK(t.blocked());
  t.kill();
  CHECK(!t.alive());
}

TEST_CASE("a receive gives up when its time has passed") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<std::unique_ptr<int>> c;
  auto got = c.receive_for(3s);
  CHECK(!got);
  CHECK(got.status() == op_status::timed_out);
  CHECK(clock.now().time_since_epoch() == 3s);
  CHECK(c.balance() == 0);
  got = c.receive_until(clock.now());
  CHECK(got.status() == op_status::timed_out);
  spawn([&] {
    sleep_for(1s);
    c.send(std::make_unique<int>(4));
  });
  got = c.receive_for(3s);
  CHECK(got.status() == op_status::done);
  CHECK(**got == 4);
  CHECK(clock.now().time_since_epoch() == 4s);
  spawn([&] {
    sleep_for(1s);
    c.close();
  });
  got = c.receive_for(3s);
  CHECK(got.status() == op_status::closed);
  CHECK(run().why == run_result::drained);
}

TEST_CASE("a send gives up when its time has passed, and keeps its value") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const auto capacity = GENERATE(0U, 1U);
  channel<std::unique_ptr<int>> c(capacity);
  if (capacity == 1) c.send(nullptr);
  auto value = std::make_unique<int>(1);
  CHECK(c.send_for(2s, std::move(value)) == op_status::timed_out);
  CHECK(value);
  CHECK(c.balance() == 0);
  CHECK(c.send_until(clock.now(), std::move(value)) == op_status::timed_out);
  spawn([&] {
    sleep_for(1s);
    c.receive();
  });
  CHECK(c.send_for(2s, std::move(value)) == op_status::done);
  CHECK(!value);
  c.close();
  CHECK(c.send_for(2s, std::make_unique<int>(2)) == op_status::closed);
  run();
}

TEST_CASE("a timed send copies an lvalue") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<std::string> c(1);
  const std::string text = "text";
  CHECK(c.send_for(1s, text) == op_status::done);
  CHECK(c.send_until(clock.now() + 1s, text) == op_status::timed_out);
  CHECK(c.receive() == "text");
}

TEST_CASE("one that times out leaves the middle of the line") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  std::string trace;
  spawn([&] { trace += static_cast<char>('a' + *c.receive()); });
  spawn([&] { trace += c.receive_for(1s) ? '!' : 't'; });
  spawn([&] { trace += static_cast<char>('a' + *c.receive()); });
  sleep_for(2s);
  CHECK(trace == "t");
  CHECK(c.balance() == -2);
  c.send(0);
  c.send(1);
  CHECK(trace == "tab");
  run();
}

TEST_CASE("a value that comes before the timeout is looked at wins") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  c.set_preference(preference::neither);
  op_status got = op_status::closed;
  spawn([&] { got = c.receive_for(1s).status(); });
  yield();
  c.send(1);
  clock.advance(2s);
  run();
  CHECK(got == op_status::done);
}

TEST_CASE("a value that has come wins, though its receiver is removed") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  c.set_preference(preference::neither);
  std::optional<int> got;
  const tasklet t = spawn([&] {
    const auto value = c.receive_for(1s);
    if (value) got.emplace(*value);
  });
  yield();
  c.send(7);
  t.remove();
  sleep_for(1min);
  CHECK(t.paused());
  t.insert();
  run();
  CHECK(got == 7);
}

TEST_CASE("the end of a channel wakes timed waiters with closed") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  auto c = std::make_unique<channel<int>>();
  op_status got = op_status::done;
  spawn([&] { got = c->send_for(1h, 1); });
  yield();
  c.reset();
  run();
  CHECK(got == op_status::closed);
  CHECK(clock.now().time_since_epoch() == 0s);
}

TEST_CASE("a join gives up when its time has passed") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const tasklet t = spawn([] { sleep_for(3s); });
  CHECK(!t.join_for(0s));
  CHECK(!t.join_until(clock.now()));
  CHECK(clock.now().time_since_epoch() == 0s);
  CHECK(!t.join_for(1s));
  CHECK(!t.join_until(clock.now() + 1s));
  CHECK(clock.now().time_since_epoch() == 2s);
  CHECK(t.alive());
  CHECK(t.join_for(std::chrono::hours::max()));
  CHECK(clock.now().time_since_epoch() == 3s);
  CHECK(t.join_for(1s));
  CHECK(t.join_until(clock.now()));
  CHECK(tasklet().join_for(1s));
  CHECK(clock.now().time_since_epoch() == 3s);
}

TEST_CASE("a timed join is told of a failure, and joins no one's self") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  CHECK_THROWS_AS(current().join_for(1s), error);
  const tasklet t = spawn([] {
    sleep_for(1s);
    throw std::runtime_error("failed");
  });
  CHECK(!t.join_for(500ms));
  CHECK_THROWS_AS(t.join_for(1s), std::runtime_error);
  CHECK(run().why == run_result::drained);
}

TEST_CASE("an end before the timeout is looked at wins the join") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  bool ended = false;
  const tasklet t = spawn([] { suspend(); });
  spawn([&] { ended = t.join_for(1s); });
  yield();
  t.run();
  clock.advance(2s);
  run();
  CHECK(ended);
}

TEST_CASE("who times out of a join leaves the others in the line") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string trace;
  const tasklet t = spawn([] { sleep_for(2s); });
  for (auto time : {5s, 1s, 5s})
    spawn([&, time] { trace += t.join_for(time) ? 'j' : 't'; });
  run();
  CHECK(trace == "tjj");
}

TEST_CASE("a suspended one goes on when its time has passed") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  CHECK(!suspend_for(1s));
  CHECK(!suspend_until(clock.now() + 1s));
  CHECK(!suspend_until(clock.now()));
  CHECK(!suspend_for(-1h));
  CHECK(clock.now().time_since_epoch() == 2s);
  std::string trace;
  const tasklet t = spawn([&] {
    for (int i = 0; i < 3; ++i) {
      const auto got = suspend_for(1s);
      trace += !got ? 't' : got->has_value() ? 'v' : 'n';
    }
  });
  yield();
  CHECK(t.paused());
  t.insert(7);
  yield();
  t.insert();
  CHECK(run().why == run_result::drained);
  CHECK(trace == "vnt");
  CHECK(clock.now().time_since_epoch() == 3s);
}

TEST_CASE("many sleepers wake in order, and killed ones are forgotten") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const int n = std::min(weft_test::many, 2000);
  std::vector<tasklet> all;
  int last = 0;
  int woken = 0;
  bool ordered = true;
  for (int i = 0; i < n; ++i) {
    const int delay = 1 + i * 7919 % n;
    all.push_back(spawn([&, delay] {
      sleep_for(std::chrono::milliseconds(delay));
      ordered &= last <= delay;
      last = delay;
      ++woken;
    }));
  }
  yield();
  for (int i = 0; i < n; i += 3) all[static_cast<std::size_t>(i)].kill();
  run();
  CHECK(ordered);
  CHECK(woken == n - (n + 2) / 3);
}

TEST_CASE("on the real clock a sleep takes its time") {
  const scheduler s;
  const auto start = std::chrono::steady_clock::now();
  spawn([] { sleep_for(1ms); });
  sleep_for(2ms);
  CHECK(std::chrono::steady_clock::now() - start >= 2ms);
  run();
}

TEST_CASE("a sleeper wakes though a run with a budget found nothing to do") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  bool done = false;
  spawn([&] {
    sleep_for(1ms);
    done = true;
  });
  s.run_one();
  CHECK(s.run_one().why == run_result::idle);
  clock.advance(1ms);
  for (int i = 0; i < 100 && !done; ++i) yield();
  CHECK(done);
}

// Something outside, such as a socket, that makes a tasklet runnable.
class outside_driver : public virtual_clock {
 public:
  void poll() noexcept override {
    ++polls;
    if (on_poll) on_poll();
  }
  void wait(std::optional<clock::time_point>) noexcept override {
    ++waits;
    if (on_wait) on_wait();
  }
  [[nodiscard]] bool expects() const noexcept override { return expecting; }

  std::function<void()> on_poll;
  std::function<void()> on_wait;
  bool expecting = false;
  int polls = 0;
  int waits = 0;
};

TEST_CASE("while the driver expects something there is no deadlock") {
  outside_driver outside;
  const scheduler s({.driver = &outside});
  channel<int> c(1);
  outside.expecting = true;
  outside.on_wait = [&] {
    if (outside.waits < 3) return;
    outside.expecting = false;
    c.try_send(7);
  };
  CHECK(c.receive() == 7);
  CHECK(outside.waits == 3);
  CHECK(outside.polls >= 3);
  CHECK_THROWS_AS(c.receive(), deadlock_error);
}

TEST_CASE("a driver may send when a killed tasklet was the last to run") {
  outside_driver outside;
  scheduler s({.driver = &outside});
  channel<int> c;
  c.set_preference(preference::neither);
  channel<int> never;
  int got = 0;
  spawn([&] { got = *c.receive(); });
  const tasklet killed = spawn([&] { never.receive(); });
  yield();
  outside.expecting = true;
  outside.on_poll = [&] {
    outside.expecting = false;
    c.try_send(7);
  };
  killed.kill(pending);
  run();
  CHECK(got == 7);
}

TEST_CASE("a driver that switches is stopped with a sentence") {
  const auto e = weft_test::in_child([] {
    outside_driver outside;
    const scheduler s({.driver = &outside});
    channel<int> c;
    outside.expecting = true;
    outside.on_poll = [&] { c.receive(); };
    c.receive();
  });
  CHECK(e.by_signal(SIGABRT));
  CHECK_THAT(e.said, Catch::Contains("has switched tasklets"));
}

TEST_CASE("wake ends a wait of the thread's own driver from another thread") {
  thread_driver driver;
  std::thread other([&] { driver.wake(); });
  driver.wait(std::nullopt);
  other.join();
  driver.wake();
  driver.wait(std::nullopt);
  driver.wait(thread_driver::clock::now());
}

}  // namespace
