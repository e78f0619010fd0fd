// SPDX-License-Identifier: BSL-1.0
// Law 22: semaphores and condition variables.
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <string>

#include "weft/weft.h"

namespace {

using namespace weft;
using std::chrono::seconds;

TEST_CASE("a semaphore lets in as many as it has permits") {
  const scheduler s;
  semaphore places(2);
  int inside = 0;
  int most = 0;
  for (int i = 0; i != 5; ++i)
    spawn([&] {
      places.acquire();
      most = std::max(most, ++inside);
      yield();
      --inside;
      places.release();
    });
  run();
  CHECK(most == 2);
  CHECK(places.available() == 2);
}

TEST_CASE("who wants many is not overtaken by those who want few") {
  const scheduler s;
  semaphore permits(2);
  std::string trace;
  const auto taker = [&](char name, unsigned count) {
    permits.acquire(count);
    trace += name;
  };
  spawn(taker, 'a', 3U);
  spawn(taker, 'b', 1U);
  spawn(taker, 'c', 1U);
  run();
  CHECK(trace.empty());
  CHECK_FALSE(permits.try_acquire());
  permits.release(2);
  run();
  CHECK(trace == "ab");
  permits.release();
  run();
  CHECK(trace == "abc");
  CHECK(permits.available() == 0);
}

TEST_CASE("those behind go on when one who wants many leaves the line") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  semaphore permits(1);
  const bool killed = GENERATE(false, true);
  const tasklet many =
      spawn([&] { static_cast<void>(permits.try_acquire_for(seconds(1), 2)); });
  const tasklet one = spawn([&] { permits.acquire(); });
  yield();
  CHECK(permits.waiters() == 2);
  if (killed) many.kill();
  one.join();
  CHECK(clock.now().time_since_epoch() == seconds(killed ? 0 : 1));
  CHECK(permits.available() == 0);
}

TEST_CASE("a semaphore released too often is an error with nothing changed") {
  const scheduler s;
  bounded_semaphore two(2);
  CHECK_THROWS_AS(two.release(), error);
  two.acquire();
  CHECK_THROWS_AS(two.release(2), error);
  CHECK(two.available() == 1);
  two.release();
  CHECK_THROWS_AS(two.acquire(3), error);
  CHECK_FALSE(two.try_acquire(3));
  semaphore full(std::numeric_limits<std::uint32_t>::max());
  CHECK_THROWS_AS(full.release(), error);
}

TEST_CASE("a timed acquire says whether it was had in time") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  semaphore permits(0);
  CHECK_FALSE(permits.try_acquire_for(seconds(1)));
  CHECK_FALSE(permits.try_acquire_until(clock.now()));
  spawn([&] {
    sleep_for(seconds(1));
    permits.release(3);
  });
  CHECK(permits.try_acquire_for(seconds(2), 3));
  CHECK(clock.now().time_since_epoch() == seconds(2));
}

TEST_CASE("an acquire case takes its permits only if it happens") {
  const scheduler s;
  semaphore permits(1);
  channel<int> c(1);
  CHECK(select(permits.acquire_case(2), permits.acquire_case()) == 1);
  CHECK(permits.available() == 0);
  const tasklet t = spawn([&] {
    CHECK(select(permits.acquire_case(2), permits.acquire_case(1),
                 c.receive_case()) == 2);
  });
  yield();
  CHECK(permits.waiters() == 2);
  c.send(1);
  t.join();
  CHECK(permits.waiters() == 0);
  permits.release();
  CHECK(permits.available() == 1);
}

TEST_CASE("a select that leaves is not granted its own next case") {
  const scheduler s;
  semaphore permits(0);
  const auto both = [&] {
    select(permits.acquire_case(2), permits.acquire_case(1));
  };
  const tasklet t = spawn(both);
  const tasklet u = spawn(both);
  yield();
  permits.release();  // The first case of both wants more.
  SECTION("killed") { t.kill(); }
  SECTION("killed with those behind it") {
    t.kill(pending);
    u.kill();
  }
  SECTION("served") { permits.release(); }
  yield();
  CHECK(!t.alive());
  u.kill();
  CHECK(permits.waiters() == 0);
}

TEST_CASE("one that leaves two lines serves whoever that lets through") {
  const scheduler s;
  semaphore a(0);
  semaphore b(0);
  const tasklet t =
      spawn([&] { select(a.acquire_case(2), b.acquire_case(1)); });
  int got = 0;
  const tasklet u = spawn([&] {
    select(b.acquire_case(5), a.acquire_case(1));
    ++got;
  });
  yield();
  a.release();
  t.kill();
  yield();
  CHECK(got == 1);
  CHECK(!u.alive());
  CHECK(a.waiters() + b.waiters() == 0);
}

TEST_CASE("a bounded semaphore never has more than it may, whatever returns") {
  const scheduler s;
  bounded_semaphore permits(1);
  permits.acquire();
  const tasklet t = spawn([&] { permits.acquire(); });
  yield();
  permits.release();  // t has it, and has not gone on.
  permits.release();  // One too many, that nobody could know.
  t.kill();
  CHECK(permits.available() == 1);
  CHECK_THROWS_AS(permits.release(), error);
}

TEST_CASE("several cases of one select stand in line in their order") {
  const scheduler s;
  semaphore permits(0);
  const tasklet t = spawn([&] {
    CHECK(select(permits.acquire_case(3), permits.acquire_case(1),
                 permits.acquire_case(2)) == 0);
  });
  const tasklet next = spawn([&] { permits.acquire(); });
  yield();
  permits.release(4);
  CHECK(permits.available() == 0);
  t.join();
  next.join();
}

// ---- condition variables

TEST_CASE("notify_one lets the one go on who has waited longest") {
  const scheduler s;
  mutex m;
  condition_variable changed;
  std::string trace;
  for (const char name : {'a', 'b', 'c'})
    spawn([&, name] {
      std::unique_lock lock(m);
      changed.wait(lock);
      CHECK(m.owner() == current());
      trace += name;
    });
  run();
  CHECK(changed.waiters() == 3);
  CHECK_FALSE(m.owner().alive());
  changed.notify_one();
  run();
  CHECK(trace == "a");
  changed.notify_all();
  run();
  CHECK(trace == "abc");
  changed.notify_one();  // nobody: nothing happens
}

TEST_CASE("a wait with a condition ends when that holds") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mutex m;
  condition_variable changed;
  int stock = 0;
  const tasklet buyer = spawn([&] {
    std::unique_lock lock(m);
    changed.wait(lock, [&] { return stock == 2; });
    stock = 0;
  });
  for (int i = 0; i != 2; ++i) {
    yield();
    ++stock;
    changed.notify_all();
  }
  buyer.join();
  std::unique_lock lock(m);
  CHECK_FALSE(changed.wait_for(lock, seconds(1), [&] { return stock == 1; }));
  CHECK(clock.now().time_since_epoch() == seconds(1));
  CHECK(changed.wait_for(lock, seconds(1)) == std::cv_status::timeout);
  spawn([&] { changed.notify_one(); });
  CHECK(changed.wait_until(lock, clock.now() + seconds(1)) ==
        std::cv_status::no_timeout);
  CHECK(lock.owns_lock());
}

TEST_CASE("however a wait ends, the mutex is locked again first") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mutex m;
  condition_variable changed;
  std::string trace;
  const tasklet t = spawn([&] {
    std::unique_lock lock(m);
    try {
      if (changed.wait_for(lock, seconds(1)) == std::cv_status::timeout)
        trace += 't';
      else
        trace += 'n';
    } catch (int) {
      trace += 'i';
    } catch (const tasklet_exit&) {
      trace += 'k';
      CHECK(m.owner() == current());
      throw;
    }
    CHECK(m.owner() == current());
  });
  yield();
  enum { kill, raise, notify, notify_and_kill, time_out };
  const int how = GENERATE(range(0, 5));
  {
    const std::unique_lock mine(m);
    if (how == kill) t.kill();
    if (how == raise) t.throw_exception(std::make_exception_ptr(1));
    if (how == notify || how == notify_and_kill) changed.notify_one();
    if (how == time_out) sleep_for(seconds(2));
    yield();
    // It waits for the mutex, and kills are held back.
    if (how == notify_and_kill) t.kill();
    CHECK(trace.empty());
    CHECK(m.waiters() == 1);
  }
  run();
  CHECK(trace == std::string(1, "kinnt"[how]));
  CHECK(m.try_lock());
  m.unlock();
}

TEST_CASE("one killed after it was notified leaves that to the next") {
  const scheduler s;
  mutex m;
  condition_variable changed;
  std::string trace;
  const auto waiter = [&](char name) {
    std::unique_lock lock(m);
    changed.wait(lock);
    trace += name;
  };
  const tasklet a = spawn(waiter, 'a');
  spawn(waiter, 'b');
  spawn(waiter, 'c');
  yield();
  changed.notify_one();
  a.kill(pending);
  run();
  CHECK(trace == "b");
  CHECK(changed.waiters() == 1);
  changed.notify_all();
  run();
  CHECK(trace == "bc");
}

TEST_CASE("a wait without the mutex is an error") {
  const scheduler s;
  mutex m;
  condition_variable changed;
  CHECK_THROWS_AS(changed.wait(m), error);
  m.lock();
  spawn([&] { changed.notify_one(); });
  changed.wait(m);
  CHECK(m.owner() == current());
  m.unlock();
}

TEST_CASE("where a wait fails for a deadlock, the mutex is locked again") {
  const scheduler s;
  mutex m;
  condition_variable changed;
  std::unique_lock lock(m);
  CHECK_THROWS_AS(changed.wait(lock), deadlock_error);
  CHECK(lock.owns_lock());
  CHECK(m.owner() == current());
}

}  // namespace
