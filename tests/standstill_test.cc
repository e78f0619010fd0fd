// SPDX-License-Identifier: BSL-1.0
// Deadlocks that several schedulers have in common.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

#include "weft/channel/channel.h"
#include "weft/scheduler/outside.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"

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
  std::thread other([&] {
    const scheduler s;
    weft::spawn({.name = "miller"}, [&] { c.receive(); });
    weft::run();
    over = true;
  });
  {
    const scheduler s;
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
  CHECK(((text.find("miller") != std::string::npos &&
          text.find("orders") != std::string::npos) ||
         text.find("another scheduler") == std::string::npos));
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
