// SPDX-License-Identifier: BSL-1.0
// Law 21, its limits of time: timeout, deadline, with_timeout().
#include "weft/scheduler/timeout.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::counted;

static_assert(!std::is_base_of_v<std::exception, timed_out>);

struct virtual_time {
  virtual_clock clock;
  scheduler s{{.driver = &clock}};
  std::string trace;

  // 't': f() has thrown timed_out by `limit`; 'o': by another; 'r': it has
  // returned.
  template <typename F>
  void watch(const time_limit& limit, const F& f) {
    try {
      f();
      trace += 'r';
    } catch (const timed_out& e) {
      trace += e.by(limit) ? 't' : 'o';
    }
  }
};

TEST_CASE_METHOD(virtual_time,
                 "whatever the tasklet is parked in throws timed_out") {
  channel<int> c;
  channel<int> full(1);
  full.send(0);
  const tasklet other = spawn([] { sleep_for(1h); });
  const std::array<std::function<void()>, 8> waits{
      [&] { c.receive(); },
      [&] { c.send(1); },
      [&] { full.send(1); },
      [&] { other.join(); },
      [] { sleep_for(1h); },
      [] { suspend(); },
      [] { run(); },
      [&] { select(c.receive_case(), full.send_case(2)); },
  };
  const auto& wait = waits.at(GENERATE(range(0U, 8U)));
  const bool in_main = GENERATE(false, true);
  const auto body = [&] {
    timeout limit(1s);
    watch(limit, wait);
    CHECK(limit.expired());
  };
  if (in_main) {
    body();
  } else {
    const tasklet t = spawn(body);
    sleep_for(2s);
    CHECK(!t.alive());
  }
  CHECK(trace == "t");
  CHECK(clock.now().time_since_epoch() == (in_main ? 1s : 2s));
  CHECK(c.balance() == 0);
  CHECK(full.balance() == 0);
  CHECK(full.size() == 1);
}

TEST_CASE_METHOD(virtual_time, "switches past the queue do not outrun it") {
  const timeout limit(1h);
  const tasklet main = current();
  SECTION("run") {
    const tasklet other = spawn([] {
      for (;;) suspend();
    });
    yield();
    clock.advance(2h);
    watch(limit, [&] {
      for (int i = 0; i != 1000; ++i) other.run();
    });
  }
  SECTION("switch_to") {
    const tasklet other = spawn([&] {
      for (;;) main.switch_to();
    });
    clock.advance(2h);
    watch(limit, [&] {
      for (int i = 0; i != 1000; ++i) other.switch_to();
    });
  }
  SECTION("throw_exception") {
    const tasklet other = spawn([] {
      for (;;) try {
          suspend();
        } catch (int) {
          // It is what woke it.
        }
    });
    yield();
    clock.advance(2h);
    watch(limit, [&] {
      for (int i = 0; i != 1000; ++i)
        other.throw_exception(std::make_exception_ptr(1));
    });
  }
  CHECK(trace == "t");
}

TEST_CASE_METHOD(virtual_time,
                 "a handler of anything but a kill is no shield") {
  channel<int> c;
  try {
    throw 1;
  } catch (int) {
    const timeout limit(1h);
    watch(limit, [&] { c.receive(); });
  }
  CHECK(trace == "t");
}

TEST_CASE_METHOD(virtual_time, "one that has been removed goes on, too") {
  const tasklet t = spawn([&] {
    const timeout limit(1s);
    watch(limit, [] { yield(); });
    watch(limit, [] { yield(); });
  });
  yield();
  t.remove();
  sleep_for(2s);
  // Its own operation had come to its end.
  CHECK(trace == "rt");
  CHECK(!t.alive());
}

TEST_CASE_METHOD(virtual_time, "each knows its own") {
  channel<int> never;
  timeout outer(5s);
  const timeout inner(2s);
  watch(inner, [&] { never.receive(); });
  watch(inner, [&] { never.receive(); });
  CHECK(trace == "to");
  CHECK(inner.expired());
  CHECK(outer.expired());
}

TEST_CASE_METHOD(virtual_time,
                 "with several due, the outermost is raised first") {
  channel<int> never;
  const timeout outer(1s);
  {
    const timeout inner(1s);
    watch(outer, [&] { never.receive(); });
    CHECK(trace == "t");
    SECTION("an inner one that is still there comes next") {
      watch(inner, [&] { yield(); });
      CHECK(trace == "tt");
    }
    SECTION("else it has ended with its scope") {}
  }
  trace.clear();
  watch(outer, [] { sleep_for(1h); });
  CHECK(trace == "r");
}

TEST_CASE_METHOD(virtual_time, "it is raised once") {
  channel<int> never;
  const timeout limit(1s);
  watch(limit, [&] { never.receive(); });
  watch(limit, [] { sleep_for(1h); });
  watch(limit, [] { yield(); });
  CHECK(trace == "trr");
}

TEST_CASE_METHOD(virtual_time, "a deadline again and again, in its scope") {
  channel<int> never;
  {
    deadline limit(1s);
    watch(limit, [&] { never.receive(); });
    watch(limit, [&] { never.receive(); });
    watch(limit, [] { yield(); });
    watch(limit, [] { current().kill(); });
    CHECK(trace == "tttt");
    SECTION("till it is cancelled") {
      limit.cancel();
      watch(limit, [] { yield(); });
      CHECK(trace == "ttttr");
    }
    SECTION("till it is restarted") {
      limit.restart(1s);
      CHECK(!limit.expired());
      watch(limit, [] { yield(); });
      watch(limit, [&] { never.receive(); });
      CHECK(trace == "ttttrt");
    }
  }
  yield();
}

TEST_CASE_METHOD(virtual_time, "what holds a kill back holds it back") {
  const auto nap = [] { sleep_for(2s); };
  const timeout limit(1s);
  SECTION("a shield") {
    {
      const shield on;
      watch(limit, nap);
      watch(limit, [] { yield(); });
    }
    CHECK(trace == "rr");
  }
  SECTION("unwinding") {
    struct at_end {
      virtual_time& test;
      const timeout& limit;
      ~at_end() {
        test.watch(limit, [] { sleep_for(2s); });
      }
    };
    try {
      const at_end e{*this, limit};
      throw 1;
    } catch (int) {
      // It has unwound.
    }
    CHECK(trace == "r");
  }
  SECTION("a shield, while another tasklet runs") {
    spawn([] {
      for (int i = 0; i < 300; ++i) yield();
    });
    {
      const shield on;
      watch(limit, nap);
    }
    CHECK(trace == "r");
  }
  CHECK(limit.expired());
  trace.clear();
  watch(limit, [] { yield(); });
  CHECK(trace == "t");
}

TEST_CASE_METHOD(virtual_time,
                 "one that has passed before anything blocks is raised by the "
                 "first operation that does") {
  channel<int> never;
  const auto in = GENERATE(0s, -1s, -24h);
  const timeout limit(in);
  CHECK(!limit.expired());
  watch(limit, [&] { never.receive(); });
  CHECK(trace == "t");
  CHECK(clock.now().time_since_epoch() == 0s);
}

TEST_CASE_METHOD(virtual_time, "cancelled it never happens") {
  timeout limit(1s);
  SECTION("before its time") {
    limit.cancel();
    CHECK(!earliest_limit());
  }
  SECTION("due, and not raised") {
    {
      const shield on;
      sleep_for(1s);
    }
    CHECK(limit.expired());
    limit.cancel();
  }
  SECTION("by its end") { timeout(1s).restart(2s); }
  limit.cancel();
  watch(limit, [] { sleep_for(1h); });
  CHECK(trace == "r");
}

TEST_CASE_METHOD(virtual_time, "restarted its time begins anew") {
  timeout limit(1s);
  sleep_for(900ms);
  limit.restart(1s);
  CHECK(limit.when() == clock.now() + 1s);
  watch(limit, [] { sleep_for(999ms); });
  watch(limit, [] { sleep_for(1h); });
  CHECK(trace == "rt");
  limit.restart(clock.now() + 1s);
  watch(limit, [] { sleep_for(1h); });
  CHECK(trace == "rtt");
}

TEST_CASE_METHOD(virtual_time, "a time that is too far away never comes") {
  const timeout limit(std::chrono::hours::max());
  watch(limit, [] { sleep_for(24h * 365 * 100); });
  CHECK(trace == "r");
}

TEST_CASE_METHOD(virtual_time, "what waits for main waits for its limits") {
  // Nobody else is there: the limit can wake main, so it is no deadlock.
  channel<int> never;
  const timeout limit(1s);
  watch(limit, [&] { never.receive(); });
  CHECK_THROWS_AS(never.receive(), deadlock_error);
  CHECK(trace == "t");
}

// ---- in the same instant

enum class act { send, close, kill, kill_pending, raise, raise_pending };
constexpr std::array acts{act::send,         act::close, act::kill,
                          act::kill_pending, act::raise, act::raise_pending};

// The next switch looks at the clock.
void make_look_due() {
  for (int i = 0; i < 75; ++i) spawn([] {});
  yield();
}

// A victim receives within a time that passes between what happens before and
// what happens after; whether it was served or ended before, or is going to be,
// it does not run in between.
struct instant {
  virtual_clock clock;
  channel<counted> c;
  scheduler s{{.driver = &clock}};
  tasklet victim;
  std::string trace;
  int sent = 0;
  int received = 0;
  bool struck = false;  // by a kill, or an exception

  template <typename F>
  void watch(F f) {
    try {
      f();
    } catch (const timed_out&) {
      trace += 't';
    } catch (int) {
      trace += 'e';
    }
  }

  void perform(act a) {
    struck = struck || (a != act::send && a != act::close && victim.alive());
    if (a == act::close) c.close();
    if (a == act::send)
      sent += c.try_send(counted(1)) == op_status::done ? 1 : 0;
    if (!victim.alive()) return;
    if (a == act::kill) victim.kill();
    if (a == act::kill_pending) victim.kill(pending);
    const auto what = std::make_exception_ptr(1);
    if (a == act::raise) victim.throw_exception(what);
    if (a == act::raise_pending) victim.throw_exception(what, pending);
  }

  instant(const std::vector<act>& before, const std::vector<act>& after,
          bool early) {
    c.set_preference(preference::neither);
    victim = spawn([this] {
      const timeout limit(1s);
      watch([&] {
        const auto value = c.receive();
        received += value ? 1 : 0;
        trace += value ? 'v' : 'c';
      });
      for (int i = 0; i < 3; ++i) watch([] { yield(); });
      trace += '.';
    });
    yield();
    make_look_due();
    clock.advance(1s);
    const auto follow = [&] {
      for (act a : after) perform(a);
    };
    if (early) spawn(follow);
    for (act a : before) perform(a);
    if (!early) spawn(follow);
    run();
  }
};

TEST_CASE("of what comes in the same instant one wins, and nothing is lost") {
  counted::reset();
  // All sequences of up to three acts, with the time passing at each place.
  std::vector<std::vector<act>> sequences{{}};
  for (std::size_t i = 0; i != sequences.size(); ++i)
    for (act a : acts)
      if (sequences[i].size() != 3) {
        sequences.push_back(sequences[i]);
        sequences.back().push_back(a);
      }
  CHECK(sequences.size() == 1 + 6 + 36 + 216);
  for (const auto& all : sequences) {
    for (auto at = all.begin();; ++at) {
      for (bool early : {false, true}) {
        const std::vector<act> before(all.begin(), at);
        const std::vector<act> after(at, all.end());
        const instant i(before, after, early);
        std::string said;
        for (act a : all) said += std::to_string(static_cast<int>(a)) + ' ';
        INFO(said << "split at " << before.size() << ", " << early << ": "
                  << i.trace);
        // A value is lost only with whoever was struck.
        CHECK((i.received == i.sent || (i.struck && i.sent == 1)));
        CHECK(counted::alive == 0);
        const auto count = [&](char x) {
          return std::count(i.trace.begin(), i.trace.end(), x);
        };
        CHECK(count('v') + count('c') <= 1);
        CHECK(count('t') <= 1);
        if (!i.struck) {
          CHECK(count('v') == i.sent);
          CHECK(count('t') == 1);
          CHECK(i.trace.back() == '.');
        }
      }
      if (at == all.end()) break;
    }
  }
}

TEST_CASE_METHOD(virtual_time,
                 "a value that was received is not lost by the time") {
  channel<int> c;
  c.set_preference(preference::neither);
  const tasklet t = spawn([&] {
    const timeout limit(1s);
    watch(limit, [&] { CHECK(c.receive() == 7); });
    watch(limit, [] { yield(); });
  });
  yield();
  make_look_due();
  c.send(7);
  clock.advance(1s);
  t.join();
  CHECK(trace == "rt");
}

TEST_CASE_METHOD(virtual_time,
                 "one that has ended an operation is raised there") {
  std::optional<timeout> limit;
  channel<int> never;
  const tasklet t = spawn([&] {
    limit.emplace(1s);
    watch(*limit, [&] { never.receive(); });
    limit.reset();
  });
  // It goes to sleep first, and so is the first to wake.
  const tasklet meddler = spawn([&] {
    sleep_until(clock.now() + 1s);
    limit->cancel();
    CHECK(t.alive());
  });
  meddler.run();
  t.join();
  CHECK(trace == "t");
}

// ---- what it comes from, and where it goes

TEST_CASE_METHOD(virtual_time,
                 "what escapes a tasklet goes to those who join") {
  channel<int> never;
  const tasklet t = spawn([&] {
    const timeout limit(1s);
    never.receive();
  });
  SECTION("or, where nobody does, to run()") {
    CHECK_THROWS_AS(run(), timed_out);
  }
  SECTION("to these") { CHECK_THROWS_AS(t.join(), timed_out); }
  CHECK(never.balance() == 0);
}

TEST_CASE_METHOD(virtual_time, "with_timeout() gives what f() gives, or none") {
  channel<int> never;
  CHECK(with_timeout(1s, [] { return 7; }) == 7);
  CHECK(!with_timeout(1s, [&] { return *never.receive(); }));
  CHECK(with_timeout(1s, [] { yield(); }));
  CHECK(!with_timeout(1s, [&] { never.receive(); }));
  auto p = with_timeout(1s, [] { return std::make_unique<int>(7); });
  REQUIRE(p);
  CHECK(**p == 7);
  CHECK_THROWS_AS(with_timeout(1s, [] { throw 1; }), int);
  yield();
  // Another's time is another's.
  const timeout outer(1s);
  watch(outer, [&] { with_timeout(2s, [&] { never.receive(); }); });
  CHECK(trace == "t");
  CHECK(!earliest_limit());
}

TEST_CASE_METHOD(virtual_time,
                 "earliest_limit() is when the first in force passes") {
  CHECK(!earliest_limit());
  const auto start = clock.now();
  timeout outer(3s);
  CHECK(earliest_limit() == start + 3s);
  {
    const timeout inner(5s);
    CHECK(earliest_limit() == start + 3s);
    outer.cancel();
    CHECK(earliest_limit() == start + 5s);
  }
  CHECK(!earliest_limit());
  const deadline d(1s);
  outer.restart(2s);
  CHECK_THROWS_AS(sleep_for(1h), timed_out);
  // One that is raised again and again is still in force.
  CHECK(earliest_limit() == start + 1s);
}

TEST_CASE_METHOD(virtual_time, "the schedule callback is not disturbed by it") {
  channel<int> never;
  int calls = 0;
  bool disturbed = false;
  const tasklet t = spawn([&] {
    const timeout limit(1s);
    watch(limit, [&] { never.receive(); });
  });
  spawn([&] { sleep_for(2s); });
  s.set_schedule_callback([&](tasklet from, tasklet) {
    if (from != t || ++calls != 1) return;
    try {
      sleep_for(3s);  // The time passes here.
    } catch (...) {
      disturbed = true;
    }
  });
  t.join();
  CHECK(trace == "t");
  CHECK(!disturbed);
  CHECK(clock.now().time_since_epoch() == 3s);
  CHECK(never.balance() == 0);
}

// ---- deadlines of those that are spawned

TEST_CASE_METHOD(virtual_time, "a deadline is inherited by whom it spawns") {
  channel<int> never;
  std::optional<deadline> limit(1s);
  const timeout own(5s);  // This one is not.
  const auto child = [&](char name) {
    try {
      CHECK(earliest_limit() == limit->when());
      never.receive();
    } catch (const timed_out& e) {
      CHECK(e.by(*limit));
      trace += name;
    }
    try {
      yield();
    } catch (const timed_out&) {
      trace += name;
    }
  };
  const bool paused = GENERATE(false, true);
  const auto make = [&](auto f) {
    const tasklet t = create(f);
    if (!paused) t.insert();
    return t;
  };
  const tasklet parent = make([&] {
    spawn([&] { child('g'); });
    child('c');
  });
  limit->cancel();
  sleep_for(500ms);
  if (paused) parent.insert();
  sleep_for(1s);
  CHECK(trace == "ccgg");
  CHECK(never.balance() == 0);
}

TEST_CASE_METHOD(virtual_time,
                 "one that has passed is raised by the first operation") {
  bool began = false;
  tasklet t;
  const auto body = [&] {
    began = true;
    yield();
    trace += '!';
  };
  {
    const deadline limit(1s);
    SECTION("it passes before the start") {
      t = create(body);
      const shield on;
      sleep_for(2s);
      t.insert();
    }
    SECTION("it had passed before the spawn") {
      const shield on;
      sleep_for(2s);
      t = spawn(body);
    }
  }
  CHECK_THROWS_AS(t.join(), timed_out);
  CHECK(began);
  CHECK(trace.empty());
}

TEST_CASE_METHOD(virtual_time, "one that is cancelled is not inherited") {
  deadline limit(1s);
  limit.cancel();
  const tasklet t = spawn([&] {
    CHECK(!earliest_limit());
    sleep_for(1h);
    trace += 's';
  });
  t.join();
  CHECK(trace == "s");
}

TEST_CASE_METHOD(virtual_time, "a tasklet that never starts inherits in vain") {
  {
    const deadline limit(1s);
    const timeout other(1s);
    spawn([] {}).kill();
    static_cast<void>(create([] {}));
    spawn([] {});
  }
  run();
  CHECK(clock.now().time_since_epoch() == 1s);  // Of the one that is paused.
  s.shutdown();
}

TEST_CASE("without a scheduler there is no limit") {
  CHECK_THROWS_AS(timeout(1s), no_scheduler);
  CHECK_THROWS_AS(deadline(1s), no_scheduler);
  CHECK_THROWS_AS(earliest_limit(), no_scheduler);
}

TEST_CASE("main's may outlive its scheduler, and then do nothing") {
  virtual_clock clock;
  std::optional<scheduler> s(std::in_place,
                             scheduler_options{.driver = &clock});
  timeout limit(1s);
  deadline other(1h);
  SECTION("armed") {}
  SECTION("due") {
    const shield on;
    sleep_for(2s);
  }
  s.reset();
  CHECK_THROWS_AS(limit.restart(1s), no_scheduler);
  // The next one's main has none of them.
  s.emplace(scheduler_options{.driver = &clock});
  CHECK(!earliest_limit());
  CHECK_THROWS_AS(limit.restart(1s), wrong_scheduler);
  sleep_for(2h);
  limit.cancel();
}

TEST_CASE("main is not interrupted while it ends the others") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  int reports = 0;
  s.set_error_handler([&](tasklet, std::exception_ptr e) {
    ++reports;
    return e;
  });
  channel<int> never;
  const timeout limit(1s);
  const deadline other(1s);
  bool slept = false;
  spawn([&] {
    const shield on;
    sleep_for(1h);
    slept = true;
  });
  yield();
  s.shutdown();
  CHECK(slept);
  CHECK(reports == 0);
  CHECK(limit.expired());
}

TEST_CASE("those of tasklets end with their scheduler") {
  virtual_clock clock;
  std::string trace;
  {
    channel<int> never;
    const scheduler s({.driver = &clock});
    spawn([&] {
      const timeout limit(1s);
      const deadline other(2s);
      try {
        never.receive();
      } catch (const tasklet_exit&) {
        trace += 'k';
        throw;
      }
    });
    yield();
  }
  CHECK(trace == "k");
}

}  // namespace
