// SPDX-License-Identifier: BSL-1.0
// Law 7: kill.
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/channel/channel_callback.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/group.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using std::chrono::hours;
using weft_test::counted;

static_assert(!std::is_base_of_v<std::exception, tasklet_exit>);

// Says when it is destroyed.
struct mark {
  std::string& trace;
  char name;
  ~mark() { trace += name; }
};

TEST_CASE("a kill raises tasklet_exit out of the blocking call, now") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    const mark m{trace, 'd'};
    try {
      c.receive();
      trace += '!';
    } catch (const tasklet_exit&) {
      trace += 'k';
      throw;
    }
  });
  run();
  spawn([&] { trace += 'q'; });
  t.kill();
  trace += 'm';
  CHECK(trace == "kdm");
  CHECK(!t.alive());
  CHECK(c.balance() == 0);
  run();
  CHECK(trace == "kdmq");
}

TEST_CASE("a pending kill is raised at the target's turn") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet blocked = spawn([&] {
    const mark m{trace, 'b'};
    c.receive();
  });
  run();
  const tasklet queued = spawn([&] {
    const mark m{trace, 'q'};
    yield();
    yield();
  });
  yield();
  spawn([&] { trace += 'x'; });
  blocked.kill(pending);
  queued.kill(pending);
  CHECK(c.balance() == 0);
  CHECK(blocked.scheduled());
  trace += 'm';
  run();
  CHECK(trace == "mqxb");
}

TEST_CASE(
    "a target that never started just ends, and its callable is destroyed") {
  const scheduler s;
  counted::reset();
  bool ran = false;
  const auto body = [&ran](const counted&) { ran = true; };
  const tasklet now = spawn(body, counted(1));
  const tasklet later = spawn(body, counted(2));
  now.kill();
  later.kill(pending);
  CHECK(counted::alive == 0);
  CHECK(!now.alive());
  CHECK(!later.alive());
  run();
  CHECK(!ran);
}

TEST_CASE("the killer goes on as soon as the target yields, blocks or ends") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      c.receive();
    } catch (const tasklet_exit&) {
      trace += '1';
      yield();
      trace += '2';
      throw;
    }
  });
  run();
  t.kill();
  trace += 'm';
  CHECK(t.alive());
  run();
  CHECK(trace == "1m2");
  CHECK(!t.alive());
}

TEST_CASE("a kill of the current tasklet is raised right there") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    const mark m{trace, 'd'};
    current().kill();
    trace += '!';
  });
  run();
  CHECK(trace == "d");
  CHECK(!t.alive());
}

TEST_CASE("a kill of a dead tasklet does nothing") {
  const scheduler s;
  const tasklet t = spawn([] {});
  run();
  t.kill();
  t.kill(pending);
  tasklet().kill();
}

TEST_CASE("a kill that is swallowed is raised again by the next operation") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    const auto swallow = [&](char name, auto f) {
      try {
        f();
        trace += '!';
      } catch (const tasklet_exit&) {
        trace += name;
      }
    };
    swallow('r', [&] { c.receive(); });
    swallow('y', [] { yield(); });
    swallow('s', [&] { c.send(1); });
    swallow('t', [&] { static_cast<void>(c.try_receive()); });
    swallow('w', [] { sleep_for(hours(1)); });
    swallow('u', [] { run(); });
    swallow('j', [&] { spawn([] {}).join(); });
    c.receive();
  });
  run();
  t.kill();
  CHECK(trace == "rystwuj");
  CHECK(!t.alive());
  CHECK(c.balance() == 0);
  run();
}

TEST_CASE("a kill that is due leaves operations that do not park alone") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      suspend();
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
    const tasklet me = current();
    const switch_trap one;
    const block_trap two;
    const atomic_section three;
    me.set_block_trap(false);
    me.set_name("t");
    set_channel_callback(nullptr);
    trace += 'a';
    yield();
    trace += '!';
  });
  run();
  t.kill();
  CHECK(trace == "ka");
  CHECK(!t.alive());
}

TEST_CASE(
    "a swallowed kill stays with its tasklet and leaves the others alone") {
  const scheduler s;
  channel<int> c;
  channel<int> d;
  bool got = false;
  const tasklet t = spawn([&] {
    try {
      c.receive();
    } catch (const tasklet_exit&) {
    }
    shield on;
    d.receive();
  });
  run();
  t.kill();
  spawn([&] { got = c.receive() == 5; });
  spawn([&] { c.send(5); });
  run();
  CHECK(got);
  CHECK(t.blocked());
  d.send(1);
  run();
}

TEST_CASE("a kill is held back while a shield is alive, and raised after it") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    {
      const shield outer;
      {
        const shield inner;
        trace += static_cast<char>('0' + *c.receive());
      }
      trace += static_cast<char>('0' + *c.receive());
    }
    try {
      yield();
      trace += '!';
    } catch (const tasklet_exit&) {
      trace += 'k';
      throw;
    }
  });
  run();
  t.kill();
  CHECK(t.blocked());
  CHECK(c.balance() == -1);
  c.send(1);
  c.send(2);
  run();
  CHECK(trace == "12k");
  CHECK(!t.alive());
}

TEST_CASE("a kill is held back while the target unwinds") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  struct blocks {
    channel<int>& c;
    std::string& trace;
    ~blocks() {
      trace += static_cast<char>('0' + *c.receive());
      yield();
      trace += 'd';
    }
  };
  const tasklet t = spawn([&] {
    try {
      const blocks b{c, trace};
      throw 1;
    } catch (int) {
      trace += 'c';
    }
    try {
      yield();
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
  });
  run();
  t.kill();
  CHECK(t.blocked());
  c.send(3);
  run();
  CHECK(trace == "3dck");
}

TEST_CASE("destructors that run because of a kill may block") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  struct farewell {
    channel<int>& c;
    std::string& trace;
    ~farewell() {
      const shield on;
      c.send(4);
      trace += 'd';
    }
  };
  const tasklet t = spawn([&] {
    const farewell f{c, trace};
    for (;;) yield();
  });
  yield();
  t.kill();
  CHECK(t.blocked());
  t.kill();
  CHECK(t.blocked());
  CHECK(c.receive() == 4);
  run();
  CHECK(trace == "d");
  CHECK(!t.alive());
}

TEST_CASE("a kill is held back inside a handler of the kill itself") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      c.receive();
    } catch (const tasklet_exit&) {
      try {
        throw 1;
      } catch (int) {
        yield();
        trace += static_cast<char>('0' + *c.receive());
      }
      throw;
    }
  });
  run();
  t.kill();
  run();
  t.kill();
  CHECK(t.blocked());
  c.send(6);
  run();
  CHECK(trace == "6");
  CHECK(!t.alive());
}

TEST_CASE("a kill is raised inside a handler of anything else") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      throw 1;
    } catch (int) {
      const mark m{trace, 'k'};
      c.receive();
    }
  });
  run();
  t.kill();
  CHECK(trace == "k");
  CHECK(!t.alive());
}

TEST_CASE("a kill of main raises in main") {
  const scheduler s;
  channel<int> c;
  const tasklet me = current();
  spawn([me] { me.kill(); });
  CHECK_THROWS_AS(c.receive(), tasklet_exit);
  CHECK(c.balance() == 0);
  CHECK_THROWS_AS(yield(), tasklet_exit);
}

TEST_CASE("a kill takes a sleeper out of its sleep") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  bool woke = false;
  const tasklet t = spawn([&] {
    sleep_for(hours(1));
    woke = true;
  });
  s.run_for(hours(0));
  t.kill();
  CHECK(!t.alive());
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(clock.now().time_since_epoch() == hours(0));
  CHECK(!woke);
}

TEST_CASE("a kill of one that joins leaves the joined one alone") {
  const scheduler s;
  channel<int> c;
  const tasklet target = spawn([&] { c.receive(); });
  const tasklet joiner = spawn([&] { target.join(); });
  run();
  joiner.kill();
  CHECK(!joiner.alive());
  CHECK(target.alive());
  c.send(1);
  run();
  CHECK(!target.alive());
}

TEST_CASE("a kill of one inside run ends that run") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    const mark m{trace, 'd'};
    run();
    trace += '!';
  });
  spawn([&] {
    t.kill();
    trace += 'k';
    yield();
    trace += 'e';
  });
  CHECK(run().why == run_result::drained);
  CHECK(trace == "dke");
}

TEST_CASE("a value handed over but not picked up is destroyed exactly once") {
  const scheduler s;
  const auto capacity = GENERATE(0U, 2U);
  counted::reset();
  {
    channel<counted> c(capacity);
    c.set_preference(preference::neither);
    const tasklet t = spawn([&] { c.receive(); });
    run();
    c.send(counted(1));
    CHECK(counted::alive == 1);
    t.kill();
    CHECK(!t.alive());
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a kill is not lost behind another exception") {
  const scheduler s;
  channel<int> buffer(1);
  std::string trace;
  const tasklet fails = spawn([] {
    yield();
    throw 1;
  });
  const tasklet t = spawn([&] {
    try {
      fails.join();
    } catch (int) {
      trace += 'i';
    }
    const mark m{trace, 'd'};
    buffer.send(1);
    trace += '!';
  });
  yield();
  yield();
  t.kill(pending);
  run();
  CHECK(trace == "id");
  CHECK(buffer.size() == 0);
}

TEST_CASE("a kill is not lost by a yield while nobody else is runnable") {
  const scheduler s;
  channel<int> never;
  channel<int> buffer(1);
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      never.receive();
    } catch (const tasklet_exit&) {
      yield();  // held back: this is the handler
    }
    const mark m{trace, 'd'};
    buffer.send(1);
    trace += '!';
  });
  run();
  t.kill(pending);
  run();
  CHECK(trace == "d");
}

TEST_CASE("kill leaves a waiting line in order") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  std::array<tasklet, 4> t;
  for (int i = 0; i < 4; ++i)
    t[static_cast<std::size_t>(i)] = spawn([&, i] {
      trace += static_cast<char>('0' + i);
      trace += static_cast<char>('a' + *c.receive());
    });
  run();
  trace.clear();
  t[1].kill();
  t[3].kill();
  CHECK(c.balance() == -2);
  c.send(0);
  c.send(1);
  CHECK(trace == "ab");
  CHECK(c.balance() == 0);
  run();
}

// Does something to the tasklet that is current when the scheduler asks.
struct busy_driver : virtual_clock {
  std::function<void(const tasklet&)> act;
  bool acted = false;

  [[nodiscard]] bool expects() const noexcept override { return !acted; }
  void poll() noexcept override {
    if (!current().is_main() && !std::exchange(acted, true)) act(current());
  }
};

TEST_CASE("a driver may kill the one that parks, which is current") {
  busy_driver driver;
  const scheduler s({.driver = &driver});
  channel<int> c;
  int ended = 0;
  group members;
  const bool blocks = GENERATE(true, false);
  spawn([] { sleep_for(hours(1)); });  // Or those who yield are never asked.
  const auto begin = [&] {
    for (int n = 0; n != (blocks ? 1 : 3); ++n)
      members.spawn([&] {
        try {
          if (blocks) c.receive();
          for (int i = 0; i != 1000; ++i) yield();
        } catch (const tasklet_exit&) {
          ++ended;
          throw;
        } catch (int) {
          ++ended;
        }
      });
  };
  SECTION("by a kill") {
    begin();
    driver.act = [](const tasklet& t) { t.kill(pending); };
  }
  SECTION("at once means the same") {
    begin();
    driver.act = [](const tasklet& t) { t.kill(); };
  }
  SECTION("by what is thrown into it") {
    begin();
    driver.act = [](const tasklet& t) {
      t.throw_exception(std::make_exception_ptr(1), pending);
    };
  }
  SECTION("with its group") {
    begin();
    driver.act = [&](const tasklet&) { members.kill(); };
  }
  run();
  CHECK(ended >= 1);
  CHECK(c.balance() == 0);
}

}  // namespace
