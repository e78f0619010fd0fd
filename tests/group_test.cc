// SPDX-License-Identifier: BSL-1.0
// Law 21, its groups.
#include "weft/structure/group.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/sync/tasklet_local.h"
#include "weft/tasklet/error.h"
#include "weft/tests/support/both_threads.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

struct fixture {
  virtual_clock clock;
  channel<int> never;
  scheduler s{{.driver = &clock}};
  std::string trace;
  std::string reported;

  fixture() {
    s.set_error_handler([this](tasklet, const std::exception_ptr& e) {
      try {
        std::rethrow_exception(e);
      } catch (int i) {
        reported += std::to_string(i);
      } catch (...) {
        reported += '?';
      }
      return std::exception_ptr();
    });
  }
  ~fixture() { CHECK(never.balance() == 0); }

  auto waiter(char name) {
    return [this, name] {
      const struct mark {
        std::string& trace;
        char name;
        ~mark() { trace += name; }
      } m{trace, name};
      never.receive();
    };
  }
};

TEST_CASE_METHOD(fixture, "join() waits for all, and may be repeated") {
  group g;
  g.join();
  g.spawn([&](char name) { trace += name; }, 'a');
  g.spawn([&] {
    sleep_for(1s);
    g.spawn({.name = "c"}, [&] { trace += current().name(); });
    trace += 'b';
  });
  CHECK(g.size() == 2);
  g.join();
  CHECK(trace == "abc");
  CHECK(g.size() == 0);
}

TEST_CASE_METHOD(fixture, "a failure disturbs nobody, and is kept") {
  group g;
  tasklet who = g.spawn([] { throw 1; });
  g.spawn([] { throw 2; });
  g.spawn([&] {
    sleep_for(1s);
    trace += 's';
  });
  SECTION("join() throws the first when all have ended") {
    CHECK_THROWS_AS(g.join(), int);
    CHECK(trace == "s");
    CHECK(g.failures().size() == 1);
    CHECK_THROWS_AS(g.join(), int);
    g.join();
  }
  SECTION("wait() does not") {
    g.wait();
    const auto failures = g.take_failures();
    REQUIRE(failures.size() == 2);
    CHECK(failures[0].who == who);
    g.join();
  }
  CHECK(g.failures().empty());
  CHECK(reported.empty());
}

TEST_CASE_METHOD(fixture, "what nobody has asked for is reported at the end") {
  {
    group g;
    g.spawn([] { throw 1; });
    g.spawn([] { throw 2; });
    yield();
  }
  CHECK(reported == "12");
}

TEST_CASE_METHOD(fixture, "its end kills those that are left, and waits") {
  {
    group g;
    g.spawn(waiter('w'));
    g.spawn([&] {
      const shield on;
      sleep_for(1s);
      trace += 's';
    });
    yield();
    g.spawn([&] { trace += '!'; });
  }
  CHECK(trace == "ws");
}

TEST_CASE_METHOD(fixture, "a member that ends it outlives it") {
  auto g = std::make_shared<group>();
  g->spawn([&] {
    const shield on;
    sleep_for(1s);
    trace += 's';
  });
  SECTION("by its body") {
    g->spawn([&] {
      g.reset();
      trace += 'm';
    });
  }
  SECTION("by the end of its callable") {
    g->spawn([&, last = std::exchange(g, nullptr)] { trace += 'm'; });
  }
  run();
  CHECK(trace.size() == 2);
  CHECK(s.live() == 0);
}

TEST_CASE_METHOD(fixture, "who waits for it then is told that it ends") {
  auto g = std::make_shared<group>();
  g->spawn([&] {
    const shield on;
    sleep_for(1s);
  });
  g->spawn([&] {
    yield();
    g.reset();
  });
  spawn([&, it = g.get()] {
    try {
      it->wait();
    } catch (const error&) {
      trace += 'e';
    }
  });
  run();
  CHECK(trace == "e");
}

TEST_CASE_METHOD(fixture,
                 "after kill() more may be spawned, after cancel() not") {
  group g;
  g.spawn(waiter('w'));
  yield();
  g.kill();
  g.spawn([&] { trace += 's'; });
  g.wait();
  CHECK(trace == "ws");
  g.cancel();
  CHECK(g.cancelled());
  CHECK(!g.spawn([&] { trace += '!'; }).alive());
  g.wait();
  CHECK(trace == "ws");
}

TEST_CASE_METHOD(fixture, "a member that kills goes on, and cannot wait") {
  group g;
  g.spawn(waiter('w'));
  g.spawn([&] {
    CHECK_THROWS_AS(g.join(), error);
    g.kill();
    trace += 'k';
  });
  g.wait();
  CHECK(trace == "kw");
}

TEST_CASE_METHOD(fixture, "a wait that fails leaves all as it was") {
  group g;
  g.spawn(waiter('w'));
  yield();
  CHECK_THROWS_AS(g.join(), deadlock_error);
  CHECK(g.size() == 1);
  CHECK(trace.empty());
  const tasklet t = spawn([&] { g.join(); });
  yield();
  t.kill();
  CHECK(g.size() == 1);
}

TEST_CASE("one may outlive its scheduler") {
  channel<int> never;
  std::optional<scheduler> s(std::in_place);
  group g;
  g.spawn([&] { never.receive(); });
  yield();
  s.reset();
  CHECK(g.size() == 0);
  CHECK_THROWS_AS(g.spawn([] {}), no_scheduler);
  CHECK_THROWS_AS(g.join(), no_scheduler);
  g.kill();
  g.cancel();
}

TEST_CASE("one that ends while others wait for it tells them") {
  const scheduler s;
  auto g = std::make_unique<group>();
  bool told = false;
  g->spawn([] { yield(); });
  spawn([&] {
    try {
      g->join();
    } catch (const error&) {
      told = true;
    }
  });
  yield();
  yield();  // The member has ended, and the other has not gone on.
  g.reset();
  yield();
  CHECK(told);
}

TEST_CASE("another thread may not use one") {
  const scheduler s;
  group g;
  g.spawn([] { yield(); });
  const std::string home = weft_test::this_thread_text();
  std::thread([&] {
    const scheduler other;
    CHECK_THAT(weft_test::refusal_of([&] { g.cancel(); }),
               Catch::StartsWith(weft_test::refused(
                   "this scope, group or pool belongs to", home)));
    CHECK_THROWS_AS(g.spawn([] {}), wrong_scheduler);
    CHECK_THROWS_AS(g.wait(), wrong_scheduler);
    CHECK_THROWS_AS(g.join(), wrong_scheduler);
    CHECK_THROWS_AS(g.kill(), wrong_scheduler);
    CHECK_THROWS_AS(g.cancel(), wrong_scheduler);
  }).join();
  CHECK(!g.cancelled());
  CHECK(g.size() == 1);
  g.join();
}

TEST_CASE("who waits for one in its member's last words hears of its end") {
  const scheduler s;
  const tasklet_local<std::shared_ptr<void>> last;
  auto g = std::make_unique<group>();
  bool told = false;
  g->spawn([&] {
    yield();
    g.reset();
  });
  g->spawn([&] {
    last.set(std::shared_ptr<void>(nullptr, [&](void*) {
      try {
        g->wait();
      } catch (const error&) {
        told = true;
      }
    }));
  });
  CHECK(run().blocked == 0);
  CHECK(told);
}

}  // namespace
