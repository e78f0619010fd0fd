// SPDX-License-Identifier: BSL-1.0
// The ends of greenlets; greenlets and tasklets; greenlets and threads.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/callbacks.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/generator.h"
#include "weft/tasklet/greenlet.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;
using weft_test::ending;
using weft_test::in_child;

// Says when it is destroyed.
struct mark {
  std::string& trace;
  char name;
  ~mark() { trace += name; }
};

// One that waits to be switched to, for ever, and says how it ends.
greenlet waiting(std::string& trace, char name) {
  const greenlet g([&trace, name, home = current_greenlet()] {
    const mark m{trace, name};
    try {
      home.switch_to();
      trace += '!';
    } catch (const greenlet_exit&) {
      trace += 'x';
      throw;
    }
  });
  g.switch_to();
  return g;
}

// ---- the last handle

TEST_CASE("the last handle that goes ends a greenlet that waits, at once") {
  std::string trace;
  greenlet g = waiting(trace, 'd');
  greenlet copy = g;
  g = greenlet();
  CHECK(trace.empty());
  copy = greenlet();
  CHECK(trace == "xd");
  g = greenlet([&] { trace += '!'; });
  g = greenlet();
  CHECK(trace == "xd");
}

TEST_CASE("a child keeps its parent") {
  std::string trace;
  greenlet parent = waiting(trace, 'p');
  greenlet child([] {}, parent);
  parent = greenlet();
  CHECK(trace.empty());
  child = greenlet();
  CHECK(trace == "xp");
}

TEST_CASE("one that is ended has who dropped it for a parent meanwhile") {
  std::string trace;
  greenlet victim;
  const greenlet old_parent([&] {
    victim = waiting(trace, 'v');
    trace += 'o';
    main_greenlet().switch_to();
    trace += '!';
  });
  old_parent.switch_to();
  CHECK(victim.parent() == old_parent);
  const greenlet dropper([&] {
    trace += '(';
    victim = greenlet();
    trace += ')';
  });
  dropper.switch_to();
  CHECK(trace == "o(xv)");
  CHECK(old_parent.active());
}

TEST_CASE("what the ended one returns or hands back concerns nobody") {
  const greenlet main = current_greenlet();
  greenlet g([&] {
    try {
      main.switch_to();
    } catch (const greenlet_exit&) {
    }
    return 5;
  });
  g.switch_to();
  g = greenlet();
  CHECK(g.dead());
}

TEST_CASE("what escapes the ended one is said on stderr") {
  const bool standard = GENERATE(false, true);
  const ending e = in_child([&] {
    const greenlet main = current_greenlet();
    greenlet g([&] {
      try {
        main.switch_to();
      } catch (const greenlet_exit&) {
        if (standard) throw std::runtime_error("no time");
        throw 1;
      }
    });
    g.switch_to();
    g = greenlet();
  });
  CHECK(e.returned);
  CHECK(e.said ==
        (standard ? "weft: a greenlet that was ended failed: no time\n"
                  : "weft: a greenlet that was ended failed with something "
                    "that is no std::exception\n"));
}

TEST_CASE("the last handle may go while its greenlet runs") {
  std::string trace;
  greenlet g;
  const greenlet main = current_greenlet();
  g = greenlet([&] {
    const mark m{trace, 'd'};
    g = greenlet();
    trace += 'r';
    CHECK(current_greenlet().active());
    main.switch_to();
    trace += '!';
  });
  // It is ended when it switches away, for then nobody can come back to it.
  g.switch_to();
  CHECK(trace == "rd");
  g = greenlet([&] {
    g = greenlet();
    return 3;
  });
  CHECK(g.switch_to().take<int>() == 3);
}

TEST_CASE("a greenlet that is being ended may be kept by somebody") {
  std::string trace;
  greenlet saved;
  const greenlet main = current_greenlet();
  const greenlet parent([] { return 7; });
  greenlet g(
      [&] {
        const mark m{trace, 'd'};
        try {
          main.switch_to();
        } catch (const greenlet_exit&) {
          trace += 'x';
          saved = current_greenlet();
          main.switch_to();
          trace += 's';
        }
        return 1;
      },
      parent);
  g.switch_to();
  g = greenlet();
  CHECK(trace == "x");
  REQUIRE(saved.active());
  // It has its own parent again.
  CHECK(saved.parent() == parent);
  CHECK(saved.switch_to().take<int>() == 7);
  CHECK(trace == "xsd");
}

TEST_CASE("a greenlet that is being ended may take another parent") {
  greenlet saved;
  const greenlet main = current_greenlet();
  const greenlet adopter([] { return 8; });
  greenlet g([&] {
    try {
      main.switch_to();
    } catch (const greenlet_exit&) {
      saved = current_greenlet();
      saved.set_parent(adopter);
      main.switch_to();
    }
    return 1;
  });
  g.switch_to();
  g = greenlet();
  REQUIRE(saved.active());
  CHECK(saved.parent() == adopter);
  CHECK(saved.switch_to().take<int>() == 8);
}

TEST_CASE("one that refuses to end is asked 16 times") {
  int asked = 0;
  const greenlet main = current_greenlet();
  greenlet g([&] {
    for (;;) {
      try {
        main.switch_to();
      } catch (const greenlet_exit&) {
        if (++asked == 16) throw;
      }
    }
  });
  g.switch_to();
  g = greenlet();
  CHECK(asked == 16);
}

TEST_CASE("and is abandoned with its stack then, which is said", "[leaks]") {
  const ending e = in_child([] {
    int asked = 0;
    const greenlet main = current_greenlet();
    greenlet g([&] {
      for (;;) {
        try {
          main.switch_to();
        } catch (const greenlet_exit&) {
          ++asked;
        }
      }
    });
    g.switch_to();
    g = greenlet();
    if (asked != 16) std::abort();
    const greenlet next([] { return 1; });
    if (next.switch_to().take<int>() != 1) std::abort();
  });
  CHECK(e.returned);
  CHECK(e.said ==
        "weft: a greenlet has switched away 16 times while it was being ended, "
        "and is abandoned with its stack\n");
}

TEST_CASE("the end of one may end others, each after the other") {
  std::string trace;
  const greenlet main = current_greenlet();
  greenlet outer;
  outer = greenlet([&] {
    // Whose parent is not this one, which it would keep.
    const greenlet inner(
        [&] {
          const mark m{trace, 'i'};
          outer.switch_to();
        },
        main);
    inner.switch_to();
    const mark m{trace, 'o'};
    main.switch_to();
  });
  outer.switch_to();
  outer = greenlet();
  CHECK(trace == "oi");
}

TEST_CASE("a handle may go while the stack is unwound") {
  std::string trace;
  const auto f = [&] {
    const greenlet g = waiting(trace, 'd');
    throw std::runtime_error("mine");
  };
  CHECK_THROWS_WITH(f(), "mine");
  CHECK(trace == "xd");
}

TEST_CASE("a greenlet that holds itself ends with its thread") {
  std::string trace;
  std::thread([&] {
    const greenlet main = current_greenlet();
    const auto self = std::make_shared<greenlet>();
    *self = greenlet([&trace, main, self] {
      const mark m{trace, 'd'};
      main.switch_to();
    });
    self->switch_to();
  }).join();
  CHECK(trace == "d");
}

TEST_CASE("a thread that ends ends its greenlets, also those kept elsewhere") {
  std::string trace;
  greenlet begun;
  greenlet never;
  greenlet its_main;
  std::thread([&] {
    begun = waiting(trace, 'd');
    never = greenlet([&] { trace += '!'; });
    its_main = main_greenlet();
  }).join();
  CHECK(trace == "xd");
  CHECK(begun.dead());
  CHECK(its_main.dead());
  CHECK_FALSE(never.dead());
  CHECK_THROWS_AS(begun.switch_to(), wrong_thread);
  CHECK_THROWS_AS(never.switch_to(), wrong_thread);
  CHECK_THROWS_AS(its_main.switch_to(), wrong_thread);
}

TEST_CASE("a static greenlet ends with the process; exit() may be anywhere") {
  const bool inside = GENERATE(false, true);
  const ending e = in_child([&] {
    // Before a leak check that does not know main's stack, seen from another.
    std::atexit([] { _exit(3); });
    static greenlet g;
    static greenlet other;
    const greenlet main = current_greenlet();
    other = greenlet([&] {
      try {
        main.switch_to();
      } catch (const greenlet_exit&) {
        static_cast<void>(!write(STDERR_FILENO, "exit\n", 5));
        throw;
      }
    });
    other.switch_to();
    g = greenlet([] { std::exit(3); });
    if (inside) g.switch_to();
    std::exit(3);
  });
  CHECK(e.said == "exit\n");
  CHECK(WIFEXITED(e.status));
#ifndef WEFT_VALGRIND  // Its leak check does not know that stack, either.
  CHECK(WEXITSTATUS(e.status) == 3);
#endif
}

// ---- threads

TEST_CASE("the wrong thread gets wrong_thread, which names both") {
  std::string trace;
  const greenlet g = waiting(trace, 'd');
  const greenlet created([] {});
  const greenlet main = current_greenlet();
  std::string said;
  int errors = 0;
  std::thread([&] {
    const auto fails = [&](auto f) {
      try {
        f();
      } catch (const wrong_thread& e) {
        ++errors;
        said = e.what();
      }
    };
    const greenlet mine([] {});
    fails([&] { g.switch_to(); });
    fails([&] { g.throw_exception(); });
    fails([&] { created.switch_to(); });
    fails([&] { main.switch_to(); });
    fails([&] { g.set_parent(mine); });
    fails([&] { mine.set_parent(g); });
    fails([&] { created.set_parent(mine); });
    fails([&] { g.share_context(mine); });
    fails([&] { mine.copy_context(g); });
    fails([&] { greenlet([] {}, main); });
  }).join();
  CHECK(errors == 10);
  CHECK_THAT(said, Catch::StartsWith("weft: this greenlet belongs to thread "));
  CHECK_THAT(said, Catch::Contains(" and cannot be used in thread "));
  CHECK(trace.empty());
}

TEST_CASE("a greenlet that another thread drops is ended by the next use") {
  std::string trace;
  greenlet g = waiting(trace, 'd');
  greenlet created([m = std::make_shared<mark>(trace, 'c')] {});
  std::thread([&, mine = std::move(g), its = std::move(created)]() mutable {
    mine = greenlet();
    its = greenlet();
  }).join();
  // One that has not begun goes where it is.
  CHECK(trace == "c");
  const greenlet next([&] { trace += 'n'; });
  next.switch_to();
  CHECK(trace == "cxdn");
}

TEST_CASE("which may let go of the one that is switched to") {
  std::string trace;
  const greenlet main = current_greenlet();
  auto target = std::make_unique<greenlet>(waiting(trace, 't'));
  greenlet dropped([&] {
    const std::shared_ptr<void> at_end(nullptr, [&](void*) { target.reset(); });
    main.switch_to();
  });
  dropped.switch_to();
  std::thread([mine = std::move(dropped)]() mutable {
    mine = greenlet();
  }).join();
  bool raised = false;
  try {
    target->throw_exception(std::make_exception_ptr(1));
  } catch (int) {
    raised = true;
  }
  CHECK(raised);
  CHECK(target == nullptr);
  CHECK(trace == "t");
}

TEST_CASE("so it is at the end of its thread") {
  std::string trace;
  std::thread([&] {
    greenlet g = waiting(trace, 'd');
    std::thread([mine = std::move(g)]() mutable { mine = greenlet(); }).join();
    trace += '|';
  }).join();
  CHECK(trace == "|xd");
}

TEST_CASE("handles may be dropped elsewhere while their greenlets run") {
  std::atomic<int> ended = 0;
  constexpr int rounds = 300;
  std::thread([&] {
    const greenlet main = current_greenlet();
    for (int i = 0; i < rounds; ++i) {
      greenlet g([&, main] {
        const std::shared_ptr<void> m(nullptr, [&](void*) { ++ended; });
        for (int n = 0; n < i % 4; ++n) main.switch_to();
      });
      const greenlet child([] {}, g);
      std::atomic<bool> go = false;
      std::thread other([&go, mine = g]() mutable {
        while (!go) std::this_thread::yield();
        mine = greenlet();
      });
      go = true;
      g.switch_to();
      g.switch_to();
      if (i % 2 == 0) {
        g = greenlet();
        other.join();
      } else {
        other.join();
        g = greenlet();
      }
    }
  }).join();
  CHECK(ended == rounds);
}

TEST_CASE("handles may be dropped elsewhere while their thread ends") {
  std::atomic<int> ended = 0;
  for (int i = 0; i < 100; ++i) {
    std::optional<std::thread> other;
    std::thread([&] {
      const greenlet main = current_greenlet();
      greenlet g([&, main] {
        const std::shared_ptr<void> m(nullptr, [&](void*) { ++ended; });
        main.switch_to();
      });
      g.switch_to();
      other.emplace([mine = std::move(g)]() mutable { mine = greenlet(); });
    }).join();
    other->join();
  }
  CHECK(ended == 100);
}

// ---- tasklets

TEST_CASE("what blocks inside of a greenlet parks its tasklet, there") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  for (const char name : {'a', 'b'})
    spawn([&, name] {
      const greenlet main = current_greenlet();
      CHECK(main.is_main());
      const greenlet g([&] {
        for (const int i : c) {
          yield();
          main.switch_to(i);
        }
        return 0;
      });
      while (const int i = g.switch_to().take<int>())
        trace += name + std::to_string(i);
      CHECK(current_greenlet() == main);
    });
  run();
  CHECK(trace.empty());
  for (int i = 1; i <= 4; ++i) c.send(i);
  run();
  CHECK(trace == "a1b2a3b4");
  c.close();
  run();
}

TEST_CASE("each tasklet has a tree of its own, which no other can enter") {
  std::string trace;
  const scheduler s;
  const greenlet mine = waiting(trace, 'm');
  const greenlet created([&] { trace += '!'; });
  const greenlet main = current_greenlet();
  greenlet its;
  greenlet its_main;
  greenlet its_created;
  spawn([&] {
    CHECK(main_greenlet() != main);
    CHECK_THROWS_WITH(mine.switch_to(),
                      "weft: this greenlet belongs to another tasklet, which "
                      "alone can switch to it");
    CHECK_THROWS_AS(mine.throw_exception(), error);
    CHECK_THROWS_AS(created.switch_to(), error);
    CHECK_THROWS_AS(main.switch_to(), error);
    CHECK_THROWS_AS(mine.set_parent(current_greenlet()), error);
    its = waiting(trace, 't');
    its_main = main_greenlet();
    its_created = greenlet([] { return 6; });
    // One that has not begun may change to another tree.
    created.set_parent(its_main);
    suspend();
  });
  run();
  CHECK_THROWS_AS(its.switch_to(), error);
  CHECK_THROWS_AS(created.switch_to(), error);
  its_created.set_parent(main);
  CHECK(its_created.switch_to().take<int>() == 6);
  CHECK(trace.empty());
  CHECK(its.active());
}

TEST_CASE("a parent that goes to another tasklet is no longer to be reached") {
  const scheduler s;
  const greenlet main = current_greenlet();
  const greenlet parent([] { return 1; });
  const greenlet child(
      [&] {
        main.switch_to();
        return 2;
      },
      parent);
  child.switch_to();
  const tasklet t = spawn([&] {
    parent.set_parent(current_greenlet());
    suspend();
  });
  run();
  CHECK_THROWS_AS(child.switch_to(), error);
  CHECK(child.dead());
  CHECK_FALSE(parent.started());
  t.kill();
  const greenlet orphan([&] { main.switch_to(); }, main);
  orphan.switch_to();
  orphan.switch_to();
  CHECK(orphan.dead());
}

TEST_CASE("and what holds kills back there holds none back here") {
  const scheduler s;
  channel<int> c;
  greenlet parent;
  const tasklet here = spawn([&] {
    parent = greenlet([] { return 1; });
    const greenlet child([&] { c.receive(); }, parent);
    child.switch_to();
  });
  yield();
  const tasklet there = spawn([&] {
    const greenlet back([main = main_greenlet()] { main.switch_to(); });
    // Its main one has been left in a generator that is no more.
    {
      generator<int> numbers([&](yielder<int>& y) {
        back.switch_to();
        y(1);
      });
      numbers.next();
    }
    parent.set_parent(current_greenlet());
    try {
      suspend();
    } catch (const tasklet_exit&) {
      const greenlet waits([&] { c.receive(); });
      waits.switch_to();  // In a handler of the kill.
      throw;
    }
  });
  yield();
  there.kill();
  CHECK(there.blocked());
  CHECK_THROWS_AS(here.kill(), error);  // Its parent is gone.
  CHECK(!here.alive());
  c.send(1);
  run();
}

TEST_CASE("a tasklet that ends ends its greenlets") {
  std::string trace;
  const scheduler s;
  greenlet kept;
  greenlet its_main;
  const bool killed = GENERATE(false, true);
  const tasklet t = spawn([&] {
    kept = waiting(trace, 'k');
    its_main = main_greenlet();
    if (killed) suspend();
    trace += 'e';
  });
  run();
  t.kill();
  CHECK(trace == (killed ? "xk" : "exk"));
  CHECK(kept.dead());
  CHECK(its_main.dead());
  CHECK_THROWS_WITH(kept.switch_to(),
                    "weft: this greenlet's tasklet has ended, and it with "
                    "that");
}

TEST_CASE("the last handle that another tasklet drops leaves it to its own") {
  std::string trace;
  const scheduler s;
  greenlet g;
  spawn([&] {
    g = waiting(trace, 'd');
    suspend();
  });
  spawn([&] {
    g = waiting(trace, 'e');
    const greenlet own = greenlet([&] { trace += 'o'; });
    yield();
    own.switch_to();
    trace += '|';
    suspend();
  });
  run();
  trace += 'r';
  CHECK(trace == "o|r");
}

TEST_CASE("a kill is raised in the greenlet that runs, and ends the tasklet") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    const mark m0{trace, '0'};
    const greenlet aside = waiting(trace, 'a');
    const greenlet outer([&] {
      const mark m1{trace, '1'};
      const greenlet inner([&] {
        const mark m2{trace, '2'};
        c.receive();
      });
      inner.switch_to();
    });
    outer.switch_to();
    trace += '!';
  });
  run();
  t.kill();
  CHECK(trace == "21xa0");
  CHECK(!t.alive());
  CHECK(c.balance() == 0);
}

TEST_CASE("a deadlock inside of a greenlet is raised there") {
  const scheduler s;
  channel<int> c;
  const greenlet g([&] {
    try {
      c.receive();
    } catch (const deadlock_error&) {
      return 1;
    }
    return 0;
  });
  CHECK(g.switch_to().take<int>() == 1);
  const greenlet h([&] { c.receive(); });
  CHECK_THROWS_AS(h.switch_to(), deadlock_error);
  CHECK(h.dead());
}

TEST_CASE("greenlets of main live before, during and after a scheduler") {
  std::string trace;
  const greenlet main = current_greenlet();
  greenlet g([&] {
    const mark m{trace, 'd'};
    for (int i = 0;; ++i) main.switch_to(i);
  });
  CHECK(g.switch_to().take<int>() == 0);
  {
    const scheduler s;
    CHECK(current_greenlet() == main);
    CHECK(g.switch_to().take<int>() == 1);
    spawn([&] { CHECK_THROWS_AS(g.switch_to(), error); });
    run();
    CHECK(g.switch_to().take<int>() == 2);
  }
  CHECK(current_greenlet() == main);
  CHECK(g.switch_to().take<int>() == 3);
  g = greenlet();
  CHECK(trace == "d");
}

TEST_CASE("a scheduler may be made in one greenlet, and ended in another") {
  std::optional<scheduler> s;
  const greenlet main = current_greenlet();
  const greenlet g([&] {
    s.emplace();
    int n = 0;
    spawn([&] { n = 1; });
    run();
    main.switch_to(n);
    s.reset();
    return 2;
  });
  CHECK(g.switch_to().take<int>() == 1);
  spawn([&] { CHECK(main_greenlet() != main); });
  run();
  CHECK(g.switch_to().take<int>() == 2);
  CHECK(current_greenlet() == main);
}

TEST_CASE("callbacks at the end of a tasklet may use greenlets") {
  std::string trace;
  scheduler s;
  s.set_end_callback([&](const tasklet&, const std::exception_ptr&) {
    const greenlet g = waiting(trace, 'c');
    trace += 'e';
  });
  for (int i = 0; i < 3; ++i) {
    spawn([&] { CHECK(current_greenlet().is_main()); });
    run();
  }
  s.set_end_callback(nullptr);
  CHECK(trace == "excexcexc");
}

// ---- greenlets and generators

TEST_CASE("yield_value() does not reach beyond the greenlet that it runs in") {
  const greenlet main = current_greenlet();
  std::string trace;
  generator<int> g([&](yielder<int>& y) {
    const greenlet inside([&] {
      try {
        yield_value(1);
      } catch (const generator_error&) {
        trace += 'e';
      }
      generator<int> own([] { yield_value(2); });
      trace += std::to_string(*own.next());
    });
    inside.switch_to();
    yield_value(3);
    y(4);
  });
  trace += std::to_string(*g.next());
  trace += std::to_string(*g.next());
  CHECK(trace == "e234");
}

TEST_CASE("a body may switch to a greenlet and back in the middle") {
  const greenlet main = current_greenlet();
  std::string trace;
  generator<int> g([&] {
    yield_value(1);
    trace += std::to_string(main.switch_to().take<int>());
    yield_value(3);
  });
  const greenlet consumer([&] {
    trace += std::to_string(*g.next());
    trace += std::to_string(*g.next());
    CHECK_THROWS_AS(yield_value(1), generator_error);
    return 4;
  });
  consumer.switch_to();
  // It is suspended in the body; here is no generator.
  CHECK(g.state() == generator_state::running);
  CHECK_THROWS_AS(g.next(), generator_error);
  CHECK_THROWS_AS(yield_value(1), generator_error);
  CHECK(consumer.switch_to(2).take<int>() == 4);
  CHECK(trace == "123");
  CHECK(g.next() == nullptr);
}

TEST_CASE(
    "a generator that one greenlet has begun another one may go on with") {
  generator<int> g([] {
    for (int i = 0;; ++i) yield_value(i);
  });
  const auto take = [&] { return *g.next(); };
  CHECK(greenlet(take).switch_to().take<int>() == 0);
  CHECK(greenlet(take).switch_to().take<int>() == 1);
  CHECK(*g.next() == 2);
}

TEST_CASE("a greenlet that is dropped unwinds the generators it runs") {
  std::string trace;
  greenlet g([&, main = current_greenlet()] {
    const mark m1{trace, '1'};
    generator<int> outer([&] {
      const mark m2{trace, '2'};
      generator<char> inner([&] {
        const mark m3{trace, '3'};
        main.switch_to();
      });
      inner.next();
    });
    outer.next();
  });
  g.switch_to();
  g = greenlet();
  CHECK(trace == "321");
  CHECK_THROWS_AS(yield_value(1), generator_error);
}

TEST_CASE("what holds a kill back does so in a greenlet that is switched to") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const auto wait = [&] {
    const greenlet g([&](parcel) {
      trace += c.receive() ? 'r' : '-';
      return parcel();
    });
    g.switch_to();
  };
  struct at_end {
    std::function<void()> act;
    ~at_end() { act(); }
  };
  tasklet t;
  SECTION("out of a destructor") {
    t = spawn([&] {
      const at_end waits{wait};
      suspend();
    });
  }
  SECTION("out of a handler") {
    t = spawn([&] {
      try {
        suspend();
      } catch (const tasklet_exit&) {
        wait();
        throw;
      }
    });
  }
  SECTION("from inside of a generator") {
    t = spawn([&] {
      const at_end waits{[&] {
        generator<int> numbers([&](yielder<int>& y) {
          wait();
          y(1);
        });
        CHECK(*numbers.next() == 1);
      }};
      suspend();
    });
  }
  yield();
  t.kill();
  CHECK(t.blocked());
  t.kill();
  CHECK(t.blocked());
  c.send(1);
  run();
  CHECK(trace == "r");
  CHECK(!t.alive());
}

TEST_CASE("and no longer when that has come back") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    const greenlet main = current_greenlet();
    try {
      suspend();
    } catch (const tasklet_exit&) {
      greenlet([] {}).switch_to();
      const greenlet other([&] { main.switch_to(); });
      other.switch_to();
      other.switch_to();
    }
    const greenlet waits([&] {
      try {
        c.receive();
      } catch (const tasklet_exit&) {
        trace += 'k';
        throw;
      }
    });
    waits.switch_to();
  });
  yield();
  t.kill();
  CHECK(trace == "k");
  CHECK(!t.alive());
}

}  // namespace
