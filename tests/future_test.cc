// SPDX-License-Identifier: BSL-1.0
// Futures: who gets what, when, and what becomes of failures.
#include "weft/structure/future.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/both_threads.h"
#include "weft/tests/support/counted.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::allocations;
using weft_test::counted;
using weft_test::move_failed;
using weft_test::refusal_of;
using weft_test::refused;
using weft_test::this_thread_text;

std::exception_ptr failure_of(int n) { return std::make_exception_ptr(n); }

// What it comes to, in a letter or a digit.
template <typename F>
char outcome_of(const F& f) {
  try {
    return static_cast<char>('0' + f());
  } catch (int n) {
    return static_cast<char>('a' + n);
  } catch (const broken_promise&) {
    return 'B';
  } catch (const error&) {
    return 'E';
  }
}

// What goes to the error handler, as ints.
std::string& keep_unheard(scheduler& s, std::string& trace) {
  s.set_error_handler([&](const tasklet&, std::exception_ptr what) {
    trace += outcome_of([&]() -> int { std::rethrow_exception(what); });
  });
  return trace;
}

// ---- results

TEST_CASE("async() runs at its turn, and get() parks until it has a result") {
  const scheduler s;
  std::string trace;
  spawn([&] { trace += 'x'; });
  future<int> f = async([&] {
    trace += 'a';
    yield();
    trace += 'b';
    return 7;
  });
  spawn([&] { trace += 'y'; });
  CHECK_FALSE(f.ready());
  trace += 'm';
  CHECK(f.get() == 7);
  CHECK(trace == "mxayb");
}

TEST_CASE("a result is a value of any kind, a reference or nothing") {
  const scheduler s;
  int there = 1;
  future<void> nothing = async([&] { ++there; });
  future<int&> reference = async([&]() -> int& { return there; });
  future<std::unique_ptr<int>> unique =
      async([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3));
  future<std::string> moved =
      async([](std::string&& t) -> std::string&& { return std::move(t); },
            std::string("five"));
  future<std::size_t> member = async(&std::string::size, std::string("sixsix"));
  nothing.get();
  CHECK(there == 2);
  CHECK(&reference.get() == &there);
  CHECK(*unique.get() == 3);
  CHECK(moved.get() == "five");
  CHECK(member.get() == 6);
}

TEST_CASE("a promise gives a value, a reference or nothing") {
  const scheduler s;
  promise<std::string> text;
  promise<const std::string&> reference;
  promise<void> nothing;
  std::string here = "here";
  text.set_value("text");
  reference.set_value(here);
  nothing.set_value();
  CHECK(text.get_future().get() == "text");
  CHECK(&reference.get_future().get() == &here);
  nothing.get_future().get();
}

TEST_CASE("a result is made in its place, and moved once, by get()") {
  counted::reset();
  const scheduler s;
  {
    future<counted> f = async([] { return counted(5); });
    f.wait();
    CHECK(counted::moves == 0);
    CHECK(f.get().value == 5);
    CHECK(counted::moves == 1);
    CHECK(counted::alive == 0);
  }
  promise<counted> never_taken;
  never_taken.set_value(counted(6));
  CHECK(counted::alive == 1);
}

TEST_CASE("try_get() takes what is there, and does not park") {
  const scheduler s;
  promise<int> p;
  future<int> f = p.get_future();
  CHECK(f.try_get() == std::nullopt);
  p.set_value(1);
  CHECK(f.try_get() == 1);
  CHECK_THROWS_AS(f.try_get(), error);

  int there = 0;
  future<int&> reference = async([&]() -> int& { return there; });
  future<void> nothing = async([] {});
  CHECK(reference.try_get() == nullptr);
  CHECK_FALSE(nothing.try_get());
  yield();
  CHECK(reference.try_get() == &there);
  CHECK(nothing.try_get());

  promise<int> fails;
  fails.set_exception(failure_of(1));
  CHECK_THROWS_AS(fails.get_future().try_get(), int);
}

TEST_CASE("a result is taken once") {
  const scheduler s;
  const bool fails = GENERATE(false, true);
  promise<int> p;
  future<int> f = p.get_future();
  fails ? p.set_exception(failure_of(2)) : p.set_value(2);
  CHECK(f.valid());
  CHECK(outcome_of([&] { return f.get(); }) == (fails ? 'c' : '2'));
  CHECK_FALSE(f.valid());
  CHECK_FALSE(f.ready());
  CHECK_THROWS_AS(f.get(), error);
  CHECK_THROWS_AS(f.wait(), error);
  CHECK_THROWS_AS(f.wait_for(1s), error);
  CHECK_THROWS_AS(static_cast<void>(f.wait_case()), error);
}

TEST_CASE("a promise is kept once, and gives one future") {
  const scheduler s;
  promise<int> p;
  const future<int> f = p.get_future();
  CHECK_THROWS_AS(p.get_future(), error);
  CHECK_THROWS_AS(p.set_exception(nullptr), std::invalid_argument);
  p.set_value(1);
  CHECK_THROWS_AS(p.set_value(2), error);
  CHECK_THROWS_AS(p.set_exception(failure_of(2)), error);
  promise<int> q = std::move(p);
  CHECK_THROWS_AS(p.set_value(3), error);  // NOLINT: that is what is asked
  CHECK(f.failure() == nullptr);
}

TEST_CASE("a future of nothing has no result") {
  const scheduler s;
  future<int> f;
  CHECK_FALSE(f.valid());
  CHECK_FALSE(f.ready());
  CHECK_FALSE(f.failed());
  CHECK_FALSE(f.who().alive());
  CHECK_THROWS_AS(f.get(), error);
  CHECK_THROWS_AS(shared_future<int>().get(), error);
}

TEST_CASE("a value that cannot be made or moved stays where it was") {
  counted::reset();
  const scheduler s;
  promise<counted> p;
  future<counted> f = p.get_future();
  counted value(1);
  counted::throw_in = 0;
  CHECK_THROWS_AS(p.set_value(std::move(value)), move_failed);
  CHECK_FALSE(f.ready());
  p.set_value(std::move(value));
  counted::throw_in = 0;
  CHECK_THROWS_AS(f.get(), move_failed);
  CHECK(f.ready());
  CHECK(f.get().value == 1);
}

TEST_CASE("the callable has ended when its result is known") {
  const scheduler s;
  std::string trace;
  struct says {
    std::string* trace;
    explicit says(std::string& t) : trace(&t) {}
    says(says&& other) noexcept : trace(std::exchange(other.trace, nullptr)) {}
    ~says() {
      if (trace != nullptr) *trace += 'd';
    }
  };
  const bool fails = GENERATE(false, true);
  future<void> f = async([&, end = says(trace)] {
    trace += 'a';
    if (fails) throw 1;
  });
  spawn([&] {
    f.wait();
    trace += 'w';
  });
  yield();
  yield();
  CHECK(trace == "adw");
  CHECK(f.failed() == fails);
}

// ---- failures

TEST_CASE("what escapes an async() goes to its future, and to nobody else") {
  scheduler s;
  std::string unheard;
  keep_unheard(s, unheard);
  future<int> f = async([]() -> int { throw 3; });
  std::string trace;
  const tasklet t = f.who();
  spawn([&, t] {
    t.join();
    trace += 'j';
  });
  run();
  CHECK(trace == "j");
  CHECK(outcome_of([&] { return f.get(); }) == 'd');
  CHECK(unheard.empty());
}

TEST_CASE(
    "a tasklet that is killed before it has a result breaks its promise") {
  const scheduler s;
  const bool started = GENERATE(false, true);
  std::string trace;
  promise<int> never;
  future<int> f = async([&, never = never.get_future()]() mutable {
    trace += 's';
    const int result = never.get();
    trace += 'r';
    return result;
  });
  if (started) yield();
  const tasklet reader =
      spawn([&] { trace += outcome_of([&] { return f.get(); }); });
  f.who().kill();
  CHECK_FALSE(f.who().alive());
  CHECK(f.ready());
  CHECK(f.failed());
  reader.join();
  CHECK(trace == (started ? "sB" : "B"));
}

TEST_CASE("what is thrown into it before it begins goes to its future") {
  const scheduler s;
  future<int> f = async([] { return 1; });
  f.who().throw_exception(std::make_exception_ptr(7), pending);
  CHECK_THROWS_AS(f.get(), int);
  future<int> killed = async([] { return 1; });
  killed.who().throw_exception(std::make_exception_ptr(tasklet_exit()),
                               pending);
  CHECK_THROWS_AS(killed.get(), broken_promise);
}

TEST_CASE("a tasklet that swallows its kill has a result") {
  const scheduler s;
  future<int> f = async([] {
    try {
      suspend();
    } catch (const tasklet_exit&) {
    }
    return 6;
  });
  yield();
  f.who().kill();
  CHECK(f.get() == 6);
}

TEST_CASE("a promise that ends unkept is broken") {
  scheduler s;
  std::string unheard;
  keep_unheard(s, unheard);
  std::optional<promise<int>> p(std::in_place);
  std::string trace;
  future<int> f = p->get_future();
  spawn([&] { trace += outcome_of([&] { return f.get(); }); });
  yield();
  p.reset();
  yield();
  CHECK(trace == "B");
  CHECK(unheard.empty());
}

TEST_CASE("a failure that nobody has looked at is reported once") {
  scheduler s;
  std::string unheard;
  keep_unheard(s, unheard);
  SECTION("by the last of its futures") {
    {
      promise<int> p;
      const shared_future<int> a = p.get_future();
      {
        const shared_future<int> b = a;  // NOLINT: a copy is what is asked
        p.set_exception(failure_of(0));
        b.wait();
      }
      CHECK(a.ready());
      CHECK(unheard.empty());
    }
  }
  SECTION("by who fails, where there is no future any more") {
    static_cast<void>(async([] { throw 0; }));
    CHECK(unheard.empty());
    yield();
  }
  SECTION("by the promise, where it has given none") {
    promise<int> p;
    p.set_exception(failure_of(0));
    CHECK(unheard.empty());
  }
  SECTION("by who was the last to wait") {
    promise<int> p;
    spawn([&] {
      p.get_future().wait();  // NOLINT: gone with the statement
    });
    yield();
    p.set_exception(failure_of(0));
    CHECK(unheard.empty());
    yield();
  }
  CHECK(unheard == "a");
}

TEST_CASE("a failure that somebody has looked at is not reported") {
  scheduler s;
  std::string unheard;
  keep_unheard(s, unheard);
  const int how = GENERATE(range(0, 6));
  {
    future<int> f = async([]() -> int { throw 1; });
    f.wait();
    if (how == 0) CHECK_THROWS_AS(f.get(), int);
    if (how == 1) CHECK_THROWS_AS(f.try_get(), int);
    if (how == 2) CHECK(f.failed());
    if (how == 3) CHECK(f.failure() != nullptr);
    if (how == 4) CHECK_THROWS_AS(f.share().get(), int);
    if (how == 5) {
      const shared_future<int> a = f.share();
      const shared_future<int> b = a;  // NOLINT: a copy is what is asked
      CHECK_THROWS_AS(a.get(), int);
    }
  }
  CHECK(unheard.empty());
}

TEST_CASE("an error handler may end the promise whose failure it hears of") {
  scheduler s;
  std::optional<promise<int>> p(std::in_place);
  int heard = 0;
  s.set_error_handler([&](const tasklet&, const std::exception_ptr&) {
    ++heard;
    p.reset();
  });
  const bool dropped_first = GENERATE(false, true);
  std::optional<future<int>> f(p->get_future());
  if (dropped_first) f.reset();
  p->set_exception(failure_of(0));
  f.reset();
  CHECK(heard == 1);
}

TEST_CASE("where there is no scheduler any more a failure is told on stderr") {
  const auto e = weft_test::in_child([] {
    future<void> f;
    {
      const scheduler s;
      f = async([] { throw std::runtime_error("too late"); });
      f.wait();
    }
    f = {};
  });
  CHECK(e.said.ends_with(", now dead, failed: too late\n"));
  CHECK(e.returned);
}

// ---- waiting

TEST_CASE("who waits for a future goes on in the order in which it came") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  promise<int> p;
  const shared_future<int> f = p.get_future();
  std::string trace;
  std::vector<tasklet> all;
  for (char name = 'a'; name != 'h'; ++name)
    all.push_back(spawn([&, name] {
      if (name == 'c' && !f.wait_for(1s)) return;
      name % 2 != 0 ? f.wait() : static_cast<void>(f.get());
      trace += name;
    }));
  yield();
  all[4].kill();
  sleep_for(2s);
  p.set_value(1);
  trace += 'p';
  yield();
  CHECK(trace == "pabdfg");
}

TEST_CASE("of several who get() one future the first has the value") {
  const scheduler s;
  const bool fails = GENERATE(false, true);
  promise<int> p;
  future<int> f = p.get_future();
  std::string trace;
  for (int i = 0; i != 3; ++i)
    spawn([&] { trace += outcome_of([&] { return f.get(); }); });
  yield();
  fails ? p.set_exception(failure_of(1)) : p.set_value(1);
  yield();
  CHECK(trace == (fails ? "bEE" : "1EE"));
}

TEST_CASE("a future may be dropped or moved while others wait for it") {
  const scheduler s;
  const bool moved = GENERATE(false, true);
  promise<int> p;
  std::optional<future<int>> f(p.get_future());
  std::string trace;
  spawn([&] { trace += outcome_of([&] { return f->get(); }); });
  spawn([&] {
    f->wait();
    trace += 'w';
  });
  yield();
  future<int> elsewhere;
  if (moved) elsewhere = std::move(*f);
  f.reset();
  p.set_value(4);
  yield();
  CHECK(trace == "4w");
  CHECK_FALSE(elsewhere.valid());
}

TEST_CASE("a wait may end with the time") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  promise<int> p;
  future<int> f = p.get_future();
  const auto start = clock.now();
  CHECK_FALSE(f.wait_for(1s));
  CHECK(clock.now() == start + 1s);
  CHECK_FALSE(f.wait_until(start));
  CHECK_FALSE(f.wait_for(-1s));
  spawn([&] {
    sleep_for(1s);
    p.set_value(1);
  });
  CHECK(f.wait_for(1h));
  CHECK(clock.now() == start + 2s);
  CHECK(f.wait_until(start));
  CHECK(f.get() == 1);
}

TEST_CASE("a get() that is interrupted takes nothing") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  promise<int> p;
  future<int> f = p.get_future();
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      const timeout limit(1s);
      f.get();
    } catch (const timed_out&) {
      trace += 't';
    } catch (const tasklet_exit&) {
      trace += 'k';
    } catch (int) {
      trace += 'e';
    }
  });
  yield();
  switch (GENERATE(range(0, 3))) {
    case 0:
      t.kill();
      break;
    case 1:
      t.throw_exception(failure_of(1));
      break;
    default:
      sleep_for(2s);
  }
  CHECK(trace.size() == 1);
  p.set_value(5);
  CHECK(f.get() == 5);
}

// Whatever happens, and in whatever order: one outcome, and the value is there.
TEST_CASE("result, kill, exception and time-out in the same instant") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::string order = "kstx";
  std::string outcomes;
  do {
    promise<int> p;
    future<int> f = p.get_future();
    std::string trace;
    const tasklet t = spawn([&] {
      try {
        trace += f.wait_for(1s) ? 'v' : 't';
      } catch (const tasklet_exit&) {
        trace += 'k';
        throw;
      } catch (int) {
        trace += 'x';
      }
    });
    yield();
    for (char what : order) {
      if (what == 's') p.set_value(1);
      if (what == 'k') t.kill(pending);
      if (what == 'x' && t.alive()) t.throw_exception(failure_of(1), pending);
      if (what == 't') clock.advance(1s);
    }
    t.join();
    CHECK(trace == "k");  // A kill comes first, whatever else has come.
    CHECK(f.get() == 1);
    outcomes += trace;
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(outcomes.size() == 24);
}

TEST_CASE(
    "a value and the end of the time in the same instant: what came first") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const bool in_time = GENERATE(false, true);
  promise<int> p;
  future<int> f = p.get_future();
  spawn([&] {
    in_time ? clock.advance(1s) : sleep_for(1s);
    p.set_value(1);
  });
  CHECK(f.wait_for(1s) == in_time);
  CHECK(f.get() == 1);
}

TEST_CASE("get() waits in a handler and in a destructor") {
  const scheduler s;
  promise<int> p;
  future<int> f = p.get_future();
  future<int> g = async([] { return 2; });
  std::string trace;
  spawn([&] {
    struct on_exit {
      future<int>& f;
      std::string& trace;
      ~on_exit() {
        trace += outcome_of([&] { return f.get(); });
      }
    };
    try {
      const on_exit last{f, trace};
      throw 3;
    } catch (int n) {
      trace += static_cast<char>('0' + n);
      trace += outcome_of([&] { return g.get(); });
      try {
        throw;
      } catch (int again) {
        trace += static_cast<char>('0' + again);
      }
    }
  });
  yield();
  try {
    throw 9;
  } catch (int) {
    p.set_value(1);
    yield();
  }
  CHECK(trace == "1323");
}

TEST_CASE("select() waits for a future and takes nothing") {
  const scheduler s;
  promise<int> p;
  channel<int> c;
  future<int> f = p.get_future();
  std::string trace;
  spawn([&] {
    select(c.receive_case([&](int) { trace += 'c'; }),
           f.wait_case([&] { trace += static_cast<char>('0' + f.get()); }));
  });
  yield();
  CHECK(c.balance() == -1);
  p.set_value(8);
  CHECK(c.balance() == 0);
  yield();
  CHECK(trace == "8");
  CHECK_THROWS_AS(static_cast<void>(f.wait_case()), error);
  future<void> ready = async([] {});
  ready.wait();
  CHECK(select(ready.wait_case(), default_case()) == 0);
  CHECK(ready.valid());
}

TEST_CASE("a case of a future keeps what it waits for") {
  const scheduler s;
  promise<void> p;
  std::optional<future<void>> f(p.get_future());
  std::string trace;
  spawn([&] {
    auto c = f->wait_case([&] { trace += 'd'; });
    f.reset();
    select(c);
  });
  yield();
  p.set_value();
  yield();
  CHECK(trace == "d");
}

TEST_CASE("a get() that nothing can end is a deadlock") {
  const scheduler s;
  promise<int> p;
  future<int> f = p.get_future();
  CHECK_THROWS_WITH(f.get(),
                    Catch::Contains("main waits in get of a future at"));
  p.set_value(1);
  CHECK(f.get() == 1);
}

// ---- sharing, schedulers, cost

TEST_CASE("a shared future gives all the same result, as often as asked") {
  const scheduler s;
  promise<counted> p;
  counted::reset();
  const shared_future<counted> a = p.get_future().share();
  const shared_future<counted> b = a;  // NOLINT: a copy is what is asked
  p.set_value(counted(2));
  CHECK(&a.get() == &b.get());
  CHECK(&a.get() == &a.get());
  CHECK(counted::moves == 1);
  static_assert(std::is_same_v<decltype(a.get()), const counted&>);
  static_assert(std::is_same_v<decltype(shared_future<int&>().get()), int&>);
  static_assert(std::is_void_v<decltype(shared_future<void>().get())>);

  const shared_future<void> fails = async([] { throw 1; });
  CHECK_THROWS_AS(fails.get(), int);
  CHECK_THROWS_AS(fails.get(), int);
}

TEST_CASE("a future outlives its scheduler") {
  future<std::string> has;
  future<int> killed;
  std::optional<promise<int>> p;
  future<int> open;
  {
    const scheduler s;
    has = async([] { return std::string("value"); });
    has.wait();
    killed = async([] { return suspend(), 1; });
    p.emplace();
    open = p->get_future();
  }
  CHECK(has.ready());
  CHECK(killed.failed());
  CHECK_FALSE(open.ready());
  CHECK_THROWS_AS(has.get(), no_scheduler);
  CHECK_THROWS_AS(p->set_value(1), no_scheduler);
  p.reset();
  CHECK(open.failed());
  CHECK_THROWS_AS(promise<int>(), no_scheduler);
  CHECK_THROWS_AS(async([] {}), no_scheduler);
}

TEST_CASE("another thread may neither wait for a future nor make it ready") {
  const scheduler s;
  promise<int> p;
  future<int> f = p.get_future();
  const std::string home = this_thread_text();
  std::thread([&] {
    const scheduler other;
    CHECK_THAT(refusal_of([&] { f.get(); }),
               Catch::StartsWith(refused("this future belongs to", home)));
    CHECK_THAT(refusal_of([&] { p.set_value(1); }),
               Catch::StartsWith(refused("this promise belongs to", home)));
    CHECK_THROWS_AS(f.get(), wrong_scheduler);
    CHECK_THROWS_AS(f.wait(), wrong_scheduler);
    CHECK_THROWS_AS(f.wait_for(1s), wrong_scheduler);
    CHECK_THROWS_AS(f.try_get(), wrong_scheduler);
    CHECK_THROWS_AS(select(f.wait_case()), wrong_scheduler);
    CHECK_THROWS_AS(p.set_value(1), wrong_scheduler);
    CHECK_THROWS_AS(p.set_exception(failure_of(1)), wrong_scheduler);
  }).join();
  CHECK_FALSE(f.ready());
}

TEST_CASE("a future is one allocation, and nothing else allocates") {
  const scheduler s;
  struct large {
    std::array<char, 500> room{};
  };
  const auto round = [](bool by_hand, bool big) {
    if (by_hand) {
      promise<int> p;
      future<int> f = p.get_future();
      spawn([&] { p.set_value(1); });
      return f.get();
    }
    if (big)
      return async([l = large()] { return static_cast<int>(l.room[0]); }).get();
    return async([] { return 1; }).get();
  };
  const bool by_hand = GENERATE(false, true);
  const bool big = GENERATE(false, true);
  round(by_hand, big);  // The first time may fill pools.
  const std::size_t before = allocations();
  round(by_hand, big);
  CHECK(allocations() - before == 1);
}

}  // namespace
