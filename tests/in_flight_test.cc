// SPDX-License-Identifier: BSL-1.0
// Law 8's last sentence, for many tasklets at once and in any order:
// exceptions that are alive when their tasklet is suspended stay with it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/sizes.h"

namespace {

using namespace weft;

const int many = std::min(weft_test::many, 100);

// What a tasklet throws; how many are alive.
struct mine {
  explicit mine(int who_) : who(who_) { ++alive; }
  mine(const mine& other) : who(other.who) { ++alive; }
  mine& operator=(const mine&) = delete;
  ~mine() { --alive; }
  int who;
  static inline int alive = 0;
};

// Who, of those that the random number picks, has suspended himself is run;
// until nobody is left.
void run_in_random_order(std::vector<tasklet> all, unsigned seed) {
  std::mt19937 random(seed);
  while (!all.empty()) {
    const std::size_t i = random() % all.size();
    if (all[i].alive()) all[i].run();
    if (all[i].alive()) continue;
    all[i] = all.back();
    all.pop_back();
  }
}

// Suspends its tasklet while it is destroyed, and looks at what is in flight.
struct suspends_at_end {
  bool& right;
  int expected;
  ~suspends_at_end() {
    const shield on;
    right = right && std::uncaught_exceptions() == expected;
    suspend();
    right = right && std::uncaught_exceptions() == expected;
  }
};

// Handles an exception of `who` and, inside, another one; suspends itself
// wherever it can.
void nest(int who, bool& right) {
  const auto holds = [&](int n) {
    try {
      throw;
    } catch (const mine& m) {
      right = right && m.who == who + n && std::uncaught_exceptions() == 0;
    }
  };
  try {
    const suspends_at_end outer{right, 1};
    throw mine(who);
  } catch (const mine&) {
    suspend();
    holds(0);
    try {
      const suspends_at_end inner{right, 1};
      throw mine(who + 1);
    } catch (const mine&) {
      suspend();
      holds(1);
      try {
        suspend();
        throw;
      } catch (const mine& again) {
        suspend();
        right = right && again.who == who + 1;
      }
      suspend();
      holds(1);
    }
    suspend();
    holds(0);
    suspend();
    throw;
  }
}

TEST_CASE("handlers nest in each of many tasklets, whoever runs when") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const scheduler s;
    bool right = true;
    int caught = 0;
    std::vector<tasklet> all;
    for (int i = 0; i < many; ++i)
      all.push_back(create([&, i] {
        try {
          nest(i * 10, right);
        } catch (const mine& m) {
          suspend();
          caught += m.who == i * 10 ? 1 : 0;
        }
      }));
    run_in_random_order(all, seed);
    CHECK(right);
    CHECK(caught == many);
    CHECK(mine::alive == 0);
    CHECK(std::uncaught_exceptions() == 0);
    CHECK(!std::current_exception());
  }
}

TEST_CASE("an exception on its way stays while another is thrown and caught") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const scheduler s;
    bool right = true;
    struct throws_at_end {
      bool& right;
      int who;
      ~throws_at_end() {
        const shield on;
        try {
          const suspends_at_end inner{right, 2};
          throw mine(who + 1);
        } catch (const mine& m) {
          right = right && std::uncaught_exceptions() == 1;
          suspend();
          right = right && m.who == who + 1;
        }
        right = right && std::uncaught_exceptions() == 1;
      }
    };
    int caught = 0;
    std::vector<tasklet> all;
    for (int i = 0; i < many; ++i)
      all.push_back(create([&, i] {
        try {
          const throws_at_end t{right, i * 10};
          const suspends_at_end first{right, 1};
          throw mine(i * 10);
        } catch (const mine& m) {
          right = right && std::uncaught_exceptions() == 0;
          caught += m.who == i * 10 ? 1 : 0;
        }
      }));
    run_in_random_order(all, seed);
    CHECK(right);
    CHECK(caught == many);
    CHECK(mine::alive == 0);
  }
}

TEST_CASE("an exception may be passed on, and is the same to all") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const scheduler s;
    std::vector<std::exception_ptr> slots(static_cast<std::size_t>(many));
    bool right = true;
    int caught = 0;
    std::vector<tasklet> all;
    for (std::size_t i = 0; i < slots.size(); ++i)
      all.push_back(create([&, i] {
        const int who = static_cast<int>(i);
        try {
          throw mine(who);
        } catch (const mine&) {
          slots[i] = std::current_exception();
          suspend();
          // A neighbour's, while its thrower may still be handling it.
          const std::exception_ptr other = slots[(i + 1) % slots.size()];
          try {
            if (other) std::rethrow_exception(other);
          } catch (const mine& m) {
            suspend();
            right = right && m.who == (who + 1) % many;
          }
          try {
            suspend();
            throw;
          } catch (const mine& m) {
            caught += m.who == who ? 1 : 0;
          }
        }
      }));
    run_in_random_order(all, seed);
    CHECK(right);
    CHECK(caught == many);
    slots.clear();
    CHECK(mine::alive == 0);
  }
}

TEST_CASE("a kill waits while its target unwinds, in whatever state") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const scheduler s;
    std::mt19937 random(seed);
    bool right = true;
    int ended = 0;
    std::vector<tasklet> all;
    for (int i = 0; i < many; ++i)
      all.push_back(create([&, i] {
        struct counts {
          int& n;
          ~counts() { ++n; }
        } const at_end{ended};
        try {
          nest(i * 10, right);
        } catch (const mine& m) {
          right = right && m.who == i * 10;
          suspend();
        }
      }));
    for (const tasklet& t : all) t.run();
    // All stand in a destructor, with an exception on its way.
    for (const tasklet& t : all) {
      random() % 2 == 0 ? t.kill() : t.kill(pending);
      right = right && t.paused();
    }
    run_in_random_order(all, seed);
    CHECK(right);
    CHECK(ended == many);
    CHECK(mine::alive == 0);
  }
}

TEST_CASE("a kill ends a tasklet wherever it handles exceptions") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const scheduler s;
    std::mt19937 random(seed);
    bool right = true;
    std::vector<tasklet> all;
    for (int i = 0; i < many; ++i)
      all.push_back(create([&, i] {
        try {
          nest(i * 10, right);
        } catch (const mine&) {
          suspend();
        }
      }));
    for (int n = many * 4; n != 0; --n) {
      const tasklet& t = all[random() % all.size()];
      if (t.alive()) t.run();
    }
    for (const tasklet& t : all) t.kill();
    run_in_random_order(all, seed);
    CHECK(right);
    CHECK(mine::alive == 0);
  }
}

}  // namespace
