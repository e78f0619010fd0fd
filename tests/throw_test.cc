// SPDX-License-Identifier: BSL-1.0
// Laws 5, 7 and 8: kill() and throw_exception(), on a target in every state.
#include <array>
#include <catch2/catch.hpp>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"
#include "weft/tests/support/stage.h"

namespace {

using namespace weft;
using weft_test::counted;
using weft_test::letter;
using weft_test::mark;
using weft_test::stage;
using weft_test::state;

struct verb {
  const char* name;
  bool now;
  char raises;  // 'K' a kill, 'k' a tasklet_exit once, 'e' an int
  void (*apply)(const tasklet&);

  [[nodiscard]] bool kills() const { return raises == 'K'; }
};

std::exception_ptr an_int(int n = 1) { return std::make_exception_ptr(n); }
std::exception_ptr an_exit() { return std::make_exception_ptr(tasklet_exit()); }

constexpr std::array every_verb{
    verb{"kill()", true, 'K', [](const tasklet& t) { t.kill(); }},
    verb{"kill(pending)", false, 'K',
         [](const tasklet& t) { t.kill(pending); }},
    verb{"throw_exception(1)", true, 'e',
         [](const tasklet& t) { t.throw_exception(an_int()); }},
    verb{"throw_exception(1, pending)", false, 'e',
         [](const tasklet& t) { t.throw_exception(an_int(), pending); }},
    verb{"throw_exception(tasklet_exit)", true, 'k',
         [](const tasklet& t) { t.throw_exception(an_exit()); }},
    verb{"throw_exception(tasklet_exit, pending)", false, 'k',
         [](const tasklet& t) { t.throw_exception(an_exit(), pending); }},
};

// One row of the table.
struct act {
  state at;
  const verb& does;
  bool by_main;
  bool crowd;  // 'a' and 'b' are queued, around the target if that is

  [[nodiscard]] bool fails() const { return does.raises == 'e'; }
  // A kill ends one that has not started at once, without a switch.
  [[nodiscard]] bool ends_unstarted() const {
    return does.kills() && weft_test::unstarted(at);
  }

  // What the target says when it gets it.
  [[nodiscard]] std::string last_words() const {
    if (weft_test::unstarted(at)) return "";
    return does.kills() ? "kd" : std::string{does.raises, 'd'};
  }

  [[nodiscard]] std::string expected() const {
    const std::string a = crowd ? "a" : "";
    const std::string b = crowd ? "b" : "";
    // What escapes goes to the run that main is in, or to main itself.
    const std::string hit = last_words() + (fails() ? "E" : "");
    if (at == state::dead) return (fails() ? "!" : "m") + a + b;
    if (at == state::self) {
      if (!by_main) return hit + a + b;
      // A kill is sticky: main can do no more.
      return last_words() + (does.kills() ? "" : a + b);
    }
    if (ends_unstarted()) return "m" + a + b;
    if (does.now) {
      // Main as the caller gets what escapes out of the verb.
      return hit + (fails() && by_main ? "" : "m") + a + b;
    }
    return weft_test::queued(at) ? "m" + a + hit + b : "m" + a + b + hit;
  }
};

template <typename F>
void for_every_act(F f) {
  for (const auto& [at, name] : weft_test::every_state)
    for (const verb& v : every_verb)
      for (const bool by_main : {true, false})
        for (const bool crowd : {false, true}) {
          INFO(v.name << " on one that is " << name << ", by "
                      << (by_main ? "main" : "a worker")
                      << (crowd ? ", others queued" : ""));
          f(act{at, v, by_main, crowd});
        }
}

// The caller's own frame, where it is the target.
void hit_oneself(stage& on, const verb& does, bool by_main) {
  const mark m{on.trace, 'd'};
  try {
    does.apply(current());
    on.trace += '!';
  } catch (const tasklet_exit&) {
    on.trace += 'k';
    if (!by_main) throw;
  } catch (int) {
    on.trace += 'e';
    if (!by_main) throw;
  }
}

TEST_CASE("kill and throw do to a target in every state what the table says") {
  for_every_act([](const act& row) {
    {
      stage on(row.at);
      const auto after = [&] {
        const bool waits =
            !row.does.now && !row.ends_unstarted() && row.at != state::dead;
        CHECK(letter(on.t) == (waits ? 's' : 'd'));
        CHECK(on.scheduler().runnable() == (row.crowd ? 2U : 0U) + waits);
        CHECK(on.c.balance() == 0);
        CHECK(on.full.balance() == 0);
      };
      const auto plays = [&] {
        on.line_up(row.crowd);
        if (row.at == state::self)
          return hit_oneself(on, row.does, row.by_main);
        try {
          row.does.apply(on.t);
          on.trace += 'm';
        } catch (const error&) {
          on.trace += '!';
        } catch (...) {
          after();
          throw;
        }
        after();
      };
      try {
        on.play(row.by_main, plays);
      } catch (const tasklet_exit&) {
        CHECK((row.at == state::self && row.by_main && row.does.kills()));
      }
      CHECK(on.trace == row.expected());
      CHECK(!on.t.alive());
      if (row.at == state::joining) CHECK(on.other.blocked());
      // The target's values are gone, what is in the buffer is not.
      CHECK(counted::alive == (row.at == state::buffered ? 1 : 0));
    }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE(
    "under a switch trap those that would switch throw and change nothing") {
  for_every_act([](const act& row) {
    if (row.at == state::self) return;
    stage on(row.at);
    const bool trapped =
        row.does.now && row.at != state::dead && !row.ends_unstarted();
    on.play(row.by_main, [&] {
      on.line_up(row.crowd);
      const auto before = on.snapshot();
      try {
        const switch_trap none;
        row.does.apply(on.t);
        on.trace += 'm';
      } catch (const switch_trap_error&) {
        CHECK(trapped);
        CHECK(on.snapshot() == before);
        row.does.apply(on.t);
        on.trace += 'm';
      } catch (const error&) {
        on.trace += '!';
      }
    });
    CHECK(on.trace == row.expected());
  });
}

TEST_CASE("what escapes goes to those who join the target, in every state") {
  for_every_act([](const act& row) {
    if (row.at == state::self || row.at == state::dead) return;
    stage on(row.at);
    const tasklet joiner = spawn([&] {
      try {
        on.t.join();
        on.trace += 'j';
      } catch (int) {
        on.trace += 'J';
      }
    });
    joiner.run();
    on.play(row.by_main, [&] {
      on.line_up(row.crowd);
      row.does.apply(on.t);
      on.trace += 'm';
    });
    CHECK(on.trace.find('E') == std::string::npos);
    CHECK(on.trace.find(row.fails() ? 'J' : 'j') != std::string::npos);
  });
}

// Every verb on a target that must not get it yet.
template <typename F>
void for_every_verb(F f) {
  for (const verb& v : every_verb) {
    INFO(v.name);
    f(v);
  }
}

// Says what f() throws, or `none`.
template <typename F>
char outcome(char none, const F& f) {
  try {
    f();
    return none;
  } catch (const tasklet_exit&) {
    return 'k';
  } catch (int n) {
    return static_cast<char>('0' + n);
  }
}

TEST_CASE("a shield holds back what is thrown, until the next operation") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    std::string trace;
    const tasklet t = spawn([&] {
      {
        const shield on;
        trace += outcome('r', [&] { c.receive(); });
        trace += outcome('y', [] { yield(); });
      }
      trace += outcome('!', [] { yield(); });
    });
    run();
    v.apply(t);
    trace += 'm';
    CHECK(t.blocked());
    CHECK(c.balance() == -1);
    c.send(1);
    run();
    CHECK(trace == (v.raises == 'e' ? "mry1" : "mryk"));
  });
}

TEST_CASE("what is thrown into one that unwinds waits until it has") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    std::string trace;
    struct farewell {
      channel<int>& c;
      std::string& trace;
      ~farewell() {
        c.receive();
        yield();
        trace += 'd';
      }
    };
    const tasklet t = spawn([&] {
      trace += outcome('!', [&] {
        const farewell f{c, trace};
        throw 2;
      });
      trace += outcome('!', [] { yield(); });
    });
    run();
    v.apply(t);
    trace += 'm';
    CHECK(t.blocked());
    c.send(1);
    run();
    CHECK(trace == (v.raises == 'e' ? "md21" : "md2k"));
  });
}

TEST_CASE(
    "in the handler of a kill everything waits, and the kill comes first") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    std::string trace;
    const tasklet t = spawn([&] {
      try {
        yield();
      } catch (const tasklet_exit&) {
        c.receive();
        trace += 'h';
      }
      trace += outcome('!', [] { yield(); });
      trace += outcome('!', [] { yield(); });
    });
    yield();
    t.kill();
    v.apply(t);
    CHECK(t.blocked());
    c.send(1);
    run();
    CHECK(trace == "hkk");
    CHECK(!t.alive());
  });
}

TEST_CASE("what is held back in a paused tasklet leaves it paused") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    std::string trace;
    const tasklet t = spawn([&] {
      {
        const shield on;
        suspend();
      }
      trace += outcome('!', [] { yield(); });
    });
    run();
    v.apply(t);
    CHECK(t.paused());
    CHECK(s.runnable() == 0);
    t.insert();
    run();
    CHECK(trace == (v.raises == 'e' ? "1" : "k"));
  });
}

TEST_CASE("what one throws into itself inside a shield waits for its end") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    std::string trace;
    spawn([&] {
      {
        const shield on;
        trace += outcome('h', [&] { v.apply(current()); });
        trace += outcome('y', [] { yield(); });
      }
      trace += outcome('!', [] { yield(); });
    });
    run();
    CHECK(trace == (v.raises == 'e' ? "hy1" : "hyk"));
  });
}

TEST_CASE("a second throw replaces a first that has not been raised") {
  const scheduler s;
  std::string trace;
  const bool starts = GENERATE(false, true);
  const bool now = GENERATE(false, true);
  const tasklet t = spawn([&] {
    trace += outcome('!', [] { yield(); });
    trace += outcome('r', [] { yield(); });
  });
  if (starts) yield();
  t.throw_exception(an_int(1), pending);
  if (now)
    CHECK(outcome('r', [&] { t.throw_exception(an_int(2)); }) ==
          (starts ? 'r' : '2'));
  else
    t.throw_exception(an_int(2), pending);
  const char left = outcome('r', [] { run(); });
  CHECK(left == (starts || now ? 'r' : '2'));
  CHECK(trace == (starts ? "2r" : ""));
  CHECK(!t.alive());
}

TEST_CASE("a kill comes before a throw, whichever was first") {
  const scheduler s;
  std::string trace;
  const bool kill_first = GENERATE(false, true);
  const tasklet t = spawn([&] {
    trace += outcome('!', [] { yield(); });
    trace += outcome('!', [] { yield(); });
  });
  yield();
  if (kill_first) t.kill(pending);
  t.throw_exception(an_int(), pending);
  if (!kill_first) t.kill(pending);
  run();
  CHECK(trace == "kk");
}

TEST_CASE("what is thrown is raised once, a kill until the tasklet ends") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    std::string trace;
    const tasklet t = spawn([&] {
      trace += outcome('!', [&] { c.receive(); });
      trace += outcome('r', [&] { c.receive(); });
      trace += outcome('r', [] { yield(); });
    });
    run();
    v.apply(t);
    run();
    CHECK(t.alive() == !v.kills());
    if (t.alive()) c.send(1);
    run();
    CHECK(trace == (v.kills() ? "kkk" : v.raises == 'e' ? "1rr" : "krr"));
    CHECK(!t.alive());
  });
}

TEST_CASE("one that ends first never gets what is held back") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    const tasklet t = spawn([&] {
      const shield on;
      c.receive();
    });
    run();
    v.apply(t);
    c.send(1);
    CHECK(run().why == run_result::drained);
    CHECK(!t.alive());
    // Nor does the next tasklet in its place.
    bool fine = false;
    spawn([&] {
      yield();
      fine = true;
    });
    run();
    CHECK(fine);
  });
}

TEST_CASE("a receiver that has its value already loses it to the exception") {
  for_every_verb([](const verb& v) {
    const auto capacity = GENERATE(0U, 1U);
    const scheduler s;
    counted::reset();
    {
      channel<counted> c(capacity);
      c.set_preference(preference::neither);
      std::string trace;
      const tasklet t =
          spawn([&] { trace += outcome('!', [&] { c.receive(); }); });
      run();
      c.send(counted(1));
      CHECK(t.scheduled());
      CHECK(counted::alive == 1);
      v.apply(t);
      run();
      CHECK(trace == (v.raises == 'e' ? "1" : "k"));
      CHECK(counted::alive == 0);
    }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE(
    "a sender whose value has been taken gets the exception all the same") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    counted::reset();
    channel<counted> c;
    std::string trace;
    const tasklet t =
        spawn([&] { trace += outcome('!', [&] { c.send(counted(5)); }); });
    run();
    CHECK(c.receive()->value == 5);
    CHECK(t.scheduled());
    v.apply(t);
    run();
    CHECK(trace == (v.raises == 'e' ? "1" : "k"));
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("a joiner gets what it has joined first, and then what is thrown") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    const bool fails = GENERATE(false, true);
    std::string trace;
    const tasklet joined = spawn([&] {
      yield();
      if (fails) throw 2;
    });
    const tasklet t = spawn([&] {
      trace += outcome('!', [&] { joined.join(); });
      trace += outcome('y', [] { yield(); });
    });
    yield();
    yield();
    CHECK(!joined.alive());
    CHECK(t.scheduled());
    v.apply(t);
    run();
    const std::string raised = v.raises == 'e' ? "1" : "k";
    const std::string again = v.kills() ? "k" : "y";
    CHECK(trace == (fails ? "2" + raised : raised + again));
  });
}

TEST_CASE("a target that goes on lets its thrower go on first") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    std::string trace;
    const tasklet t = spawn([&] {
      try {
        c.receive();
      } catch (...) {
        trace += '1';
        yield();
        trace += '2';
      }
    });
    run();
    spawn([&] { trace += 'q'; });
    v.apply(t);
    trace += 'm';
    run();
    CHECK(trace == (v.now ? "1mq2" : "mq12"));
  });
}

TEST_CASE("what is thrown into main comes out of what main is in") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    std::string trace;
    channel<int> c;
    const std::array<std::function<void()>, 5> calls{
        [] { run(); }, [] { yield(); }, [&] { c.receive(); }, [] { suspend(); },
        [] { create([] { yield(); }).switch_to(); }};
    const tasklet me = current();
    for (const auto& call : calls) {
      spawn([&] {
        v.apply(me);
        trace += 't';
      });
      trace += outcome('!', call);
      CHECK(c.balance() == 0);
      if (v.kills()) break;  // Main can do no more.
      run();
    }
    const std::string once = v.raises == 'e' ? "1" : "k";
    const std::string pair = v.now ? once + "t" : "t" + once;
    CHECK(trace ==
          (v.kills() ? v.now ? "k" : "tk" : pair + pair + pair + pair + pair));
  });
}

TEST_CASE("there must be something to throw") {
  const scheduler s;
  const tasklet t = create([] {});
  for (const tasklet& target : {t, tasklet(), current()}) {
    CHECK_THROWS_AS(target.throw_exception(nullptr), std::invalid_argument);
    CHECK_THROWS_AS(target.throw_exception(nullptr, pending),
                    std::invalid_argument);
  }
  CHECK(t.paused());
}

TEST_CASE("a throw into a tasklet that is due for a kill itself is not made") {
  for_every_verb([](const verb& v) {
    const scheduler s;
    channel<int> c;
    const tasklet t = spawn([&] { c.receive(); });
    std::string trace;
    const tasklet caller = spawn([&] {
      trace += outcome('!', [] { yield(); });
      trace += outcome('!', [&] { v.apply(t); });
    });
    yield();
    caller.kill(pending);
    run();
    CHECK(trace == "kk");
    CHECK(t.blocked());
    c.send(1);
  });
}

}  // namespace
