// SPDX-License-Identifier: BSL-1.0
// The states of a tasklet, and the verbs that lead from one to another.
#include <any>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <thread>
#include <typeinfo>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"
#include "weft/tests/support/stage.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::counted;
using weft_test::every_state;
using weft_test::letter;
using weft_test::stage;
using weft_test::state;

// ---- states and attributes

TEST_CASE("a tasklet that is alive is in one of four states") {
  for (const auto& [at, name] : every_state) {
    INFO(name);
    stage on(at);
    const char expected = at == state::dead        ? 'd'
                          : weft_test::queued(at)  ? 's'
                          : weft_test::blocked(at) ? 'b'
                          : weft_test::paused(at)  ? 'p'
                                                   : 'c';
    const tasklet t = at == state::self ? current() : on.t;
    CHECK(letter(t) == expected);
    CHECK(t.is_main() == (at == state::self));
  }
}

TEST_CASE("main is a tasklet like any other, and stays main") {
  scheduler s;
  const tasklet me = s.main();
  CHECK(me == current());
  CHECK(me.is_main());
  CHECK(letter(me) == 'c');
  std::string seen;
  const auto look = [&] {
    CHECK(me.is_main());
    CHECK(!current().is_main());
    seen += letter(me);
  };
  spawn(look);
  yield();
  spawn(look);
  run();
  spawn(look);
  suspend();
  spawn(look).switch_to();
  spawn(look).join();
  CHECK(seen == "spppb");
}

TEST_CASE(
    "a name can be given and changed at any time, and ends with its own") {
  for (const auto& [at, name] : every_state) {
    INFO(name);
    stage on(at);
    const tasklet t = at == state::self ? current() : on.t;
    CHECK(t.name().empty());
    t.set_name("first");
    t.set_name("second");
    CHECK(t.name() == (t.alive() ? "second" : ""));
    t.set_name("");
    CHECK(t.name().empty());
  }
  scheduler s;
  const tasklet t = spawn({.name = "old"}, [] { current().set_name("new"); });
  CHECK(t.name() == "old");
  run();
  CHECK(t.name().empty());
  CHECK(spawn([] {}).name().empty());
}

TEST_CASE("a tasklet knows where it was made, and its number") {
  const scheduler s;
  const auto line_of = [](const tasklet& t) { return t.site().source.line(); };
  const auto here = std::source_location::current().line();
  const tasklet a = spawn([] {});
  const tasklet b = create([] {});
  const tasklet c = create();
  const tasklet d = create({.name = "d"});
  CHECK(line_of(a) == here + 1);
  CHECK(line_of(b) == here + 2);
  CHECK(line_of(c) == here + 3);
  CHECK(line_of(d) == here + 4);
  CHECK(b.id() == a.id() + 1);
  CHECK(d.id() == a.id() + 3);
  a.kill();
  CHECK(line_of(a) == spawn_site().source.line());
  CHECK(b.id() == a.id() + 1);
}

TEST_CASE("an account is exact, and kept only while accounting is on") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  channel<int> c;
  const auto work = [&](auto time) { clock.advance(time); };
  const tasklet t = spawn([&] {
    work(1ms);
    yield();
    work(2ms);
    c.receive();  // 30 ms until it goes on
    work(4ms);
    suspend();  // it is paused, not blocked
    work(8ms);
    sleep_for(100ms);
    work(16ms);
    yield();
  });
  CHECK(t.account().switches == 0);
  yield();  // not counted
  s.set_accounting(true);
  work(500ms);  // main's own
  const auto check = [&](std::uint64_t switches, auto run, auto blocked) {
    CHECK(t.account().switches == switches);
    CHECK(t.account().run == run);
    CHECK(t.account().blocked == blocked);
  };
  yield();
  check(1, 2ms, 0ms);
  work(10ms);
  spawn([&] { work(20ms); });
  c.set_preference(preference::neither);
  c.send(1);
  yield();
  check(2, 6ms, 30ms);
  work(40ms);
  t.run();
  check(3, 14ms, 30ms);
  s.run_n(1);
  CHECK(s.main().account().run == 550ms);
  run();
  check(0, 0ms, 0ms);  // it has ended
  s.set_accounting(false);
  const auto before = s.main().account().switches;
  spawn([] {});
  yield();
  CHECK(s.main().account().switches == before);
}

TEST_CASE("the last turn is in the account, and waits in join are blocked") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  s.set_accounting(true);
  const tasklet t = spawn([&] {
    clock.advance(3ms);
    yield();
    clock.advance(5ms);
  });
  spawn([&] { clock.advance(7ms); });
  t.join();
  const account main = s.main().account();
  CHECK(main.blocked == 15ms);
  CHECK(main.run == 0ms);
  CHECK(main.switches == 1);
}

TEST_CASE("an account loses and gains nothing where the counting is changed") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  channel<int> c;
  s.set_accounting(true);
  const tasklet t = spawn([&] {
    for (int i = 0; i < 3; ++i) c.receive();
  });
  yield();
  clock.advance(1ms);
  s.set_time_slice(1ms);
  clock.advance(2ms);
  s.set_accounting(true);
  clock.advance(4ms);
  s.set_accounting(false);
  CHECK(s.main().account().run == 7ms);
  CHECK(t.account().blocked == 7ms);
  // What happens now is not counted.
  clock.advance(8ms);
  c.send(1);
  c.send(2);
  clock.advance(16ms);
  s.set_accounting(true);
  run();
  CHECK(s.main().account().run == 7ms);
  CHECK(t.account().blocked == 7ms);
  c.close();
}

TEST_CASE("a new scheduler's main has nothing of the one before") {
  virtual_clock clock;
  std::optional<scheduler> s;
  std::exception_ptr exit;
  {
    s.emplace(scheduler_options{.driver = &clock});
    const tasklet me = s->main();
    me.set_name("old");
    s->set_accounting(true);
    clock.advance(1s);
    yield();
    try {
      me.kill();
    } catch (...) {
      exit = std::current_exception();
    }
    const shield on;
    const atomic_section whole;
    s.reset();
  }
  s.emplace();
  const tasklet me = s->main();
  CHECK(me.name().empty());
  CHECK(me.account().run == 0ns);
  CHECK(me.site().source.line() == 0);
  try {
    throw 1;
  } catch (int) {
    CHECK_THROWS_AS(me.kill(), tasklet_exit);
  }
  s.emplace();
  spawn([] { yield(); });
  CHECK(s->run_n(1).why == run_result::budget);
}

// ---- verbs

// What each verb does in each state: '+' its work, '.' nothing, 'x' an error.
// insert, insert a value, remove, run, switch_to, bind, setup
constexpr std::array outcomes{
    std::pair{state::self, ".xx..xx"},
    std::pair{state::dead, "xx.xxxx"},
    std::pair{state::fresh, ".x+++xx"},
    std::pair{state::created, "+x.++xx"},
    std::pair{state::unbound, "xx.xx++"},
    std::pair{state::yielding, ".x+++xx"},
    std::pair{state::sending, "xxxxxxx"},
    std::pair{state::receiving, "xxxxxxx"},
    std::pair{state::buffered, "xxxxxxx"},
    std::pair{state::joining, "xxxxxxx"},
    std::pair{state::selecting, "xxxxxxx"},
    std::pair{state::sleeping, "xxxxxxx"},
    std::pair{state::suspended, "++.++xx"},
    std::pair{state::removed, "+x.++xx"},
    std::pair{state::switched, "++.++xx"},
    std::pair{state::running, "+x.++xx"},
};

using verb = void (*)(stage&, const tasklet&);
constexpr std::array verbs{
    verb([](stage&, const tasklet& t) { t.insert(); }),
    verb([](stage&, const tasklet& t) { t.insert(1); }),
    verb([](stage&, const tasklet& t) { t.remove(); }),
    verb([](stage&, const tasklet& t) { t.run(); }),
    verb([](stage& on, const tasklet& t) {
      if (t.switch_to().has_value()) on.trace += 'v';
    }),
    verb([](stage& on, const tasklet& t) { t.bind([&] { on.trace += 'r'; }); }),
    verb(
        [](stage& on, const tasklet& t) { t.setup([&] { on.trace += 'r'; }); }),
};
// The state of the target after the verb's work, and whether it has run.
constexpr std::string_view leads_to = "sspddps";

TEST_CASE("each verb works, does nothing or throws; then nothing has changed") {
  for (std::size_t i = 0; i < every_state.size(); ++i)
    for (std::size_t v = 0; v < verbs.size(); ++v)
      for (const bool by_main : {true, false}) {
        const auto [at, row] = outcomes[i];
        REQUIRE(at == every_state[i].first);
        INFO("verb " << v << " on one that is " << every_state[i].second
                     << (by_main ? ", by main" : ", by a worker"));
        const char expected = row[v];
        stage on(at);
        on.play(by_main, [&] {
          on.line_up(true);
          const tasklet t = at == state::self ? current() : on.t;
          const auto before = on.snapshot();
          const char was = letter(t);
          bool failed = false;
          try {
            verbs[v](on, t);
          } catch (const error& e) {
            failed = true;
            CHECK(typeid(e) == typeid(error));
            CHECK(std::string_view(e.what()).starts_with("weft: "));
          }
          CHECK(failed == (expected == 'x'));
          if (expected != '+') {
            CHECK(on.snapshot() == before);
            CHECK(letter(t) == was);
            return;
          }
          CHECK(letter(t) == leads_to[v]);
          const bool ran = on.trace.find('r') != std::string::npos;
          CHECK(ran == (leads_to[v] == 'd'));
        });
      }
}

TEST_CASE("the caller of run goes on next, that of switch_to when inserted") {
  const bool switches = GENERATE(false, true);
  for (const auto& [at, row] : outcomes) {
    if (row[3] != '+') continue;
    for (const bool by_main : {true, false}) {
      stage on(at);
      on.play(by_main, [&] {
        on.line_up(true);
        switches ? static_cast<void>(on.t.switch_to()) : on.t.run();
        on.trace += 'm';
      });
      std::string got = on.trace;
      std::erase(got, 'd');
      CHECK(got == (switches ? "rabm" : "rmab"));
    }
  }
}

TEST_CASE("create makes a paused tasklet, which counts as one") {
  scheduler s;
  std::string trace;
  const tasklet t = create([&] { trace += 'a'; });
  const tasklet u = create([&](char c) { trace += c; }, 'b');
  const tasklet v =
      create({.name = "v"}, [&](const std::string& w) { trace += w; }, "c");
  CHECK(s.live() == 3);
  CHECK(s.runnable() == 0);
  CHECK(v.name() == "v");
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(r.paused == 3);
  CHECK(r.blocked == 0);
  CHECK(trace.empty());
  v.insert();
  t.insert();
  u.insert();
  t.insert();
  CHECK(s.runnable() == 3);
  run();
  CHECK(trace == "cab");
}

TEST_CASE("a spawn site and a stack are what create was asked for") {
  const scheduler s;
  const tasklet t = create({.stack_size = 1 << 20}, [] {
    volatile char deep[600 << 10];
    deep[0] = 1;
    yield();
    CHECK(deep[0] == 1);
  });
  t.insert();
  run();
  CHECK(!t.alive());
}

TEST_CASE("bind gives work to one that has none, once") {
  const scheduler s;
  counted::reset();
  std::string trace;
  const tasklet t = create({.name = "t"});
  CHECK(t.paused());
  CHECK_THROWS_AS(t.insert(), error);
  CHECK_THROWS_AS(t.run(), error);
  t.bind([&](const counted& n) { trace += static_cast<char>('0' + n.value); },
         counted(4));
  CHECK(t.paused());
  CHECK_THROWS_AS(t.bind([] {}), error);
  CHECK_THROWS_AS(t.setup([] {}), error);
  CHECK(counted::alive == 1);
  t.run();
  CHECK(trace == "4");
  CHECK(counted::alive == 0);
  CHECK(!t.alive());

  const tasklet u = create();
  u.setup([&] {
    trace += 'u';
    CHECK_THROWS_AS(current().bind([] {}), error);
  });
  CHECK(u.scheduled());
  run();
  CHECK(trace == "4u");
  CHECK_THROWS_AS(s.main().bind([] {}), error);
}

TEST_CASE("a bind that fails leaves the tasklet as it was") {
  const scheduler s;
  counted::reset();
  const tasklet t = create();
  const auto body = [](const counted&) {};
  for (int moves = 0; moves < 2; ++moves) {
    counted value(1);
    counted::throw_in = moves;
    CHECK_THROWS_AS(t.bind(body, std::move(value)), weft_test::move_failed);
    CHECK(counted::alive == 1);
    CHECK_THROWS_AS(t.insert(), error);
  }
  counted::throw_in = -1;
  t.setup(body, counted(1));
  run();
  CHECK(!t.alive());
  CHECK(counted::alive == 0);
}

TEST_CASE("to move what is bound may end the tasklet, or bind it") {
  const scheduler s;
  struct meddler {
    std::function<void()> meddle;
    explicit meddler(std::function<void()> f) : meddle(std::move(f)) {}
    meddler(const meddler& other) : meddle(other.meddle) { meddle(); }
    void operator()() const {}
  };
  const tasklet ended = create();
  CHECK_THROWS_AS(ended.bind(meddler([&] { ended.kill(); })), error);
  CHECK(!ended.alive());

  bool ran = false;
  const tasklet bound = create();
  CHECK_THROWS_AS(bound.bind(meddler([&] {
    if (bound.paused() && !ran) {
      ran = true;
      bound.bind([] {});
    }
  })),
                  error);
  CHECK(bound.paused());
  bound.run();
  CHECK(!bound.alive());
}

TEST_CASE("one that has nothing to run ends like any other") {
  scheduler s;
  const tasklet killed = create();
  const tasklet left = create({.name = "left"});
  const tasklet joiner = spawn([&] { killed.join(); });
  run();
  CHECK(joiner.blocked());
  killed.kill();
  run();
  CHECK(!joiner.alive());
  CHECK(left.alive());
}

TEST_CASE("insert hands a value over, in suspend and in switch_to") {
  const scheduler s;
  std::string trace;
  const auto tell = [&](const std::any& got) {
    if (!got.has_value())
      trace += '-';
    else if (const int* n = std::any_cast<int>(&got))
      trace += static_cast<char>('0' + *n);
    else
      trace += std::any_cast<std::string>(got);
  };
  const tasklet t = spawn([&] {
    tell(suspend());
    tell(suspend());
    tell(create([&] { trace += 'h'; }).switch_to());
    tell(suspend());
  });
  run();
  t.insert(5);
  t.insert();
  CHECK_THROWS_AS(t.insert(6), error);
  run();
  t.insert(std::string("text"));
  run();
  CHECK(trace == "5texth");
  t.insert(7);
  run();
  t.run();
  CHECK(trace == "5texth7-");
  CHECK(!t.alive());
}

TEST_CASE("a value handed over and not picked up is destroyed once") {
  const auto value = std::make_shared<int>(1);
  {
    const scheduler s;
    const tasklet t = spawn([] { suspend(); });
    const tasklet u = spawn([] { suspend(); });
    run();
    t.insert(value);
    t.kill();
    CHECK(value.use_count() == 1);
    u.insert(value);
    CHECK_THROWS_AS(u.insert(value), error);
    CHECK(value.use_count() == 2);
  }
  CHECK(value.use_count() == 1);
}

TEST_CASE("main may hand values to itself through others") {
  const scheduler s;
  const tasklet me = current();
  spawn([&] { me.insert(3); });
  CHECK(std::any_cast<int>(suspend()) == 3);
  const tasklet t = spawn([&] { me.insert(4); });
  CHECK(std::any_cast<int>(t.switch_to()) == 4);
  CHECK(!suspend().has_value());
}

TEST_CASE("remove takes out of the queue, and insert puts back at the tail") {
  scheduler s;
  std::string trace;
  std::array<tasklet, 3> t;
  for (std::size_t i = 0; i < 3; ++i)
    t[i] = spawn([&trace, i] {
      trace += static_cast<char>('a' + i);
      yield();
      trace += static_cast<char>('A' + i);
    });
  t[1].remove();
  t[1].remove();
  CHECK(s.runnable() == 2);
  CHECK(t[1].paused());
  yield();
  CHECK(trace == "ac");
  t[0].remove();
  t[1].insert();
  t[0].insert();
  CHECK(run().paused == 0);
  CHECK(trace == "acCbAB");
}

TEST_CASE("what is due to a tasklet stays due while it is removed") {
  const scheduler s;
  const auto due = GENERATE('k', 'e', 'j', 'v', 's');
  INFO(due);
  counted::reset();
  {
    channel<counted> c;
    c.set_preference(preference::neither);
    std::string trace;
    const tasklet fails = spawn([] {
      suspend();
      throw 1;
    });
    const tasklet t = spawn([&] {
      try {
        if (due == 'j') fails.join();
        if (due == 'v') trace += static_cast<char>('0' + c.receive()->value);
        if (due == 's')
          trace += static_cast<char>('0' + std::any_cast<int>(suspend()));
        if (due == 'k' || due == 'e') yield();
      } catch (const tasklet_exit&) {
        trace += 'k';
      } catch (int) {
        trace += 'e';
      }
    });
    yield();
    if (due == 'k') t.kill(pending);
    if (due == 'e') t.throw_exception(std::make_exception_ptr(1), pending);
    if (due == 'j') fails.run();
    if (due == 'v') c.send(counted(7));
    if (due == 's') t.insert(8);
    CHECK(t.scheduled());
    t.remove();
    run();
    CHECK(trace.empty());
    CHECK(t.paused());
    t.insert();
    run();
    CHECK(trace == (due == 'k'   ? "k"
                    : due == 'v' ? "7"
                    : due == 's' ? "8"
                                 : "e"));
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("the time of an operation that is over does not wake the removed") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  channel<int> c;
  c.set_preference(preference::neither);
  std::string trace;
  const tasklet t = spawn([&] {
    const auto got = c.receive_for(1h);
    trace += got ? static_cast<char>('0' + *got) : '!';
  });
  const tasklet u = spawn([&] {
    try {
      sleep_for(1h);
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
  });
  yield();
  c.send(5);
  t.remove();
  u.kill(pending);
  u.remove();
  clock.advance(2h);
  CHECK(run().paused == 2);
  CHECK(trace.empty());
  u.insert();
  t.insert();
  run();
  CHECK(trace == "k5");
}

TEST_CASE("what escapes the one that main has switched to comes out there") {
  const scheduler s;
  const auto fails = [] { throw 1; };
  CHECK_THROWS_AS(create(fails).switch_to(), int);
  CHECK_THROWS_AS(create(fails).run(), int);
  spawn(fails);
  CHECK_THROWS_AS(suspend(), int);
  CHECK(letter(s.main()) == 'c');
}

TEST_CASE("a verb whose caller is due for a kill is not done") {
  scheduler s;
  const tasklet t = create([] {});
  const tasklet u = spawn([] {});
  std::string trace;
  const tasklet caller = spawn([&] {
    const auto attempt = [&](auto f) {
      try {
        f();
        trace += '!';
      } catch (const tasklet_exit&) {
        trace += 'k';
      }
    };
    attempt([] { yield(); });
    attempt([&] { t.insert(); });
    attempt([&] { u.remove(); });
    attempt([&] { t.run(); });
    attempt([&] { t.switch_to(); });
    attempt([] { suspend(); });
  });
  u.remove();
  caller.run();
  u.insert();
  caller.kill();
  CHECK(trace == "kkkkkk");
  CHECK(t.paused());
  CHECK(u.scheduled());
}

// ---- main, paused

TEST_CASE("main comes back from suspend when nothing can run any more") {
  scheduler s;
  std::string trace;
  CHECK(!suspend().has_value());
  channel<int> c;
  spawn([&] {
    trace += 'a';
    yield();
    trace += 'b';
    c.receive();
  });
  suspend();
  CHECK(trace == "ab");
  create([&] { trace += 'c'; }).switch_to();
  CHECK(trace == "abc");
  const tasklet me = current();
  spawn([&] {
    me.remove();
    trace += 'd';
    yield();
    trace += 'e';
  });
  yield();
  CHECK(trace == "abcde");
  c.close();
}

TEST_CASE(
    "main that is suspended sleeps as long as something may wake others") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  spawn([] { sleep_for(5s); });
  suspend();
  CHECK(clock.now().time_since_epoch() == 5s);
  CHECK(s.live() == 0);
}

TEST_CASE("the last that could run cannot suspend while main is blocked") {
  const scheduler s;
  channel<int> c;
  const bool pauses_first = GENERATE(false, true);
  std::string trace;
  const tasklet other = spawn([&] {
    if (pauses_first) suspend();
  });
  const tasklet t = spawn([&] {
    try {
      suspend();
      trace += '!';
    } catch (const deadlock_error& e) {
      trace += 'd';
      const std::string text = e.what();
      CHECK(text.find("is paused in suspend") != std::string::npos);
    }
    CHECK(current().is_current());
    c.send(1);
  });
  CHECK(c.receive() == 1);
  CHECK(trace == "d");
  run();
  CHECK(other.alive() == pauses_first);
  CHECK(!t.alive());
}

TEST_CASE("where one has switched away and the last ends, main is told") {
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([] { create([] {}).switch_to(); });
  CHECK_THROWS_AS(c.receive(), deadlock_error);
  CHECK(c.balance() == 0);
  CHECK(t.paused());
}

TEST_CASE("inside a run the last may suspend, and the run returns") {
  const scheduler s;
  const tasklet t = spawn([] { suspend(); });
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(r.paused == 1);
  CHECK(r.blocked == 0);
  CHECK(t.paused());
}

TEST_CASE("to insert, run or throw into main brings its run back") {
  scheduler s;
  std::string trace;
  const tasklet me = current();
  const auto others = [&](auto wake) {
    spawn([&trace, wake] {
      trace += 'a';
      wake();
      trace += 'b';
      yield();
      trace += 'c';
    });
    spawn([&] { trace += 'x'; });
  };
  others([&] { me.insert(); });
  run_result r = run();
  CHECK(r.why == run_result::woken);
  CHECK(r.runnable == 1);
  CHECK(trace == "abx");
  run();
  trace.clear();
  others([&] { me.run(); });
  r = run();
  CHECK(r.why == run_result::woken);
  CHECK(trace == "a");
  run();
  CHECK(trace == "abxc");
  trace.clear();
  others([&] { CHECK_THROWS_AS(me.insert(1), error); });
  CHECK(run().why == run_result::drained);
  trace.clear();
  others([&] { me.throw_exception(std::make_exception_ptr(1)); });
  CHECK_THROWS_AS(run(), int);
  CHECK(trace == "a");
  run();
  CHECK(trace == "abxc");
  trace.clear();
  others([&] { me.switch_to(); });
  CHECK(run().why == run_result::woken);
  CHECK(trace == "a");
  CHECK(run().paused == 1);
  CHECK(trace == "ax");
}

TEST_CASE("runs that were begun later come back with the one that is woken") {
  const scheduler s;
  const auto how = GENERATE('i', 'r', 'e');
  INFO(how);
  std::string trace;
  const auto tell = [&](char name, run_result::reason why) {
    trace += name;
    trace += why == run_result::woken ? 'w' : 'd';
  };
  std::array<tasklet, 3> t;
  t[0] = spawn([&] { tell('0', run().why); });
  t[1] = spawn([&] { tell('1', run().why); });
  t[2] = spawn([&] {
    trace += 's';
    if (how == 'i') t[1].insert();
    if (how == 'r') t[1].run();
    if (how == 'e') t[1].throw_exception(std::make_exception_ptr(1), pending);
    trace += 't';
    yield();
    trace += 'u';
  });
  // 2 begins a run of its own, inside that of 1.
  const tasklet inner = spawn([&] { tell('3', run().why); });
  inner.remove();
  t[2].remove();
  yield();
  inner.run();
  t[2].insert();
  try {
    tell('m', run().why);
  } catch (int) {
    trace += 'E';
  }
  while (s.live() != 0) {
    try {
      run();
    } catch (int) {
      trace += 'E';
    }
  }
  // That of 0 was begun before, and waits until nothing can run, or for what
  // escapes 1.
  CHECK(trace == (how == 'i'   ? "st1wu3w0dmd"
                  : how == 'r' ? "s1wt3wu0dmd"
                               : "stEu3w"));
}

TEST_CASE("a run inside main's comes back with main's") {
  const scheduler s;
  const tasklet me = current();
  std::string trace;
  const tasklet t = spawn([&] {
    trace += 'a';
    trace += run().why == run_result::woken ? 'w' : 'd';
  });
  spawn([&] {
    me.insert();
    for (int i = 0; i < 3; ++i) {
      trace += '.';
      yield();
    }
  });
  CHECK(run().why == run_result::woken);
  CHECK(trace == "a.");
  CHECK(t.scheduled());
  run();
  CHECK(trace == "a..w.");
}

// ---- where a verb does not belong

// Every verb, on a handle: those of its own thread only, and the others.
template <typename F>
void for_every_local_verb(const tasklet& t, F check) {
  check("run", [&] { t.run(); });
  check("switch_to", [&] { t.switch_to(); });
  check("bind", [&] { t.bind([] {}); });
  check("setup", [&] { t.setup([] {}); });
  check("remove", [&] { t.remove(); });
  check("set_block_trap", [&] { t.set_block_trap(true); });
  check("set_name", [&] { t.set_name("n"); });
}
template <typename F>
void for_every_verb(const tasklet& t, F check) {
  for_every_local_verb(t, check);
  check("insert", [&] { t.insert(); });
  check("insert", [&] { t.insert(1); });
  check("throw", [&] { t.throw_exception(std::make_exception_ptr(1)); });
  check("throw",
        [&] { t.throw_exception(std::make_exception_ptr(1), pending); });
  check("kill", [&] { t.kill(); });
  check("kill", [&] { t.kill(pending); });
  check("join", [&] { t.join(); });
}

template <typename Error, typename F>
bool throws(F f) {
  try {
    f();
  } catch (const Error& e) {
    return typeid(e) == typeid(Error);
  }
  return false;
}

TEST_CASE(
    "verbs of one thread refuse another's tasklets, whatever their state") {
  for (const auto& [at, name] : every_state) {
    if (at == state::dead) continue;
    INFO(name);
    stage on(at);
    const tasklet t = at == state::self ? current() : on.t;
    const auto before = on.snapshot();
    const char was = letter(t);
    std::string failed;
    std::thread([&] {
      for_every_local_verb(t, [&](const char* what, auto f) {
        if (!throws<no_scheduler>(f)) failed += what;
      });
      const scheduler s;
      for_every_local_verb(t, [&](const char* what, auto f) {
        if (!throws<wrong_scheduler>(f)) failed += what;
      });
    }).join();
    CHECK(failed.empty());
    CHECK(on.snapshot() == before);
    CHECK(letter(t) == was);
    CHECK(t.name().empty());
    CHECK(!t.block_trap());
  }
}

TEST_CASE("suspend needs a scheduler, and create does") {
  CHECK_THROWS_AS(suspend(), no_scheduler);
  CHECK_THROWS_AS(create([] {}), no_scheduler);
  CHECK_THROWS_AS(create(), no_scheduler);
  CHECK_THROWS_AS(yield(), no_scheduler);
  CHECK_THROWS_AS(checkpoint(), no_scheduler);
}

TEST_CASE("every verb is safe on the dead, on nobody and past the scheduler") {
  std::array<tasklet, 5> gone;
  std::optional<scheduler> s(std::in_place);
  gone[0] = spawn([] {});
  gone[1] = create();
  run();
  gone[1].kill();
  gone[2] = s->main();
  gone[3] = spawn([] { suspend(); });
  const auto check_all = [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const tasklet& t = gone[i];
      std::string raised;
      for_every_verb(t, [&](const char*, auto f) {
        raised += throws<error>(f) ? 'x' : '.';
      });
      CHECK(raised == "xxxx...xxxx...");
      CHECK(letter(t) == 'd');
      CHECK(!t.is_main());
      CHECK(!t.set_block_trap(true));
      CHECK(!t.block_trap());
      CHECK(t.account().switches == 0);
      CHECK(t.name().empty());
      t.throw_exception(std::make_exception_ptr(tasklet_exit()));
    }
  };
  check_all(0, 2);
  check_all(4, 5);
  s.reset();
  check_all(0, 5);
  s.emplace();  // Another one uses the same memory again.
  const tasklet t = create();
  check_all(0, 5);
  CHECK(t.paused());
}

}  // namespace
