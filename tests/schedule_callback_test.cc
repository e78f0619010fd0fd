// SPDX-License-Identifier: BSL-1.0
// Law 13 for the schedule callback.
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/channel/signal_channel.h"
#include "weft/scheduler/callbacks.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::counted;

std::string letter(const tasklet& t) {
  if (!t.alive()) return "-";
  return t.is_main() ? "M" : std::string(t.name());
}

template <typename F>
tasklet named(const char* name, F f) {
  return spawn({.name = name}, std::move(f));
}

// A scheduler whose switches are written down: "M>a a>M ". What stands in
// `then` is called, for one switch, when the `after`th comes.
struct watched {
  virtual_clock clock;
  scheduler s{{.driver = &clock}};
  std::string edges;
  int after = -1;
  std::function<void(tasklet, tasklet)> then;

  watched() {
    s.set_schedule_callback([this](tasklet from, tasklet to) {
      CHECK(current() == from);
      CHECK(from.alive());
      CHECK(to.alive());
      CHECK(from != to);
      edges += letter(from) + '>' + letter(to) + ' ';
      if (after < 0) return;
      if (after-- == 0) then(from, to);
    });
  }
  // The next switch.
  template <typename F>
  void at_next(F f) {
    edges.clear();
    after = 0;
    then = f;
  }
};

// ---- what is told

TEST_CASE("each switch is told on the tasklet that is left") {
  watched w;
  std::string& edges = w.edges;
  SECTION("run, and the ends of those who ran") {
    for (const char* name : {"1", "2", "3"}) named(name, [] {});
    run();
    CHECK(edges == "M>1 1>2 2>3 3>M ");
  }
  SECTION("yields") {
    for (const char* name : {"1", "2"}) named(name, [] { yield(); });
    yield();
    yield();
    yield();
    CHECK(edges == "M>1 1>2 2>M M>1 1>2 2>M ");
  }
  SECTION("nobody else runs") {
    yield();
    CHECK(run().why == run_result::drained);
    w.s.run_n(1);
    sleep_for(1s);
    CHECK(edges.empty());
  }
  SECTION("a hand-over to a receiver") {
    channel<int> c;
    named("r", [&] { c.receive(); });
    yield();
    edges.clear();
    c.send(1);
    CHECK(edges == "M>r r>M ");
  }
  SECTION("a hand-over to a sender") {
    channel<int> c;
    c.set_preference(preference::sender);
    named("s", [&] { c.send(1); });
    yield();
    edges.clear();
    c.receive();
    CHECK(edges == "M>s s>M ");
  }
  SECTION("a meeting that nobody gives way in") {
    channel<int> c;
    c.set_preference(preference::neither);
    named("r", [&] { c.receive(); });
    yield();
    edges.clear();
    c.send(1);
    CHECK(edges.empty());
    run();
    CHECK(edges == "M>r r>M ");
  }
  SECTION("run, switch_to and kill of one tasklet") {
    const tasklet a = named("a", [] { suspend(); });
    const tasklet b = named("b", [a] { a.switch_to(); });
    b.run();
    CHECK(edges == "M>b b>a a>M ");
    edges.clear();
    b.kill();
    a.kill();
    CHECK(edges == "M>b b>M M>a a>M ");
    edges.clear();
    named("c", [] {}).kill();
    CHECK(edges.empty());  // It has not begun.
  }
  SECTION("the end of one that is joined") {
    const tasklet a = named("a", [] {});
    a.join();
    CHECK(edges == "M>a a>M ");
    edges.clear();
    const tasklet b = named("b", [] { throw 1; });
    named("c", [] {});
    CHECK_THROWS_AS(b.join(), int);
    CHECK(edges == "M>b b>c c>M ");
  }
  SECTION("the end of one that fails") {
    named("a", [] { throw 1; });
    named("b", [] {});
    CHECK_THROWS_AS(run(), int);
    CHECK(edges == "M>a a>M ");
    edges.clear();
    named("a", [] { throw 1; });
    CHECK_THROWS_AS(yield(), int);
    CHECK(edges == "M>b b>a a>M ");
  }
  SECTION("the end of the last one, while main waits") {
    channel<int> c;
    named("a", [] {});
    CHECK_THROWS_AS(c.receive(), deadlock_error);
    CHECK(edges == "M>a a>M ");
  }
  SECTION("those whom the time wakes") {
    named("a", [] { sleep_for(1s); });
    named("b", [] { sleep_for(2s); });
    run();
    // Nobody can run when a ends.
    CHECK(edges == "M>a a>b b>a a>M b>M ");
  }
  SECTION("the end of a budget leads to who runs on") {
    for (const char* name : {"a", "b", "c"}) named(name, [] { yield(); });
    w.s.run_n(2);
    CHECK(edges == "M>a a>b b>M ");
    edges.clear();
    w.s.run_for(0s);
    CHECK(edges == "M>c c>M ");
    edges.clear();
    w.s.run_n(1);  // An end, too.
    CHECK(edges == "M>a a>M ");
    edges.clear();
    run();
    CHECK(edges == "M>b b>c c>M ");
  }
  SECTION("a budget that ends with one that is joined") {
    const tasklet a = named("a", [] { suspend(); });
    named("j", [a] { a.join(); });
    run();
    edges.clear();
    a.insert();
    w.s.run_n(1);
    CHECK(edges == "M>a a>M ");
    run();
  }
  SECTION("a budget that ends where a run inside it gets a failure") {
    bool got = false;
    named("r", [&] {
      named("f", [] { throw 1; });
      try {
        run();
      } catch (int) {
        got = true;
      }
    });
    w.s.run_n(2);
    CHECK(edges == "M>r r>f f>M ");
    CHECK_FALSE(got);
    run();
    CHECK(got);
  }
  run();
}

TEST_CASE("the switches of a shutdown are told") {
  std::string edges;
  {
    watched w;
    channel<void> c;
    named("a", [&] { c.receive(); });
    named("b", [&] { c.receive(); });
    run();
    w.edges.clear();
    w.s.shutdown();
    edges = w.edges;
  }
  CHECK(edges == "M>a a>b b>M ");
}

// ---- what it throws

TEST_CASE("what it throws goes to main, and the switch still happens") {
  watched w;
  channel<int> c;
  std::string trace;
  named("a", [&] {
    trace += 'a';
    yield();
    trace += 'A';
  });
  named("b", [&] { trace += 'b'; });
  w.at_next([](tasklet, tasklet) { throw std::runtime_error("x"); });
  SECTION("main is left in yield") {
    CHECK_THROWS_WITH(yield(), "x");
    CHECK(trace == "ab");
    CHECK(w.edges == "M>a a>b b>M ");
  }
  SECTION("in a receive") {
    CHECK_THROWS_WITH(c.receive(), "x");
    CHECK(c.balance() == 0);
    CHECK(trace == "a");
    CHECK(w.edges == "M>a a>M ");
  }
  SECTION("in a send") {
    CHECK_THROWS_WITH(c.send(1), "x");
    CHECK(c.balance() == 0);
    CHECK(trace == "a");
  }
  SECTION("in a sleep") {
    CHECK_THROWS_WITH(sleep_for(1h), "x");
    CHECK(trace == "a");
  }
  SECTION("in run") {
    CHECK_THROWS_WITH(run(), "x");
    CHECK(trace == "a");
    CHECK(w.edges == "M>a a>M ");
  }
  SECTION("another is left") {
    w.after = 1;
    const bool runs = GENERATE(true, false);
    CHECK_THROWS_WITH(runs ? void(run()) : yield(), "x");
    CHECK(trace == "ab");
    CHECK(w.edges == "M>a a>b b>M ");
  }
  SECTION("one is left that ends") {
    w.after = 2;
    CHECK_THROWS_WITH(run(), "x");
    CHECK(trace == "abA");
    CHECK(w.edges == "M>a a>b b>a a>M ");
  }
  SECTION("while main unwinds") {
    struct yields {
      ~yields() { yield(); }
    };
    try {
      const yields y;
      throw 1;
    } catch (int) {
      trace += 'c';
    }
    CHECK(trace == "abc");
    CHECK_THROWS_WITH(yield(), "x");
  }
  run();
  CHECK(w.s.live() == 0);
}

TEST_CASE("what it throws goes to the error handler first") {
  watched w;
  std::string trace;
  const bool passes_on = GENERATE(true, false);
  w.s.set_error_handler([&](tasklet t, const std::exception_ptr& what) {
    CHECK(t == current());
    trace += 'h';
    yield();
    if (passes_on) std::rethrow_exception(what);
  });
  named("a", [&] { trace += 'a'; });
  w.at_next([](tasklet, tasklet) { throw 1; });
  if (passes_on)
    CHECK_THROWS_AS(run(), int);
  else
    run();
  run();
  CHECK(trace == "ha");
  w.s.set_error_handler(nullptr);
}

TEST_CASE("a callback that always throws stops nobody") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  int switches = 0;
  s.set_schedule_callback([&](tasklet, tasklet) {
    ++switches;
    throw 1;
  });
  channel<int> c;
  int sum = 0;
  spawn([&] {
    for (int i = 1; i <= 10; ++i) c.send(i);
    c.close();
  });
  spawn([&] {
    for (int v : c) sum += v;
  });
  int caught = 0;
  while (s.live() != 0) try {
      run();
    } catch (int) {
      ++caught;
    }
  s.set_schedule_callback(nullptr);
  int late = 0;
  for (bool more = true; more;) try {
      yield();
      more = false;
    } catch (int) {
      ++late;
    }
  CHECK(sum == 55);
  CHECK(caught + late == switches);
}

// ---- what it does meanwhile

// The operations that a tasklet may be left in. Each is made by 'x', whose
// partner is 'p'; gives what came of it.
struct leaving {
  const char* name;
  std::function<void(channel<counted>& c, std::string& trace)> make;
};

std::vector<leaving> leavings() {
  using channel_of = channel<counted>;
  return {
      {"yield",
       [](channel_of& c, std::string& trace) {
         yield();
         trace += 'y';
         trace += static_cast<char>('0' + c.take().value);
       }},
      {"receive",
       [](channel_of& c, std::string& trace) {
         trace += 'r';
         trace += static_cast<char>('0' + c.take().value);
       }},
      {"receive_for",
       [](channel_of& c, std::string& trace) {
         const auto got = c.receive_for(1h);
         trace += got ? "t" : "T";
         trace += static_cast<char>('0' + (got ? got->value : c.take().value));
       }},
      {"sleep",
       [](channel_of& c, std::string& trace) {
         sleep_for(1ms);
         trace += 's';
         trace += static_cast<char>('0' + c.take().value);
       }},
      {"run",
       [](channel_of& c, std::string& trace) {
         run();
         trace += 'R';
         trace += static_cast<char>('0' + c.take().value);
       }},
      {"join",
       [](channel_of& c, std::string& trace) {
         spawn([] { yield(); }).join();
         trace += 'j';
         trace += static_cast<char>('0' + c.take().value);
       }},
      {"suspend",
       [](channel_of& c, std::string& trace) {
         const tasklet me = current();
         const auto back = std::make_shared<bool>(false);
         spawn([me, back] {
           while (!*back) {
             if (!me.blocked()) me.insert();
             sleep_for(1ms);
           }
         });
         suspend();
         *back = true;
         trace += 'u';
         trace += static_cast<char>('0' + c.take().value);
       }},
  };
}

// What a callback may do in place of nothing.
struct interruption {
  const char* name;
  std::function<void(tasklet from, tasklet to)> make;
};

std::vector<interruption> interruptions() {
  return {
      {"yields", [](tasklet, tasklet) { yield(); }},
      {"yields often",
       [](tasklet, tasklet) {
         for (int i = 0; i < 5; ++i) yield();
       }},
      {"sleeps", [](tasklet, tasklet) { sleep_for(1us); }},
      {"sleeps long", [](tasklet, tasklet) { sleep_for(2h); }},
      {"blocks",
       [](tasklet, tasklet) {
         channel<int> c;
         spawn([&] { c.send(1); });
         c.receive();
       }},
      {"spawns and joins", [](tasklet, tasklet) { spawn([] {}).join(); }},
      {"runs the target",
       [](tasklet, tasklet to) {
         if (to.alive() && !to.blocked()) to.run();
       }},
      {"removes the target and inserts it",
       [](tasklet, tasklet to) {
         if (!to.scheduled()) return;
         to.remove();
         yield();
         if (to.alive() && to.paused()) to.insert();
       }},
      {"suspends",
       [](tasklet from, tasklet) {
         spawn([from] { from.insert(); });
         suspend();
       }},
      {"runs all", [](tasklet, tasklet) { run(); }},
      {"handles an exception",
       [](tasklet, tasklet) {
         try {
           throw 1;
         } catch (int) {
           yield();
           try {
             throw;
           } catch (int i) {
             CHECK(i == 1);
           }
         }
       }},
  };
}

TEST_CASE("a callback that switches disturbs nothing, wherever it does") {
  for (const leaving& l : leavings()) {
    for (const interruption& i : interruptions()) {
      // At each of the first switches, and at 1000 of them: some make others.
      for (int at = -1; at != 12; ++at) {
        INFO(l.name << ", at " << at << " " << i.name);
        counted::reset();
        virtual_clock clock;
        scheduler s({.driver = &clock});
        channel<counted> c;
        std::string trace;
        int switches = 0;
        bool inside = false;
        const auto all = std::make_shared<int>();
        s.set_schedule_callback([&](tasklet from, tasklet to) {
          CHECK_FALSE(std::exchange(inside, true));
          CHECK(current() == from);
          const int n = switches++;
          if (at == -1 ? n < 1000 : n == at) i.make(from, to);
          CHECK(current() == from);
          inside = false;
        });
        spawn([&, all] {
          for (int n = 0; n < 2; ++n) l.make(c, trace);
        });
        spawn([&, all] {
          for (int n = 1; n <= 2; ++n) c.send(counted(n));
        });
        for (int rounds = 0; all.use_count() > 1 && rounds < 100; ++rounds)
          run();
        s.set_schedule_callback(nullptr);
        run();
        CHECK(trace.size() == 4);
        CHECK((trace.find('1') == 1 && trace.find('2') == 3));
        CHECK(all.use_count() == 1);
        CHECK(s.live() == 0);
        CHECK(s.runnable() == 0);
        CHECK(c.balance() == 0);
        CHECK(counted::alive == 0);
      }
    }
  }
}

TEST_CASE("main may be left in a callback that switches") {
  for (const leaving& l : leavings()) {
    for (const interruption& i : interruptions()) {
      INFO(l.name << ", " << i.name);
      counted::reset();
      virtual_clock clock;
      scheduler s({.driver = &clock});
      channel<counted> c;
      std::string trace;
      s.set_schedule_callback([&](tasklet from, tasklet to) {
        if (from.is_main()) i.make(from, to);
      });
      spawn([&] {
        for (int n = 1; n <= 2; ++n) c.send(counted(n));
      });
      for (int n = 0; n < 2; ++n) l.make(c, trace);
      run();
      s.set_schedule_callback(nullptr);
      CHECK((trace.find('1') == 1 && trace.find('2') == 3));
      CHECK(s.live() == 0);
      CHECK(s.runnable() == 0);
      CHECK(counted::alive == 0);
    }
  }
}

TEST_CASE("who becomes runnable while the last one ends does not outrun time") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  bool woken = false;
  s.set_schedule_callback([](const tasklet&, const tasklet&) {});
  spawn([&] {
    sleep_for(1h);
    woken = true;
  });
  struct heir {
    bool& woken;
    virtual_clock& clock;
    ~heir() {
      spawn([&woken = woken, &clock = clock] {
        clock.advance(2h);
        for (int i = 0; i != 1000 && !woken; ++i) yield();
        CHECK(woken);
      });
    }
  };
  spawn([last = std::make_unique<heir>(woken, clock)] {});
  run();
  CHECK(woken);
}

TEST_CASE("its own switches are not told") {
  watched w;
  named("a", [] { yield(); });
  w.at_next([](tasklet, tasklet) { yield(); });
  yield();
  // Main's turn has come while its callback yielded.
  CHECK(w.edges == "M>a ");
  run();
}

TEST_CASE("a target that can no longer run gives way to the next") {
  watched w;
  std::string trace;
  const tasklet a = named("a", [&] { trace += 'a'; });
  named("b", [&] { trace += 'b'; });
  const char* expected = "b";
  SECTION("killed") {
    w.at_next([](tasklet, tasklet to) { to.kill(); });
  }
  SECTION("killed at its turn") {
    w.at_next([](tasklet, tasklet to) { to.kill(pending); });
  }
  SECTION("removed") {
    w.at_next([](tasklet, tasklet to) { to.remove(); });
  }
  SECTION("ended") {
    w.at_next([](tasklet, tasklet to) { to.run(); });
    expected = "ab";
  }
  SECTION("blocked") {
    a.kill();
    named("c", [&] {
      channel<int> never;
      CHECK_THROWS_AS(never.receive(), tasklet_exit);
    });
    w.s.run_n(0);
    w.at_next([](tasklet, tasklet to) { to.run(); });
  }
  run();
  CHECK(trace == expected);
  if (a.alive()) a.kill();
  w.s.set_schedule_callback(nullptr);
  w.s.shutdown();
}

TEST_CASE("where the target was the last, who is left goes on or is told") {
  watched w;
  std::string trace;
  const tasklet a = named("a", [&] { trace += 'a'; });
  w.at_next([](tasklet, tasklet to) { to.kill(); });
  SECTION("in yield") { yield(); }
  SECTION("in run") { CHECK(run().why == run_result::drained); }
  SECTION("in suspend") { suspend(); }
  SECTION("in a receive") {
    channel<int> c;
    CHECK_THROWS_AS(c.receive(), deadlock_error);
    CHECK(c.balance() == 0);
  }
  SECTION("in a sleep") { sleep_for(1s); }
  CHECK(trace.empty());
  CHECK_FALSE(a.alive());
  CHECK(w.edges == "M>a ");
}

TEST_CASE("a kill of the one that is left is raised when it is there again") {
  watched w;
  channel<int> c;
  std::string trace;
  const bool at_once = GENERATE(true, false);
  const auto kill = [at_once](tasklet from, tasklet) {
    at_once ? from.kill() : from.kill(pending);
  };
  const auto guarded = [&](auto f) {
    return [&trace, f] {
      try {
        f();
        trace += 'n';
      } catch (const tasklet_exit&) {
        trace += 'k';
        throw;
      }
    };
  };
  w.after = 1;
  w.then = kill;
  SECTION("in yield") {
    named("a", guarded([] { yield(); }));
  }
  SECTION("in a receive") {
    named("a", guarded([&] { c.receive(); }));
  }
  SECTION("in a timed send") {
    named("a", guarded([&] { c.send_for(1s, 1); }));
  }
  SECTION("in a sleep") {
    named("a", guarded([] { sleep_for(1s); }));
  }
  SECTION("in suspend") {
    named("a", guarded([] { suspend(); }));
  }
  SECTION("in run") {
    named("a", guarded([] { run(); }));
  }
  SECTION("by another, while its callback is suspended") {
    named("a", guarded([&] { c.receive(); }));
    w.then = [&](tasklet from, tasklet to) {
      spawn([=] { kill(from, to); });
      yield();
      yield();
      trace += 'c';
    };
    named("b", [&] { trace += 'b'; });
    run();
    CHECK(trace == "bck");
    trace = "bk";
  }
  named("b", [&] { trace += 'b'; });
  run();
  CHECK((trace == "bk" || trace == "bkb"));
  CHECK(c.balance() == 0);
  CHECK(w.s.live() == 0);
}

TEST_CASE(
    "an exception for the one that is left is raised after its callback") {
  watched w;
  channel<int> c;
  std::string trace;
  const tasklet a = named("a", [&] {
    try {
      c.receive();
    } catch (int i) {
      trace += static_cast<char>('0' + i);
    }
  });
  w.after = 1;
  w.then = [&](tasklet from, tasklet) {
    spawn([from] { from.throw_exception(std::make_exception_ptr(1)); });
    yield();
    trace += 'c';
  };
  named("b", [&] { trace += 'b'; });
  run();
  CHECK(trace.find('1') != std::string::npos);
  CHECK(trace.find('c') < trace.find('1'));
  CHECK(c.balance() == 0);
  CHECK_FALSE(a.alive());
}

// ---- one who waits is served while its callback runs

TEST_CASE("a receiver that is in its callback gets its value once") {
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const bool timed = GENERATE(true, false);
  counted::reset();
  watched w;
  channel<counted> c;
  c.set_preference(prefers);
  std::string trace;
  named("r", [&] {
    for (int i = 0; i < 2; ++i) {
      const auto got =
          timed ? std::optional<counted>(c.receive_for(1h)) : c.receive();
      trace += static_cast<char>('0' + got->value);
    }
  });
  w.after = 1;  // r>M
  w.then = [&](tasklet from, tasklet) {
    CHECK(c.front() == from);
    spawn([&] {
      CHECK(c.balance() == -1);
      c.send(counted(1));
      CHECK(c.balance() == 0);
      trace += 's';
      c.send(counted(2));
      trace += 'S';
    });
    for (int i = 0; i < 3; ++i) yield();
    trace += 'c';
    CHECK(from.is_current());
  };
  w.s.run_n(1);
  run();
  CHECK(trace.size() == 5);
  CHECK(trace.find('1') < trace.find('2'));
  CHECK(trace.find('c') < trace.find('1'));
  CHECK(counted::alive == 0);
  CHECK(w.s.live() == 0);
}

TEST_CASE("a sender that is in its callback hands its value over once") {
  const auto capacity = GENERATE(0U, 1U);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  counted::reset();
  watched w;
  channel<counted> c(capacity);
  c.set_preference(prefers);
  while (c.size() != c.capacity()) c.send(counted(0));
  std::string trace;
  named("s", [&] {
    c.send(counted(1));
    trace += 's';
  });
  w.after = 1;
  w.then = [&](tasklet, tasklet) {
    spawn([&] {
      for (std::size_t i = 0; i != capacity; ++i)
        CHECK(c.receive()->value == 0);
      CHECK(c.receive()->value == 1);
      CHECK(c.balance() == 0);
      trace += 'r';
    });
    for (int i = 0; i < 3; ++i) yield();
    trace += 'c';
  };
  w.s.run_n(2);
  run();
  CHECK(trace.size() == 3);
  CHECK(trace.find('c') < trace.find('s'));
  CHECK(counted::alive == 0);
}

TEST_CASE("a channel that is closed or ends finds who is in its callback") {
  watched w;
  auto c = std::make_unique<channel<int>>();
  std::string trace;
  const bool closes = GENERATE(true, false);
  const bool sends = GENERATE(true, false);
  if (closes && sends) return;  // Waiting senders stay.
  named("a", [&] {
    try {
      if (sends)
        c->send(1);
      else
        trace += c->receive() ? 'v' : 'n';
    } catch (const channel_closed&) {
      trace += 'n';
    }
  });
  w.after = 1;
  w.then = [&](tasklet, tasklet) { closes ? c->close() : c.reset(); };
  run();  // Main has been told to be next.
  run();
  CHECK(trace == "n");
}

TEST_CASE("time that passes in the callback counts for the operation") {
  watched w;
  channel<int> c;
  const bool sends = GENERATE(true, false);
  const bool switches = GENERATE(true, false);
  op_status status{};
  named("a", [&] {
    status = sends ? c.send_for(1s, 1) : c.receive_for(1s).status();
  });
  w.after = 1;
  w.then = [&](tasklet, tasklet) {
    if (switches)
      sleep_for(2s);
    else
      w.clock.advance(2s);
  };
  run();
  CHECK(status == op_status::timed_out);
  CHECK(c.balance() == 0);
}

TEST_CASE("what fails in the callback and what fails its operation are apart") {
  watched w;
  channel<int> c;
  channel<int> inner;
  std::string trace;
  named("a", [&] {
    try {
      c.receive();
    } catch (int i) {
      trace += static_cast<char>('0' + i);
    }
  });
  w.after = 1;
  w.then = [&](tasklet, tasklet) {
    spawn([&] {
      c.send_exception(std::make_exception_ptr(1));
      inner.send_exception(std::make_exception_ptr('x'));
    });
    try {
      inner.receive();
    } catch (char x) {
      trace += x;
    }
  };
  run();  // Main has been told to be next.
  run();
  CHECK(trace == "x1");
}

TEST_CASE("a timer of one that was served does not wake the next") {
  watched w;
  channel<int> c;
  c.set_preference(preference::neither);
  channel<int> other;
  std::string trace;
  bool looked = false;
  const tasklet a = named("a", [&] { trace += c.receive_for(1s) ? 'v' : 't'; });
  const tasklet x =
      named("x", [&] { trace += other.receive() == 7 ? 'x' : '?'; });
  w.s.set_schedule_callback([&](tasklet from, tasklet) {
    if (from == a && trace.empty()) {
      trace += 'A';
      spawn([&] { c.send(1); }).run();  // a is served; its timer is armed.
    } else if (from == x && !looked) {
      a.remove();
      w.clock.advance(2s);
      sleep_for(1ms);  // Now that timer is looked at.
      CHECK(other.balance() == -1);
      a.insert();
      looked = true;
    }
  });
  while (!looked) {
    w.clock.advance(1ms);
    w.s.run_n(1);
  }
  w.s.run_n(5);
  other.send(7);
  run();
  w.s.set_schedule_callback(nullptr);
  CHECK(trace == "Avx");
}

TEST_CASE("insert reaches one that is about to pause") {
  watched w;
  std::string trace;
  const tasklet a = named("a", [&] {
    const std::any got = suspend();
    trace += got.has_value() ? *std::any_cast<char>(&got) : 'e';
  });
  const bool value = GENERATE(true, false);
  const bool by_itself = GENERATE(true, false);
  w.after = 1;
  w.then = [&](tasklet from, tasklet) {
    const auto wake = [=] { value ? from.insert('v') : from.insert(); };
    if (by_itself)
      wake();
    else
      spawn(wake);
    yield();
  };
  run();  // Main has been told to be next.
  CHECK(run().paused == 0);
  CHECK(trace == (value ? "v" : "e"));
  CHECK_FALSE(a.alive());
}

TEST_CASE("a budget that is spent in the callback of its run ends it") {
  watched w;
  int turns = 0;
  for (int i = 0; i < 3; ++i)
    spawn([&] {
      for (int n = 0; n < 10; ++n) {
        ++turns;
        yield();
      }
    });
  w.at_next([](tasklet, tasklet) {
    for (int i = 0; i < 4; ++i) yield();
  });
  CHECK(w.s.run_n(2).why == run_result::budget);
  const int before = turns;
  CHECK(before >= 2);
  CHECK(w.s.run_n(1).why == run_result::budget);
  CHECK(turns == before + 1);
  w.s.set_schedule_callback(nullptr);
  run();
  CHECK(turns == 30);
}

TEST_CASE("a run in the callback of a run is the inner one") {
  watched w;
  std::string trace;
  named("a", [] { throw 1; });
  named("b", [&] { trace += 'b'; });
  w.at_next([&](tasklet, tasklet) {
    CHECK_THROWS_AS(run(), int);
    trace += 'i';
  });
  CHECK(run().why == run_result::drained);
  CHECK(trace == "ib");
}

TEST_CASE("nobody is counted twice") {
  watched w;
  channel<int> c;
  named("a", [] { yield(); });
  named("b", [&] { c.receive(); });
  run_result inside;
  std::size_t runnable = 0;
  SECTION("one that yields") {
    w.at_next([&](tasklet, tasklet) {
      runnable = w.s.runnable();
      inside = run();
    });
    yield();
  }
  SECTION("one that pauses") {
    w.at_next([&](tasklet, tasklet) {
      runnable = w.s.runnable();
      inside = run();
    });
    suspend();
  }
  SECTION("one that runs") {
    w.at_next([&](tasklet, tasklet) {
      runnable = w.s.runnable();
      inside = run();
    });
    run();
  }
  CHECK(runnable == 2);
  CHECK(inside.runnable == 0);
  CHECK(inside.blocked == 1);
  CHECK(inside.paused == 0);
  c.close();
  run();
}

TEST_CASE("a deadlock inside it is told there") {
  watched w;
  channel<int> never;
  channel<int> c;
  std::string trace;
  named("a", [&] { trace += 'a'; });
  w.at_next([&](tasklet, tasklet) {
    CHECK_THROWS_AS(never.receive(), deadlock_error);
    trace += 'd';
  });
  SECTION("main is left in yield") {
    yield();
    CHECK(trace == "ad");
  }
  SECTION("in a receive") {
    CHECK_THROWS_AS(c.receive(), deadlock_error);
    CHECK(trace == "ad");
  }
  SECTION("in run") {
    CHECK(run().why == run_result::drained);
    CHECK(trace == "ad");
  }
  SECTION("in suspend") {
    suspend();
    CHECK(trace == "ad");
  }
  CHECK(never.balance() == 0);
  CHECK(c.balance() == 0);
}

// ---- the end of the scheduler

TEST_CASE("a shutdown ends one whose callback is suspended") {
  std::string trace;
  {
    watched w;
    channel<int> c;
    channel<void> gate;
    named("a", [&] {
      const std::shared_ptr<void> at_end(nullptr, [&](void*) { trace += 'e'; });
      c.receive();
      trace += '?';
    });
    named("b", [&] { trace += 'b'; });
    w.after = 1;
    w.then = [&](tasklet, tasklet) {
      try {
        gate.receive();
      } catch (const deadlock_error&) {  // A kill is held back here.
        trace += 'd';
      }
    };
    const bool queued = GENERATE(true, false);
    if (queued) c.set_preference(preference::neither);
    run();
    if (queued) c.send(1);
    w.s.shutdown();
    CHECK(c.balance() == 0);
    CHECK(gate.balance() == 0);
  }
  CHECK(trace == "bde");
}

TEST_CASE("one that swallows all in its callback is abandoned", "[leaks]") {
  const bool waits = GENERATE(true, false);
  const auto e = weft_test::in_child([&] {
    channel<int> c;
    channel<void> gate;
    {
      watched w;
      named("a", [&] {
        if (waits)
          c.receive();
        else
          yield();
      });
      named("b", [] {});
      w.after = 1;
      w.then = [&](tasklet, tasklet) {
        for (;;) try {
            gate.receive();
          } catch (const error&) {
            // Whatever it is.
          }
      };
      run();
    }
    if (c.balance() != 0) std::abort();
  });
  CHECK(e.returned);
  CHECK(e.said.find("is abandoned") != std::string::npos);
}

// ---- itself

TEST_CASE("the schedule callback may replace or remove itself") {
  scheduler s;
  std::string trace;
  const bool removes = GENERATE(true, false);
  const auto held = std::make_shared<char>('a');
  s.set_schedule_callback([&, held](tasklet, tasklet) {
    const auto old = s.set_schedule_callback(
        removes ? schedule_callback()
                : [&trace](tasklet, tasklet) { trace += 'b'; });
    CHECK(old);
    trace += *held;
  });
  spawn([] {});
  run();
  CHECK(trace == (removes ? "a" : "ab"));
  CHECK(held.use_count() == 1);
  CHECK(static_cast<bool>(s.set_schedule_callback(nullptr)) == !removes);
  CHECK_FALSE(s.set_schedule_callback(nullptr));
}

TEST_CASE("exceptions that are alive at a switch outlive its callback") {
  watched w;
  std::string trace;
  w.after = 1;
  const auto busy = [&](tasklet, tasklet) {
    CHECK(static_cast<bool>(std::current_exception()));
    try {
      throw 'c';
    } catch (char) {
      yield();
    }
  };
  w.then = busy;
  named("a", [&] {
    try {
      throw std::runtime_error("kept");
    } catch (...) {
      yield();
      try {
        throw;
      } catch (const std::runtime_error& e) {
        trace += e.what();
      }
    }
  });
  named("b", [&] {
    CHECK_FALSE(static_cast<bool>(std::current_exception()));
    yield();
  });
  run();
  CHECK(trace == "kept");
}

TEST_CASE("a switch while an exception is on its way is told, too") {
  watched w;
  bool right = false;
  struct yields {
    ~yields() { yield(); }
  };
  w.after = 1;
  w.then = [](tasklet, tasklet) {
    CHECK(std::uncaught_exceptions() == 1);
    yield();
    CHECK(std::uncaught_exceptions() == 1);
  };
  named("a", [&] {
    try {
      const yields y;
      throw 5;
    } catch (int i) {
      right = i == 5 && std::uncaught_exceptions() == 0;
    }
  });
  named("b", [] { yield(); });
  run();
  CHECK(right);
}

TEST_CASE("traps hold in the callback") {
  watched w;
  channel<int> c;
  std::string trace;
  named("a", [&] {
    const block_trap no_blocking;
    yield();
    trace += 'a';
  });
  w.after = 1;
  w.then = [&](tasklet, tasklet) {
    CHECK_THROWS_AS(c.receive(), block_trap_error);
    trace += 't';
  };
  named("b", [] {});
  run();
  CHECK(trace == "ta");
  CHECK(c.balance() == 0);
}

TEST_CASE("time in the callback is its tasklet's") {
  watched w;
  w.s.set_accounting(true);
  channel<int> c;
  const tasklet a = named("a", [&] {
    c.receive();
    CHECK(current().account().blocked >= 10s);
  });
  w.after = 1;
  w.then = [&](tasklet, tasklet) {
    w.clock.advance(3s);
    yield();
    w.clock.advance(2s);
  };
  named("b", [&] { w.clock.advance(1s); });
  w.s.run_n(10);
  CHECK(a.account().run == 5s);
  w.clock.advance(10s);
  c.send(1);
  run();
}

// ---- anything at all

// Whatever a callback does at random, everybody ends and all values arrive.
TEST_CASE("callbacks that do anything lose nobody") {
  for (unsigned seed = 0; seed != 300; ++seed) {
    INFO("seed " << seed);
    counted::reset();
    std::mt19937 random(seed);
    virtual_clock clock;
    scheduler s({.driver = &clock});
    const auto capacity = random() % 3;
    channel<counted> c(capacity);
    c.set_preference(
        static_cast<preference>(static_cast<int>(random() % 3) +
                                static_cast<int>(preference::receiver)));
    channel<void> inner;
    const auto acts = interruptions();
    int thrown = 0;
    s.set_schedule_callback([&](tasklet from, tasklet to) {
      const auto dice = random() % (acts.size() + 8);
      if (dice < acts.size()) return acts[dice].make(from, to);
      if (dice == acts.size()) {
        ++thrown;
        throw 1;
      }
      if (dice == acts.size() + 1)
        static_cast<void>(
            inner.receive_for(std::chrono::seconds(random() % 3)));
      if (dice == acts.size() + 2) inner.try_send();
    });
    int sent = 0;
    int received = 0;
    int ended = 0;
    constexpr int n = 6;
    for (int i = 0; i < n; ++i)
      spawn([&, i] {
        for (int k = 0; k < 8; ++k) {
          if (i % 2 == 0) {
            if (k % 3 == 2)
              sent += c.send_for(1s, counted(1)) == op_status::done;
            else
              c.send(counted(1)), ++sent;
          } else {
            received += k % 3 == 1 ? c.receive_for(1s).has_value()
                                   : c.receive().has_value();
          }
          if (k % 4 == 3) yield();
        }
        ++ended;
      });
    int caught = 0;
    for (int round = 0; round < 200 && s.live() != 0; ++round) {
      try {
        run();
        c.close();
        spawn([&] {  // Not main: what fails there would lose a value.
          while (c.receive()) ++received;
        });
      } catch (int) {
        ++caught;
      } catch (const channel_closed&) {
        // A send has failed, and is not counted.
      }
    }
    s.set_schedule_callback(nullptr);
    for (bool more = true; more;) try {
        run();
        more = false;
      } catch (int) {
        ++caught;
      } catch (const channel_closed&) {
        // A send has failed, and is not counted.
      }
    CHECK(s.live() == 0);
    CHECK(s.runnable() == 0);
    CHECK(c.balance() == 0);
    CHECK(received + static_cast<int>(c.size()) == sent);
    CHECK(counted::alive == static_cast<int>(c.size()));
    CHECK(caught == thrown);
  }
}

}  // namespace
