// SPDX-License-Identifier: BSL-1.0
// Deadlocks that several schedulers have in common.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <latch>
#include <optional>
#include <string>
#include <thread>

#include "weft/channel/channel.h"
#include "weft/scheduler/manual_clock.h"
#include "weft/scheduler/outside.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/in_child.h"
#include "weft/threads/scheduler_pool.h"

using weft::channel;
using weft::scheduler;
using weft::shared;

TEST_CASE("a scheduler that is alone is told at once") {
  const scheduler s;
  channel<int> c(shared);
  CHECK_THROWS_AS(c.receive(), weft::deadlock_error);
  CHECK_THROWS_AS(c.send(1), weft::deadlock_error);
  CHECK(c.balance() == 0);
}

TEST_CASE("a run() whose tasklets nobody can wake returns") {
  const scheduler s;
  channel<int> c(shared);
  weft::spawn([&] { c.receive(); });
  const weft::run_result r = weft::run();
  CHECK(r.why == weft::run_result::drained);
  CHECK(r.blocked == 1);
}

TEST_CASE("when all wait, one is told, and then the next") {
  channel<int> c(shared);
  std::atomic<int> told{0};
  std::latch both(2);
  const auto wait = [&] {
    const scheduler s;
    both.arrive_and_wait();
    try {
      c.receive();
    } catch (const weft::deadlock_error&) {
      ++told;
    }
  };
  std::thread other(wait);
  wait();
  other.join();
  CHECK(told == 2);
}

TEST_CASE("who is told may wake the others") {
  channel<int> c(shared);
  channel<int> never(shared);
  std::atomic<int> told{0};
  std::latch both(2);
  const auto wait = [&](bool first) {
    const scheduler s;
    both.arrive_and_wait();
    try {
      if (first)
        never.receive();
      else
        never.send(1), never.send(2);
    } catch (const weft::deadlock_error&) {
      ++told;
    }
  };
  std::thread other(wait, true);
  wait(false);
  other.join();
  CHECK(told == 1);
}

TEST_CASE("its text names those of the other schedulers") {
  channel<int> c(shared);
  c.set_name("orders");
  std::string text;
  std::atomic<bool> over{false};
  std::latch both(2);
  std::thread other([&] {
    const scheduler s;
    weft::spawn({.name = "miller"}, [&] { c.receive(); });
    both.arrive_and_wait();
    weft::run();
    over = true;
  });
  {
    const scheduler s;
    both.arrive_and_wait();
    // The other one is told first, if it comes to rest later: it ends, and this
    // one is told of itself only.
    while (c.balance() == 0) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    try {
      channel<int> mine(shared);
      mine.receive();
    } catch (const weft::deadlock_error& e) {
      text = e.what();
    }
    // The other is told when this one ends.
  }
  other.join();
  CHECK(over);
  INFO(text);
  CHECK(text.find("another scheduler") != std::string::npos);
  CHECK(text.find("'miller'") != std::string::npos);
  CHECK(text.find("channel 'orders'") != std::string::npos);
}

TEST_CASE("who was told of one may be answered later, when it ends") {
  channel<int> c(shared);
  channel<int> back(shared);
  bool served = false;
  std::latch rested(1);
  std::thread other([&] {
    rested.wait();
    const scheduler s;
    back.send(1);
  });
  {
    const scheduler s;
    CHECK_THROWS_AS(c.receive(), weft::deadlock_error);
    weft::spawn([&] {
      const weft::shield held;
      served = back.receive().has_value();
    });
    weft::yield();
    rested.count_down();
  }
  other.join();
  CHECK(served);
}

TEST_CASE("a clock that stands still keeps nobody from it") {
  weft::manual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c(shared);
  weft::spawn([] { weft::sleep_for(std::chrono::seconds(1)); });
  weft::spawn([&] { c.receive(); });
  const weft::run_result r = weft::run();
  CHECK(r.why == weft::run_result::idle);
  CHECK(r.blocked == 2);
}

TEST_CASE("a pool's deadlock comes out of its join()") {
  weft::scheduler_pool pool({.threads = 2});
  channel<int> c(shared);
  pool.spawn({.name = "miller"}, [&] { c.receive(); });
  const bool here = GENERATE(true, false);
  std::optional<scheduler> s;
  if (here) s.emplace();
  std::string text;
  try {
    pool.join();
  } catch (const weft::deadlock_error& e) {
    text = e.what();
  }
  INFO(text);
  CHECK(text.find("'miller'") != std::string::npos);
  c.close();
  pool.join();
}

TEST_CASE("who waits inside a shield hinders no pool's end for ever") {
  channel<int> c(shared);
  std::atomic<bool> told{false};
  {
    const scheduler s;
    weft::scheduler_pool pool({.threads = 1});
    std::latch waits(1);
    pool.spawn([&] {
      const weft::shield held;
      waits.count_down();
      try {
        c.receive();
      } catch (const weft::deadlock_error&) {
        told = true;
      }
    });
    waits.wait();
  }
  CHECK(told);
}

TEST_CASE("as long as one sleeps or works there is no deadlock") {
  using namespace std::chrono_literals;
  channel<int> c(shared);
  std::thread other([&] {
    const scheduler s;
    weft::sleep_for(20ms);
    c.send(1);
    for (const auto until = std::chrono::steady_clock::now() + 20ms;
         std::chrono::steady_clock::now() < until;) {
    }
    c.send(2);
  });
  const scheduler s;
  CHECK(c.receive() == 1);
  CHECK(c.receive() == 2);
  other.join();
}

TEST_CASE("nor where somebody is outside") {
  using namespace std::chrono_literals;
  const scheduler s;
  channel<int> c(shared);
  std::thread other([&c, out = weft::outside()] {
    std::this_thread::sleep_for(10ms);
    c.send(1);
  });
  CHECK(c.receive() == 1);
  other.join();
}

#ifndef WEFT_VALGRIND  // Its leak check finds what the lost thread had.
TEST_CASE("the child of a fork() has one scheduler, which waits for no other") {
  channel<int> c(shared);
  std::thread other([&c] {
    const scheduler s;
    c.receive();
  });
  const scheduler s;
  while (c.balance() == 0) std::this_thread::yield();
  const auto end = weft_test::in_child([] {
    channel<int> mine(shared);
    const weft::tasklet t = weft::spawn([&] { mine.send(1); });
    if (mine.receive() != 1) _exit(1);
    t.join();
    try {
      mine.receive();
    } catch (const weft::deadlock_error&) {
      _exit(0);
    }
    _exit(2);
  });
  CHECK(end.status == 0);
  c.send(1);
  other.join();
}
#endif

TEST_CASE("who waits inside a shield is told when its scheduler ends") {
  channel<int> c(shared);
  bool told = false;
  {
    const scheduler s;
    weft::spawn([&] {
      const weft::shield held;
      try {
        c.receive();
      } catch (const weft::deadlock_error&) {
        told = true;
      }
    });
    weft::yield();
  }
  CHECK(told);
}
