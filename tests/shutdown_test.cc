// SPDX-License-Identifier: BSL-1.0
// Law 14: the end of a scheduler.
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "weft/actor/link.h"
#include "weft/channel/channel.h"
#include "weft/scheduler/census.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

struct mark {
  std::string& trace;
  char name;
  ~mark() { trace += name; }
};

TEST_CASE(
    "never-started, runnable, then blocked tasklets end, in spawn order") {
  channel<int> c;
  std::string trace;
  {
    const scheduler s;
    const auto blocked = [&](char name) {
      spawn([&, name] {
        const mark m{trace, name};
        c.receive();
      });
    };
    const auto runnable = [&](char name) {
      spawn([&, name] {
        const mark m{trace, name};
        for (;;) yield();
      });
    };
    blocked('5');
    runnable('3');
    blocked('6');
    runnable('4');
    yield();
    yield();
    const auto unstarted = [&](char name) {
      auto m = std::make_unique<mark>(mark{trace, name});
      trace.clear();
      spawn([m = std::move(m)] {});
    };
    unstarted('1');
    unstarted('2');
  }
  CHECK(trace == "123456");
  CHECK(c.balance() == 0);
}

TEST_CASE("what is spawned meanwhile is killed at once") {
  bool ran = false;
  tasklet late;
  {
    const scheduler s;
    channel<int> c;
    struct spawner {
      bool& ran;
      tasklet& late;
      ~spawner() {
        late = spawn([&r = ran] { r = true; });
      }
    };
    spawn([&] {
      const spawner x{ran, late};
      c.receive();
    });
    run();
  }
  CHECK(!ran);
  CHECK(!late.alive());
}

TEST_CASE("an end callback that spawns another each time does so in vain") {
  scheduler s;
  channel<int> c;
  int spawned = 0;
  int ended = 0;
  const std::function<void()> serve = [&] { c.receive(); };
  s.set_spawn_callback([&](tasklet) { ++spawned; });
  s.set_end_callback([&](tasklet, const std::exception_ptr&) {
    ++ended;
    spawn(serve);
  });
  const tasklet first = spawn(serve);
  yield();
  first.kill();
  CHECK(spawned == 2);
  s.shutdown();
  CHECK(spawned == 2);
  CHECK(ended == 2);
}

TEST_CASE("destructors that block for each other are run to their end") {
  std::string trace;
  {
    channel<int> c;
    const scheduler s;
    struct talks {
      channel<int>& c;
      std::string& trace;
      bool sends;
      ~talks() {
        const shield on;
        sends ? c.send(1) : static_cast<void>(c.receive());
        trace += sends ? 's' : 'r';
      }
    };
    channel<int> never;
    for (bool sends : {true, false})
      spawn([&, sends] {
        const talks t{c, trace, sends};
        never.receive();
      });
    run();
  }
  CHECK(trace.size() == 2);
}

TEST_CASE("one that waits inside a shield for nothing gets deadlock_error") {
  std::string trace;
  {
    channel<int> c;
    const scheduler s;
    spawn([&] {
      const shield on;
      try {
        c.receive();
      } catch (const deadlock_error&) {
        trace += 'd';
      }
    });
    run();
  }
  CHECK(trace == "d");
}

TEST_CASE("one that sleeps inside a shield is waited for") {
  virtual_clock clock;
  bool woke = false;
  {
    const scheduler s({.driver = &clock});
    spawn([&] {
      const shield on;
      sleep_for(1h);
      woke = true;
    });
    yield();
  }
  CHECK(woke);
  CHECK(clock.now().time_since_epoch() == 1h);
}

TEST_CASE("one that swallows a kill is killed again") {
  int swallowed = 0;
  {
    channel<int> c;
    const scheduler s;
    spawn([&] {
      for (int i = 0; i < 10; ++i) {
        try {
          c.receive();
        } catch (const tasklet_exit&) {
          ++swallowed;
        }
      }
    });
    run();
  }
  CHECK(swallowed == 10);
}

TEST_CASE("main cannot be killed by those that it ends") {
  std::string trace;
  {
    channel<int> c;
    const scheduler s;
    struct avenger {
      tasklet main;
      std::string& trace;
      ~avenger() {
        const shield on;
        main.kill();
        trace += 'd';
      }
    };
    for (int i = 0; i < 20; ++i)
      spawn([&, main = current()] {
        const avenger a{main, trace};
        c.receive();
      });
    run();
  }
  CHECK(trace == std::string(20, 'd'));
}

TEST_CASE("every one that waits inside a shield is told its own deadlock") {
  std::string trace;
  {
    channel<int> c;
    const scheduler s;
    for (const char* name : {"one", "two", "three"})
      spawn({.name = name}, [&, name] {
        const shield on;
        try {
          c.receive();
        } catch (const deadlock_error& e) {
          const std::string text = e.what();
          trace += text.find(name) != std::string::npos ? 'd' : '!';
        }
      });
    run();
  }
  CHECK(trace == "ddd");
}

TEST_CASE("a shield may outlive its scheduler") {
  scheduler s;
  const shield on;
  s.shutdown();
}

TEST_CASE("failures on the way down do not stop the others") {
  std::string trace;
  {
    channel<int> c;
    const scheduler s;
    for (char name : {'a', 'b'})
      spawn([&, name] {
        try {
          c.receive();
        } catch (const tasklet_exit&) {
          trace += name;
          throw 1;
        }
      });
    run();
  }
  CHECK(trace == "ab");
}

TEST_CASE("those who join are ended too") {
  tasklet joiner;
  {
    channel<int> c;
    const scheduler s;
    const tasklet t = spawn([&] { c.receive(); });
    joiner = spawn([t] { t.join(); });
    run();
  }
  CHECK(!joiner.alive());
}

TEST_CASE("a tasklet inside run is ended too") {
  std::string trace;
  {
    channel<int> c;
    scheduler s;
    spawn([&] {
      const mark m{trace, 'o'};
      spawn([&] {
        for (;;) yield();
      });
      run();
    });
    s.run_n(5);
  }
  CHECK(trace == "o");
}

TEST_CASE(
    "shutdown leaves the thread without a scheduler, and may come twice") {
  scheduler s;
  spawn([] {});
  s.shutdown();
  s.shutdown();
  CHECK_THROWS_AS(run(), no_scheduler);
  CHECK_THROWS_AS(s.run(), no_scheduler);
  const scheduler next;
  CHECK(current().is_main());
}

TEST_CASE("a scheduler may end while an exception is on its way") {
  std::string trace;
  channel<int> c;
  try {
    const scheduler s;
    spawn([&] {
      const mark m{trace, 'd'};
      c.receive();
    });
    run();
    throw 1;
  } catch (int) {
    trace += 'c';
  }
  CHECK(trace == "dc");
}

TEST_CASE("a failure is reported on the smallest stack") {
  const auto e = weft_test::in_child([] {
    scheduler s;
    channel<int> never;
    spawn({.stack_size = 1}, [&] {
      try {
        never.receive();
      } catch (const tasklet_exit&) {
        throw std::runtime_error("in the end");
      }
    });
    yield();
    s.shutdown();
  });
  CHECK(e.returned);
  CHECK_THAT(e.said, Catch::Contains("failed: in the end"));
}

TEST_CASE("one that swallows 16 kills is reported and abandoned", "[leaks]") {
  const census before = take_census();
  int swallowed = 0;
  const tasklet t = [&] {
    channel<int> c;
    const scheduler s;
    const tasklet refuses = spawn([&] {
      for (;;) {
        try {
          c.receive();
        } catch (const tasklet_exit&) {
          ++swallowed;
        }
      }
    });
    run();
    return refuses;
  }();
  CHECK(swallowed == 16);
  CHECK(!t.alive());
  CHECK(take_census().tasklets == before.tasklets + 1);
}

TEST_CASE("one that is abandoned gives up what it inherited, and its links",
          "[leaks]") {
  const bool linked = GENERATE(true, false);
  channel<int> c;
  const scheduler s;
  const deadline limit(1h);
  spawn([&] {
    if (linked) link(spawn([] { suspend(); }));
    for (;;) try {
        c.receive();
      } catch (const tasklet_exit&) {
      }
  });
  yield();
}

TEST_CASE("one that another's end lets go on is told of no deadlock") {
  std::string trace;
  channel<int> c(1);
  {
    const scheduler s;
    spawn([&] {
      const shield on;
      try {
        c.send_exception(std::make_exception_ptr(1));
      } catch (const deadlock_error&) {
        trace += 'd';
      }
    });
    spawn([&] {
      const shield on;
      c.send(1);
      trace += 's';
    });
    run();
  }
  CHECK(trace == "sd");
}

TEST_CASE("what main was given ends with its scheduler") {
  const auto payload = std::make_shared<int>(1);
  {
    const scheduler s;
    s.main().set_name("the old one");
    const shield on;
    s.main().throw_exception(std::make_exception_ptr(payload));
    CHECK(payload.use_count() == 2);
  }
  CHECK(payload.use_count() == 1);
  const scheduler s;
  CHECK(s.main().name().empty());
  CHECK(spawn([] {}).name().empty());
  yield();
}

}  // namespace
