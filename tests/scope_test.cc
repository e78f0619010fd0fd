// SPDX-License-Identifier: BSL-1.0
// Law 21, its scopes.
#include "weft/structure/scope.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/group.h"
#include "weft/sync/tasklet_local.h"
#include "weft/tasklet/error.h"
#include "weft/tasklet/greenlet.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

// Says when it is destroyed.
struct mark {
  std::string& trace;
  char name;
  ~mark() { trace += name; }
};

struct fixture {
  virtual_clock clock;
  channel<int> never;
  scheduler s{{.driver = &clock}};
  std::string trace;
  std::string reported;  // ints that nobody else has heard of; '?': others

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

  // A tasklet that waits for ever, and says when it ends.
  auto waiter(char name) {
    return [this, name] {
      const mark m{trace, name};
      never.receive();
    };
  }
};

TEST_CASE_METHOD(fixture, "its end waits for all its tasklets") {
  {
    scope all;
    for (int i : {3, 1, 2})
      all.spawn([&, i] {
        sleep_for(1s * i);
        trace += std::to_string(i);
      });
    CHECK(all.size() == 3);
    trace += 'b';
  }
  CHECK(trace == "b123");
  CHECK(clock.now().time_since_epoch() == 3s);
}

TEST_CASE_METHOD(fixture, "one without tasklets ends at once") {
  bool switched = false;
  spawn([&] { switched = true; });
  {
    scope all;
    all.join();
    CHECK(all.size() == 0);
  }
  CHECK(!switched);
}

TEST_CASE_METHOD(fixture, "join() waits, and more may be spawned afterwards") {
  scope all;
  all.spawn([&](char name) { trace += name; }, 'a');
  all.join();
  CHECK(trace == "a");
  all.spawn({.name = "b"}, [&] { trace += current().name(); });
  all.join();
  CHECK(trace == "ab");
}

TEST_CASE_METHOD(
    fixture, "what is thrown into a member before it begins is its failure") {
  const auto body = [&] {
    scope all;
    all.spawn(waiter('w'));
    yield();
    all.spawn(waiter('n')).throw_exception(std::make_exception_ptr(7));
    all.join();
  };
  CHECK_THROWS_AS(body(), int);
  CHECK(trace == "w");
  CHECK(reported.empty());
}

TEST_CASE_METHOD(fixture, "a tasklet_exit thrown so is none") {
  scope all;
  all.spawn([&] { trace += 'a'; });
  all.spawn(waiter('n'))
      .throw_exception(std::make_exception_ptr(tasklet_exit()), pending);
  all.join();
  CHECK(trace == "a");
}

TEST_CASE_METHOD(fixture,
                 "a member that ends others before they begin answers for "
                 "itself") {
  scope inner;
  const tasklet n = inner.spawn(waiter('n'));
  const auto body = [&] {
    scope all;
    const auto last = std::shared_ptr<void>(nullptr, [n](void*) { n.kill(); });
    all.spawn([last] {}).throw_exception(std::make_exception_ptr(7), pending);
    all.join();
  };
  CHECK_THROWS_AS(body(), int);
  CHECK(inner.size() == 0);
  inner.join();
}

TEST_CASE_METHOD(fixture, "a member may spawn members") {
  {
    scope all;
    all.spawn([&] {
      trace += 'a';
      all.spawn([&] {
        sleep_for(1s);
        trace += 'c';
      });
      trace += 'b';
    });
  }
  CHECK(trace == "abc");
}

TEST_CASE_METHOD(fixture,
                 "a failure kills the others and is raised in the owner, "
                 "wherever it waits") {
  const tasklet other = spawn([] { sleep_for(1h); });
  const std::array<std::function<void(scope&)>, 8> waits{
      [&](scope&) { never.receive(); },
      [&](scope&) { never.send(1); },
      [](scope&) { sleep_for(1h); },
      [&](scope&) { other.join(); },
      [](scope&) { run(); },
      [](scope&) { suspend(); },
      [](scope& all) { all.join(); },
      [](scope&) {},  // at the end of the scope
  };
  const auto& wait = waits.at(GENERATE(range(0U, 8U)));
  const bool in_main = GENERATE(false, true);
  const auto body = [&] {
    try {
      scope all;
      all.spawn(waiter('w'));
      all.spawn([&] {
        sleep_for(1s);
        const mark m{trace, 'f'};
        throw 7;
      });
      const mark m{trace, 'o'};
      wait(all);
    } catch (int i) {
      trace += std::to_string(i);
    }
  };
  if (in_main)
    body();
  else
    spawn(body).join();
  // The owner's frame ends before its scope does.
  std::sort(trace.begin(), trace.end() - 1);
  CHECK(trace == "fow7");
  CHECK(clock.now().time_since_epoch() == 1s);
  CHECK(reported.empty());
  other.kill();
}

TEST_CASE_METHOD(fixture, "an owner that does not wait gets it when it does") {
  try {
    scope all;
    all.spawn([] { throw 7; });
    yield();
    trace += 'a';
    yield();
    trace += '!';
  } catch (int) {
    trace += 'c';
  }
  CHECK(trace == "ac");
}

TEST_CASE_METHOD(fixture, "the first failure is raised, later ones reported") {
  const bool caught_inside = GENERATE(false, true);
  try {
    scope all;
    for (int i : {1, 2, 3})
      all.spawn([&, i] {
        try {
          never.receive();
        } catch (const tasklet_exit&) {
          throw i;  // NOLINT: instead of the kill
        }
      });
    all.spawn([] { throw 0; });
    if (caught_inside) {
      try {
        never.receive();
      } catch (int i) {
        trace += std::to_string(i);
      }
    }
  } catch (int i) {
    trace += std::to_string(i);
  }
  CHECK(trace == "0");
  CHECK(reported == "123");
}

TEST_CASE_METHOD(fixture, "what leaves the block has its tasklets killed") {
  try {
    scope all;
    all.spawn(waiter('w'));
    yield();
    all.spawn([&] { trace += '!'; });
    throw std::runtime_error("body");
  } catch (const std::runtime_error&) {
    trace += 'e';
  }
  CHECK(trace == "we");
}

TEST_CASE_METHOD(fixture, "a failure that comes then is reported") {
  CHECK_THROWS_AS(([&] {
                    scope all;
                    all.spawn([&] {
                      const shield on;
                      sleep_for(1s);
                      throw 7;
                    });
                    yield();
                    throw std::runtime_error("body");
                  }()),
                  std::runtime_error);
  CHECK(reported == "7");
}

TEST_CASE_METHOD(fixture, "a kill of the owner kills all, and goes on then") {
  const bool joins = GENERATE(false, true);
  const tasklet owner = spawn([&] {
    const mark m{trace, 'o'};
    scope all;
    all.spawn([&] {
      const mark w{trace, 'w'};
      try {
        never.receive();
      } catch (const tasklet_exit&) {
        const shield on;
        sleep_for(1s);
        throw;
      }
    });
    if (joins) all.join();
  });
  yield();
  yield();
  owner.kill();
  CHECK(owner.alive());
  owner.join();
  CHECK(trace == "wo");
  CHECK(reported.empty());
}

TEST_CASE_METHOD(fixture, "so does the owner's time-out") {
  CHECK(!with_timeout(1s, [&] {
    scope all;
    all.spawn(waiter('w'));
  }));
  CHECK(trace == "w");
  CHECK(clock.now().time_since_epoch() == 1s);
}

TEST_CASE_METHOD(fixture, "scopes nest") {
  const char fails = GENERATE('i', 'o', 'n');
  try {
    scope outer;
    outer.spawn(waiter('o'));
    outer.spawn([&] {
      sleep_for(1s);
      if (fails == 'o') throw 1;
    });
    try {
      scope inner;
      inner.spawn(waiter('i'));
      inner.spawn([&] {
        sleep_for(1s);
        if (fails == 'i') throw 2;
      });
      inner.spawn([&] {
        sleep_for(2s);
        inner.cancel();
      });
    } catch (int i) {
      trace += std::to_string(i);
      if (i == 1) throw;
    }
    outer.cancel();
  } catch (int i) {
    trace += std::to_string(i);
  }
  if (fails == 'i') CHECK(trace == "i2o");
  if (fails == 'n') CHECK(trace == "io");
  // What the outer one's tasklets are told, they are told first.
  if (fails == 'o') CHECK(trace == "oi11");
  CHECK(reported.empty());
}

TEST_CASE_METHOD(fixture, "cancel() kills all, and what is spawned later") {
  scope all;
  const auto token = all.get_stop_token();
  all.spawn(waiter('w'));
  yield();
  CHECK(!token.stop_requested());
  all.cancel();
  CHECK(all.cancelled());
  CHECK(token.stop_requested());
  CHECK(all.get_stop_token().stop_requested());
  CHECK(trace.empty());
  CHECK(!all.spawn([&] { trace += '!'; }).alive());
  all.join();
  CHECK(trace == "w");
}

TEST_CASE_METHOD(fixture, "a token that is asked for later is stopped, too") {
  scope all;
  all.cancel();
  CHECK(all.get_stop_token().stop_requested());
}

TEST_CASE_METHOD(fixture, "a member that cancels goes on") {
  scope all;
  all.spawn(waiter('w'));
  all.spawn([&] {
    all.cancel();
    trace += 'c';
    yield();
    trace += 'd';
  });
  all.join();
  CHECK(trace == "cwd");
}

TEST_CASE_METHOD(fixture, "what a dying member spawns is killed, too") {
  struct spawner {
    scope& all;
    std::string& trace;
    bool armed = true;
    spawner(scope& a, std::string& t) : all(a), trace(t) {}
    spawner(spawner&& o) noexcept
        : all(o.all), trace(o.trace), armed(std::exchange(o.armed, false)) {}
    spawner& operator=(spawner&&) = delete;
    ~spawner() {
      if (armed) all.spawn([&t = trace] { t += '!'; });
    }
    void operator()() const {}
  };
  scope all;
  for (int i = 0; i < 20; ++i) {
    all.spawn(waiter('w'));
    all.spawn(spawner(all, trace));
  }
  all.cancel();
  all.join();
  CHECK(trace.empty());  // None had started.
}

TEST_CASE_METHOD(fixture, "one that refuses to die is waited for") {
  CHECK_THROWS_AS(([&] {
                    scope all;
                    all.spawn([&] {
                      const shield on;
                      sleep_for(5s);
                      trace += 's';
                    });
                    yield();
                    throw 1;
                  }()),
                  int);
  CHECK(trace == "s");
  CHECK(reported.empty());
}

TEST_CASE_METHOD(fixture, "one that never can is reported and left behind") {
  CHECK_THROWS_AS(([&] {
                    scope all;
                    all.spawn([&] {
                      const shield on;
                      never.receive();
                      throw 5;  // Its scope has gone.
                    });
                    yield();
                    throw 1;
                  }()),
                  int);
  CHECK(reported == "?");
  never.send(1);
  yield();
  CHECK(reported == "?5");
}

TEST_CASE_METHOD(fixture, "where members could never end, join() kills them") {
  scope all;
  all.spawn(waiter('w'));
  yield();
  CHECK_THROWS_AS(all.join(), deadlock_error);
  CHECK(trace == "w");
  CHECK(all.size() == 0);
}

TEST_CASE_METHOD(fixture, "it is joined by its owner only") {
  scope all;
  spawn([&] { CHECK_THROWS_AS(all.join(), error); }).run();
}

TEST_CASE_METHOD(fixture, "a value that comes first is not lost to a failure") {
  channel<int> c;
  c.set_preference(preference::neither);
  std::optional<int> got;
  try {
    scope all;
    all.spawn([&] {
      c.send(7);
      throw 1;
    });
    got = c.receive();
    trace += 'g';
    yield();
    trace += '!';
  } catch (int) {
    trace += 'f';
  }
  CHECK(trace == "gf");
  CHECK(got == 7);
}

TEST_CASE_METHOD(fixture, "a kill of a member is no failure") {
  scope all;
  const tasklet one = all.spawn(waiter('w'));
  all.spawn(waiter('x'));
  yield();
  one.kill();
  CHECK(all.size() == 1);
  CHECK(!all.cancelled());
  all.cancel();
}

TEST_CASE_METHOD(fixture, "a million tasklets in one take no more memory") {
  scope all;
  int ended = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    all.spawn([&] { ++ended; });
    if (i % 100 == 0) yield();
  }
  all.join();
  CHECK(ended == 1'000'000);
}

TEST_CASE("the end of a scheduler ends the scopes of its tasklets") {
  std::string trace;
  {
    channel<int> never;
    const scheduler s;
    spawn([&] {
      const mark o{trace, 'o'};
      scope all;
      for (char name : {'a', 'b'})
        all.spawn([&, name] {
          const mark m{trace, name};
          never.receive();
        });
      const mark b{trace, 'x'};
      never.receive();
    });
    yield();
    yield();
  }
  CHECK(trace == "xabo");
}

TEST_CASE("one may outlive its scheduler") {
  channel<int> never;
  std::string trace;
  std::optional<scheduler> s(std::in_place);
  scope all;
  all.spawn([&] {
    const mark m{trace, 'w'};
    never.receive();
  });
  yield();
  s.reset();
  CHECK(trace == "w");
  CHECK(all.size() == 0);
  CHECK_THROWS_AS(all.spawn([] {}), no_scheduler);
  CHECK_THROWS_AS(all.join(), no_scheduler);
}

TEST_CASE("another thread may not use one") {
  const scheduler s;
  scope all;
  all.spawn([] { yield(); });
  std::thread([&] {
    const scheduler other;
    CHECK_THROWS_AS(all.spawn([] {}), wrong_scheduler);
    CHECK_THROWS_AS(all.join(), error);
    CHECK_THROWS_AS(all.cancel(), wrong_scheduler);
  }).join();
  CHECK(!all.cancelled());
  CHECK(all.size() == 1);
}

TEST_CASE("without a scheduler there is none") {
  CHECK_THROWS_AS(scope(), no_scheduler);
}

TEST_CASE_METHOD(fixture,
                 "a failure behind the kill of the owner is reported") {
  const tasklet owner = spawn([&] {
    scope all;
    all.spawn([&] {
      try {
        never.receive();
      } catch (const tasklet_exit&) {
        throw 7;
      }
    });
  });
  yield();
  yield();
  owner.kill();
  owner.join();
  CHECK(reported == "7");
}

// ---- when a member has ended

TEST_CASE("a member has ended when the values that it carries have") {
  const scheduler s;
  const tasklet_local<std::shared_ptr<void>> last;
  const auto spawn_one = [&last](auto& in, std::string& trace) {
    in.spawn([&last, &trace] {
      last.set(std::shared_ptr<void>(nullptr, [&trace](void*) {
        yield();
        trace += 'x';
      }));
    });
  };
  SECTION("of a scope") {
    std::string trace;
    {
      scope all;
      spawn_one(all, trace);
    }
    CHECK(trace == "x");
  }
  SECTION("of a group that is awaited") {
    std::string trace;
    group g;
    spawn_one(g, trace);
    g.join();
    CHECK(trace == "x");
  }
  SECTION("of a group that ends") {
    std::string trace;
    {
      group g;
      spawn_one(g, trace);
      yield();  // The function has returned.
      CHECK(g.size() == 0);
    }
    CHECK(trace == "x");
  }
}

TEST_CASE("a member has ended when the greenlets that it leaves have") {
  const scheduler s;
  std::string trace;
  greenlet left;
  {
    scope all;
    all.spawn([&] {
      left = greenlet([&trace, home = current_greenlet()] {
        const struct slow_mark {
          std::string& trace;
          ~slow_mark() {
            yield();
            trace += 'x';
          }
        } m{trace};
        home.switch_to();
      });
      left.switch_to();
      trace += 'a';
    });
  }
  CHECK(trace == "ax");
}

TEST_CASE("a group that ends with a value of its member waits for the others") {
  const scheduler s;
  struct server {
    explicit server(std::string& t) : trace(t) {}
    ~server() { trace += 's'; }
    std::string& trace;
    group all;
  };
  std::string trace;
  const tasklet_local<std::shared_ptr<server>> last;
  auto one = std::make_shared<server>(trace);
  group& all = one->all;
  all.spawn([&] {
    const mark m{trace, 'w'};
    suspend();
  });
  all.spawn(
      [&last, one = std::move(one)]() mutable { last.set(std::move(one)); });
  run();
  CHECK(trace == "sw");
}

// ---- traps

TEST_CASE("under a trap join() changes nothing") {
  const scheduler s;
  scope all;
  const tasklet t = all.spawn([] { yield(); });
  yield();
  SECTION("that forbids to block") {
    const block_trap none;
    CHECK_THROWS_AS(all.join(), block_trap_error);
  }
  SECTION("that forbids to switch") {
    const switch_trap none;
    CHECK_THROWS_AS(all.join(), switch_trap_error);
  }
  CHECK(t.alive());
  CHECK(!all.cancelled());
  all.join();
  const switch_trap none;
  all.join();  // There is nobody to wait for.
}

TEST_CASE("the end of a scope or a group waits under traps, too") {
  const scheduler s;
  std::string trace;
  const auto member = [&trace] {
    const mark m{trace, 'w'};
    suspend();
  };
  SECTION("a scope, where it must not block") {
    const auto f = [&] {
      const block_trap none;
      scope all;
      all.spawn(member);
      yield();
    };
    CHECK_THROWS_AS(f(), block_trap_error);
  }
  SECTION("a scope, where nothing may switch") {
    const auto f = [&] {
      std::optional<switch_trap> none;
      scope all;
      all.spawn(member);
      yield();
      none.emplace();
    };
    CHECK_THROWS_AS(f(), switch_trap_error);
  }
  SECTION("a group") {
    std::optional<switch_trap> none;
    group all;
    all.spawn(member);
    yield();
    none.emplace();
  }
  CHECK(trace == "w");
}

TEST_CASE("the end of a scope may end callables that block, under a trap") {
  const scheduler s;
  struct slow {
    explicit slow(bool& e) : ended(&e) {}
    slow(slow&& other) noexcept : ended(std::exchange(other.ended, nullptr)) {}
    slow& operator=(slow&&) = delete;
    ~slow() {
      if (ended == nullptr) return;
      const shield on;
      sleep_for(1ms);
      *ended = true;
    }
    bool* ended;
  };
  bool ended = false;
  const auto f = [&ended] {
    const block_trap none;
    scope all;
    all.spawn([one = slow(ended)] {});
  };
  CHECK_THROWS_AS(f(), block_trap_error);
  CHECK(ended);
}

TEST_CASE("what is due comes before a trap") {
  const scheduler s;
  const auto f = [] {
    const block_trap none;
    scope all;
    all.spawn([] { suspend(); });
    all.spawn([] { throw 1; });
    yield();
  };
  CHECK_THROWS_AS(f(), int);
}

}  // namespace
