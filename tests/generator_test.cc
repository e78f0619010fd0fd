// SPDX-License-Identifier: BSL-1.0
// Generators: what each operation does in each state, and what is yielded.
// (PEP 342.)
#include "weft/tasklet/generator.h"

#include <catch2/catch.hpp>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::counted;

using numbers = generator<int>;
using dialogue = generator<int, int, int>;

static_assert(!std::is_base_of_v<std::exception, generator_exit>);
static_assert(std::is_nothrow_move_constructible_v<numbers>);
static_assert(std::is_nothrow_move_assignable_v<numbers>);
static_assert(!std::is_copy_constructible_v<numbers>);
static_assert(std::ranges::input_range<numbers>);
static_assert(!std::ranges::forward_range<numbers>);
static_assert(std::ranges::input_range<generator<const std::string&>>);
static_assert(std::ranges::input_range<generator<std::unique_ptr<int>>>);

struct thrown_in {};

const char* name(generator_state s) {
  switch (s) {
    case generator_state::created:
      return "created";
    case generator_state::suspended:
      return "suspended";
    case generator_state::running:
      return "running";
    case generator_state::finished:
      return "finished";
  }
  return "?";
}

// What an operation gives, and the state that it leaves.
template <typename Operation>
std::string outcome(dialogue& g, Operation operation) {
  std::string what;
  try {
    const int* yielded = operation(g);
    what = yielded != nullptr ? std::to_string(*yielded) : "end";
  } catch (const generator_error&) {
    what = "error";
  } catch (const thrown_in&) {
    what = "thrown";
  } catch (const generator_exit&) {
    what = "exit";
  }
  return what + ' ' + name(g.state());
}

int* next(dialogue& g) { return g.next(); }
int* send(dialogue& g) { return g.send(7); }
int* throw_in(dialogue& g) {
  return g.throw_exception(std::make_exception_ptr(thrown_in()));
}
int* close(dialogue& g) {
  g.close();
  return nullptr;
}
int* result(dialogue& g) { return &g.result(); }

TEST_CASE("every operation in every state") {
  struct row {
    const char* what;
    int* (*operation)(dialogue&);
    const char* created;
    const char* suspended;
    const char* running;
    const char* finished;
    const char* failed;
  };
  // The body says what it sees: b it begins, n nothing was sent, s7 was sent,
  // t thrown in, x told to end.
  const row rows[] = {
      {"next", &next, "1 suspended|b", "2 suspended|bn", "error running|b",
       "end finished|bnn", "end finished|bt"},
      {"send", &send, "error created|", "2 suspended|bs7", "error running|b",
       "end finished|bnn", "end finished|bt"},
      {"throw", &throw_in, "thrown finished|", "thrown finished|bt",
       "error running|b", "thrown finished|bnn", "thrown finished|bt"},
      {"close", &close, "end finished|", "end finished|bx", "error running|b",
       "end finished|bnn", "end finished|bt"},
      {"result", &result, "error created|", "error suspended|b",
       "error running|b", "9 finished|bnn", "error finished|bt"},
  };
  for (const row& r : rows) {
    CAPTURE(r.what);
    std::string trace;
    std::string inside;
    bool ask_inside = false;
    dialogue* self = nullptr;
    const auto make = [&] {
      trace.clear();
      return dialogue([&](yielder<int, int>& y) {
        trace += 'b';
        if (ask_inside) inside = outcome(*self, r.operation) + '|' + trace;
        const auto say = [&](int n) {
          try {
            const std::optional<int> sent = y(n);
            trace += sent ? "s" + std::to_string(*sent) : "n";
          } catch (const thrown_in&) {
            trace += 't';
            throw;
          } catch (const generator_exit&) {
            trace += 'x';
            throw;
          }
        };
        say(1);
        say(2);
        return 9;
      });
    };
    const auto seen = [&](dialogue& g) {
      std::string what = outcome(g, r.operation);
      what += '|' + trace;
      return what;
    };
    {
      dialogue created = make();
      CHECK(seen(created) == r.created);
    }
    {
      dialogue suspended = make();
      REQUIRE(suspended.next() != nullptr);
      CHECK(seen(suspended) == r.suspended);
    }
    {
      dialogue running = make();
      self = &running;
      ask_inside = true;
      REQUIRE(running.next() != nullptr);
      ask_inside = false;
      CHECK(inside == r.running);
      CHECK(running.state() == generator_state::suspended);
    }
    {
      dialogue finished = make();
      while (finished.next() != nullptr) continue;
      CHECK(seen(finished) == r.finished);
      CHECK(seen(finished) == r.finished);
    }
    {
      dialogue failed = make();
      failed.next();
      CHECK_THROWS_AS(throw_in(failed), thrown_in);
      CHECK(seen(failed) == r.failed);
    }
    {
      dialogue emptied = make();
      const dialogue elsewhere(std::move(emptied));
      const std::string what = r.what;
      CHECK(seen(emptied) == (what == "throw"    ? "thrown finished|"
                              : what == "result" ? "error finished|"
                                                 : "end finished|"));
    }
  }
}

TEST_CASE("a generator begins with the first next(), and not before") {
  std::string trace;
  numbers g([&](yielder<int>& y) {
    trace += 'b';
    y(1);
    trace += 'e';
  });
  CHECK(g.state() == generator_state::created);
  CHECK(trace.empty());
  CHECK(*g.next() == 1);
  CHECK(g.state() == generator_state::suspended);
  CHECK(trace == "b");
  CHECK(g.next() == nullptr);
  CHECK(g.state() == generator_state::finished);
  CHECK(trace == "be");
  CHECK(g.next() == nullptr);
}

TEST_CASE("one may yield nothing at all, or for ever") {
  numbers none([] {});
  CHECK(none.next() == nullptr);
  numbers endless([](yielder<int>& y) {
    for (int i = 0;; ++i) y(i);
  });
  for (int i = 0; i < 1000; ++i) REQUIRE(*endless.next() == i);
}

// ---- values

// Says whether it was copied or moved.
struct tally {
  int value = 0;
  static inline int copies = 0;
  static inline int moves = 0;
  explicit tally(int v) : value(v) {}
  tally(const tally& other) : value(other.value) { ++copies; }
  tally(tally&& other) noexcept : value(other.value) { ++moves; }
  tally& operator=(const tally&) = delete;
  tally& operator=(tally&&) = delete;
  ~tally() = default;
  static std::pair<int, int> counts() {
    return {std::exchange(copies, 0), std::exchange(moves, 0)};
  }
};

template <typename Yield>
struct yielded_type {
  using type = Yield;
};

TEMPLATE_TEST_CASE(
    "what is yielded lies on the body's stack, and is not copied", "", tally,
    const tally, tally&, const tally&, tally&&) {
  tally::counts();
  const void* where = nullptr;
  generator<TestType> g([&](yielder<TestType>& y) {
    tally mine(1);
    where = &mine;
    if constexpr (std::is_reference_v<TestType> &&
                  !std::is_rvalue_reference_v<TestType>)
      y(mine);
    else
      y(std::move(mine));
    if constexpr (std::is_same_v<TestType, tally&>)
      y(mine);
    else
      y(tally(2));
  });
  auto* first = g.next();
  REQUIRE(first != nullptr);
  CHECK(first == where);
  CHECK(first->value == 1);
  CHECK(g.next() != nullptr);
  CHECK(g.next() == nullptr);
  CHECK(tally::counts() == std::pair(0, 0));
}

TEST_CASE("the consumer of T& writes to what the body owns") {
  generator<int&> g([](yielder<int&>& y) {
    int mine = 1;
    while (mine < 100) y(mine);
  });
  int n = 0;
  for (int& i : g) {
    i *= 10;
    ++n;
  }
  CHECK(n == 2);
}

TEST_CASE("an lvalue that is yielded as T is copied once, as const T never") {
  tally::counts();
  generator<tally> mutable_one([](yielder<tally>& y) {
    const tally kept(1);
    y(kept);
    tally other(2);
    y(other);
  });
  while (mutable_one.next() != nullptr) continue;
  CHECK(tally::counts() == std::pair(2, 0));
  generator<const tally> const_one([](yielder<const tally>& y) {
    const tally kept(1);
    y(kept);
    tally other(2);
    y(other);
  });
  while (const_one.next() != nullptr) continue;
  CHECK(tally::counts() == std::pair(0, 0));
}

TEST_CASE("what is move-only can be yielded, and moved from where it lies") {
  generator<std::unique_ptr<int>> g([](yielder<std::unique_ptr<int>>& y) {
    auto kept = std::make_unique<int>(1);
    y(std::move(kept));
    CHECK(kept == nullptr);
    y(std::make_unique<int>(2));
  });
  const std::unique_ptr<int> taken = std::move(*g.next());
  CHECK(*taken == 1);
  CHECK(**g.next() == 2);
  CHECK(g.next() == nullptr);
}

TEST_CASE("what is sent is what yield returns, moved once") {
  counted::reset();
  {
    std::vector<int> got;
    generator<void, counted> g([&](yielder<void, counted>& y) {
      while (true) {
        const std::optional<counted> sent = y();
        got.push_back(sent ? sent->value : -1);
      }
    });
    CHECK(g.next());
    counted one(1);
    CHECK(g.send(std::move(one)));
    CHECK(g.next());
    CHECK(g.send(counted(3)));
    CHECK(got == std::vector{1, -1, 3});
    CHECK(counted::moves == 4);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a move that throws is raised in the body, and nothing is sent") {
  counted::reset();
  std::string trace;
  generator<void, counted> g([&](yielder<void, counted>& y) {
    try {
      y();
    } catch (const weft_test::move_failed&) {
      trace += 'f';
    }
    if (!y()) trace += 'n';
  });
  g.next();
  counted one(1);
  counted::throw_in = 0;
  CHECK_THROWS_AS(g.send(std::move(one)), weft_test::move_failed);
  CHECK(trace.empty());
  CHECK(g.state() == generator_state::suspended);
  counted::throw_in = 1;
  CHECK(g.send(std::move(one)));
  CHECK(trace == "f");
  CHECK_FALSE(g.next());
  CHECK(trace == "fn");
  counted::throw_in = -1;
}

TEST_CASE("the result of the body is moved to where it can be looked at") {
  generator<void, void, std::unique_ptr<int>> g([](yielder<void>& y) {
    y();
    return std::make_unique<int>(3);
  });
  CHECK_THROWS_AS(g.result(), generator_error);
  CHECK(g.next());
  CHECK_THROWS_AS(g.result(), generator_error);
  CHECK_FALSE(g.next());
  CHECK(*g.result() == 3);
  const std::unique_ptr<int> taken = std::move(g.result());
  CHECK(*taken == 3);
}

TEST_CASE("a body may be move-only, may take no yielder, and is kept whole") {
  counted::reset();
  {
    numbers g([c = counted(5)] { yield_value(c.value); });
    CHECK(counted::alive == 1);
    CHECK(*g.next() == 5);
    CHECK(g.next() == nullptr);
  }
  CHECK(counted::alive == 0);
  {
    // One that never begins.
    const numbers g([c = counted(5)] { yield_value(c.value); });
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a body that cannot be copied leaves nothing behind") {
  counted::reset();
  const auto make = [] {
    const numbers g([c = counted(1)] { yield_value(c.value); });
  };
  counted::throw_in = 0;
  CHECK_THROWS_AS(make(), weft_test::move_failed);
  counted::throw_in = -1;
  CHECK(counted::alive == 0);
}

// Made of a function, which it calls first.
struct made_by {
  template <typename F>
  explicit made_by(F* f) : value((*f)()) {}
  int value;
};

TEST_CASE("to make what is sent may run the generator, or end it") {
  using heard = generator<int, made_by>;
  std::string trace;
  heard g([&](yielder<int, made_by>& y) {
    for (int i = 1; i < 4; ++i)
      if (const auto sent = y(i)) trace += std::to_string(sent->value);
  });
  g.next();
  auto runs = [&] { return *g.next(); };
  CHECK(*g.send(&runs) == 3);
  CHECK(trace == "2");
  auto ends = [&] {
    g.close();
    return 9;
  };
  CHECK(g.send(&ends) == nullptr);
  CHECK(g.state() == generator_state::finished);
  heard other([&](yielder<int, made_by>& y) { y(1); });
  other.next();
  auto takes = [&] {
    g = std::move(other);
    return 9;
  };
  CHECK(other.send(&takes) == nullptr);
  auto replaces = [&] {
    g = heard([](yielder<int, made_by>& y) { y(1); });
    return 9;
  };
  CHECK_THROWS_AS(g.send(&replaces), generator_error);
  CHECK(trace == "2");
}

// ---- exceptions

TEST_CASE("what escapes the body comes out of next(), once") {
  numbers g([](yielder<int>& y) {
    y(1);
    throw std::runtime_error("out");
  });
  CHECK(g.next() != nullptr);
  CHECK_THROWS_WITH(g.next(), "out");
  CHECK(g.state() == generator_state::finished);
  CHECK(g.next() == nullptr);
}

TEST_CASE("a body may catch what is thrown in, and yield, return or throw") {
  const auto make = [](char then) {
    return dialogue([then](yielder<int, int>& y) {
      try {
        y(1);
      } catch (const thrown_in&) {
        if (then == 'y') y(2);
        if (then == 't') throw std::runtime_error("other");
      }
      return 3;
    });
  };
  dialogue yields = make('y');
  yields.next();
  CHECK(*throw_in(yields) == 2);
  CHECK(yields.next() == nullptr);
  CHECK(yields.result() == 3);
  dialogue returns = make('r');
  returns.next();
  CHECK(throw_in(returns) == nullptr);
  CHECK(returns.result() == 3);
  dialogue throws = make('t');
  throws.next();
  CHECK_THROWS_WITH(throw_in(throws), "other");
  CHECK(throws.state() == generator_state::finished);
}

TEST_CASE("an exception is thrown in once, and there must be one") {
  dialogue g([](yielder<int, int>& y) {
    try {
      y(1);
    } catch (const thrown_in&) {
      // Once.
    }
    y(2);
    y(3);
    return 0;
  });
  CHECK_THROWS_AS(g.throw_exception(nullptr), std::invalid_argument);
  g.next();
  CHECK(*throw_in(g) == 2);
  CHECK(*g.next() == 3);
}

TEST_CASE("exceptions that are alive in the consumer stay with him") {
  std::string trace;
  numbers g([&](yielder<int>& y) {
    CHECK(std::current_exception() == nullptr);
    CHECK(std::uncaught_exceptions() == 0);
    y(1);
    try {
      throw std::runtime_error("body");
    } catch (const std::runtime_error&) {
      y(2);
      try {
        throw;
      } catch (const std::runtime_error& e) {
        trace += e.what();
      }
    }
    y(3);
  });
  g.next();
  const auto consume = [&] {
    try {
      throw std::logic_error("consumer");
    } catch (const std::logic_error&) {
      CHECK(*g.next() == 2);
      throw;
    }
  };
  CHECK_THROWS_WITH(consume(), "consumer");
  CHECK(std::current_exception() == nullptr);
  CHECK(*g.next() == 3);
  CHECK(trace == "body");
}

TEST_CASE("a destructor may run a generator while the stack is unwound") {
  std::string trace;
  struct at_end {
    numbers& g;
    std::string& trace;
    ~at_end() {
      CHECK(std::uncaught_exceptions() == 1);
      while (const int* i = g.next()) trace += std::to_string(*i);
      CHECK(std::uncaught_exceptions() == 1);
    }
  };
  numbers g([&](yielder<int>& y) {
    struct in_body {
      yielder<int>& y;
      ~in_body() { y(std::uncaught_exceptions()); }
    };
    y(0);
    try {
      const in_body b{y};
      throw thrown_in();
    } catch (const thrown_in&) {
      y(2);
    }
  });
  const auto consume = [&] {
    const at_end a{g, trace};
    throw std::logic_error("consumer");
  };
  CHECK_THROWS_AS(consume(), std::logic_error);
  CHECK(trace == "012");
}

TEST_CASE("many generators may be in the middle of handlers at a time") {
  std::vector<numbers> all;
  for (int i = 0; i < 10; ++i)
    all.emplace_back([i](yielder<int>& y) {
      try {
        throw i;
      } catch (int) {
        y(i);
        try {
          throw;
        } catch (int again) {
          y(again * 10);
        }
      }
    });
  for (int i = 0; i < 10; ++i) CHECK(*all[std::size_t(i)].next() == i);
  for (int i = 9; i >= 0; --i) CHECK(*all[std::size_t(i)].next() == i * 10);
  for (numbers& g : all) CHECK(g.next() == nullptr);
}

// ---- close

TEST_CASE("close() unwinds the body; it may return, but not yield") {
  std::string trace;
  const auto make = [&](char then) {
    return dialogue([&trace, then](yielder<int, int>& y) {
      const std::shared_ptr<void> local(nullptr, [&](void*) { trace += 'd'; });
      for (int i = 1;; ++i) {
        try {
          y(i);
        } catch (const generator_exit&) {
          trace += 'x';
          if (then == 'r') return 5;
          if (then == 't') throw std::runtime_error("other");
          if (then == 'g') throw;
        }
      }
    });
  };
  dialogue rethrows = make('g');
  rethrows.next();
  rethrows.close();
  CHECK(std::exchange(trace, {}) == "xd");
  CHECK_THROWS_AS(rethrows.result(), generator_error);
  dialogue returns = make('r');
  returns.next();
  returns.close();
  CHECK(std::exchange(trace, {}) == "xd");
  CHECK(returns.result() == 5);
  dialogue throws = make('t');
  throws.next();
  CHECK_THROWS_WITH(throws.close(), "other");
  CHECK(throws.state() == generator_state::finished);
  CHECK(std::exchange(trace, {}) == "xd");

  // One that yields is told so, and is as it was before.
  {
    bool stubborn = true;
    numbers yields([&](yielder<int>& y) {
      for (int i = 1;; ++i) {
        try {
          y(i);
        } catch (const generator_exit&) {
          if (!stubborn) throw;
        }
      }
    });
    yields.next();
    CHECK_THROWS_WITH(
        yields.close(),
        "weft: a generator that is being closed has yielded again");
    CHECK(yields.state() == generator_state::suspended);
    CHECK(*yields.next() == 3);
    stubborn = false;
    yields.close();
    CHECK(yields.state() == generator_state::finished);
  }
}

TEST_CASE("the end of a generator closes it, in whatever state it is") {
  std::string trace;
  const auto make = [&] {
    return numbers([&](yielder<int>& y) {
      const std::shared_ptr<void> local(nullptr, [&](void*) { trace += 'd'; });
      y(1);
      y(2);
    });
  };
  {
    const numbers created = make();
  }
  CHECK(trace.empty());
  {
    numbers suspended = make();
    suspended.next();
  }
  CHECK(trace == "d");
  {
    numbers finished = make();
    while (finished.next() != nullptr) continue;
  }
  CHECK(trace == "dd");
  {
    numbers assigned = make();
    assigned.next();
    assigned = make();
    CHECK(trace == "ddd");
    CHECK(assigned.state() == generator_state::created);
    assigned.next();
    numbers moved(std::move(assigned));
    CHECK(assigned.state() == generator_state::finished);
    CHECK(assigned.next() == nullptr);
    CHECK(*moved.next() == 2);
    CHECK(trace == "ddd");
    numbers& same = moved;
    moved = std::move(same);
    CHECK(moved.state() == generator_state::suspended);
  }
  CHECK(trace == "dddd");
}

TEST_CASE("the destructor during unwinding leaves the exception alone") {
  std::string trace;
  const auto f = [&] {
    numbers g([&](yielder<int>& y) {
      try {
        y(1);
      } catch (const generator_exit&) {
        trace += 'x';
        throw;
      }
    });
    g.next();
    throw std::runtime_error("mine");
  };
  CHECK_THROWS_WITH(f(), "mine");
  CHECK(trace == "x");
}

// ---- from depth

void leaves(int depth, yielder<int>& y) {
  if (depth == 0) {
    y(1);
    return;
  }
  leaves(depth - 1, y);
  leaves(depth - 1, y);
}

TEST_CASE("whatever the body calls may yield, through the yielder") {
  numbers g([](yielder<int>& y) { leaves(5, y); });
  int n = 0;
  for (const int i : g) n += i;
  CHECK(n == 32);
}

void deep_value(int depth) {
  if (depth != 0)
    deep_value(depth - 1);
  else
    yield_value(depth);
}

TEST_CASE("or without it: the innermost generator of that type yields") {
  numbers g([] {
    deep_value(20);
    yield_value<int>(char{1});
  });
  CHECK(*g.next() == 0);
  CHECK(*g.next() == 1);
  CHECK(g.next() == nullptr);

  dialogue d([] {
    const std::optional<int> sent = yield_value<int, int>(1);
    return sent.value_or(-1);
  });
  d.next();
  CHECK(d.send(5) == nullptr);
  CHECK(d.result() == 5);
}

TEST_CASE("yield_value() outside of a generator of that type is an error") {
  CHECK_THROWS_AS(yield_value(10), generator_error);
  generator<std::string> g([](yielder<std::string>& y) {
    try {
      yield_value(10);
    } catch (const generator_error&) {
      y("none");
    }
    yield_value<std::string>("one");
  });
  CHECK(*g.next() == "none");
  CHECK(*g.next() == "one");
  CHECK(g.next() == nullptr);
  CHECK_THROWS_AS(yield_value(10), generator_error);
}

TEST_CASE("a value passes by the generators of other types in between") {
  std::string trace;
  numbers outer([&] {
    generator<std::string> middle([&] {
      generator<char> inner([&] {
        yield_value(1);
        yield_value('c');
        yield_value<std::string>("s");
        yield_value(2);
      });
      for (const char c : inner) trace += c;
      yield_value(3);
    });
    for (const std::string& s : middle) trace += s;
    yield_value(4);
  });
  for (const int i : outer) trace += std::to_string(i);
  CHECK(trace == "1cs234");
}

TEST_CASE("one that is suspended inside of others is closed with them") {
  std::string trace;
  const auto mark = [&](char c) {
    return std::shared_ptr<void>(nullptr, [&trace, c](void*) { trace += c; });
  };
  numbers outer([&] {
    const auto o = mark('o');
    generator<char> inner([&] {
      const auto i = mark('i');
      yield_value(1);
    });
    inner.next();
    trace += '!';
  });
  outer.next();
  outer.close();
  CHECK(trace == "io");
  CHECK_THROWS_AS(yield_value(10), generator_error);
}

TEST_CASE("what is sent and thrown arrives at the yield that gave the value") {
  std::string trace;
  dialogue outer([&] {
    numbers inner([&] {
      const std::optional<int> sent = yield_value<int, int>(1);
      trace += std::to_string(sent.value_or(-1));
      try {
        yield_value<int, int>(2);
      } catch (const thrown_in&) {
        trace += 't';
      }
      yield_value(3);
    });
    while (const int* i = inner.next()) trace += std::to_string(*i);
    return 0;
  });
  CHECK(*outer.next() == 1);
  CHECK(*outer.send(6) == 2);
  CHECK(throw_in(outer) == nullptr);
  CHECK(trace == "6t3");
}

TEST_CASE("generators of one type may be nested: the innermost is meant") {
  std::string trace;
  numbers outer([&](yielder<int>& mine) {
    numbers inner([&] {
      yield_value(1);
      mine(2);
      yield_value(3);
    });
    for (const int i : inner) trace += std::to_string(i);
    yield_value(4);
  });
  for (const int i : outer) trace += "o" + std::to_string(i);
  CHECK(trace == "1o23o4");
}

// ---- ranges

TEST_CASE("a generator is an input range") {
  const auto count = [](int n) {
    return numbers([n](yielder<int>& y) {
      for (int i = 0; i < n; ++i) y(i);
    });
  };
  int sum = 0;
  for (const int i : count(5)) sum += i;
  CHECK(sum == 10);

  numbers g = count(1'000'000);
  std::vector<int> some;
  for (const int i : g | std::views::filter([](int i) { return i % 3 == 0; }) |
                         std::views::transform([](int i) { return i * 2; }) |
                         std::views::take(4))
    some.push_back(i);
  CHECK(some == std::vector{0, 6, 12, 18});
  CHECK(g.state() == generator_state::suspended);

  std::vector<int> all;
  for (const int i :
       count(3) | std::views::transform([](int i) { return i + 1; }))
    all.push_back(i);
  CHECK(all == std::vector{1, 2, 3});

  numbers loop = count(10);
  for (const int i : loop)
    if (i == 3) break;
  CHECK(*loop.next() == 4);

  generator<std::string> words([](yielder<std::string>& y) { y("moved"); });
  std::vector<std::string> kept;
  std::ranges::move(words, std::back_inserter(kept));
  CHECK(kept == std::vector<std::string>{"moved"});
}

TEST_CASE("a loop over a generator that throws ends with that") {
  numbers g([](yielder<int>& y) {
    y(1);
    throw std::runtime_error("out");
  });
  int seen = 0;
  const auto consume = [&] {
    for (const int i : g) seen += i;
  };
  CHECK_THROWS_WITH(consume(), "out");
  CHECK(seen == 1);
}

// ---- consumer

TEST_CASE("a consumer begins by itself, and is sent things") {
  std::string trace;
  {
    consumer<std::string> log([&](yielder<void, std::string>& y) {
      trace += '(';
      const std::shared_ptr<void> local(nullptr, [&](void*) { trace += ')'; });
      while (auto line = y()) trace += *line;
    });
    CHECK(trace == "(");
    CHECK(log.send("a"));
    CHECK(log.send(std::string("b")));
    CHECK(log.state() == generator_state::suspended);
    consumer<std::string> moved(std::move(log));
    CHECK(moved.send("c"));
    CHECK(trace == "(abc");
  }
  CHECK(trace == "(abc)");
}

TEST_CASE("a consumer may end, fail at once, be closed and have a result") {
  consumer<int, int> sum([](yielder<void, int>& y) {
    int total = 0;
    try {
      for (;;) total += y().value();
    } catch (const generator_exit&) {
    }
    return total;
  });
  for (const int i : {1, 2, 3}) CHECK(sum.send(i));
  CHECK_THROWS_AS(sum.result(), generator_error);
  sum.close();
  CHECK(sum.result() == 6);
  CHECK_FALSE(sum.send(4));

  CHECK_THROWS_WITH(consumer<int>([](yielder<void, int>&) {
                      throw std::runtime_error("at once");
                    }),
                    "at once");
  consumer<int> deaf([](yielder<void, int>&) {});
  CHECK(deaf.state() == generator_state::finished);
  CHECK_FALSE(deaf.send(1));
}

TEST_CASE("PEP 342's pager collects what a writer writes when it is closed") {
  std::string out;
  const auto writer = [&](yielder<void, std::string>& y) {
    try {
      while (auto page = y()) out += '<' + *page + '>';
    } catch (const generator_exit&) {
      out += "closed";
      throw;
    }
  };
  const auto pager = [](std::size_t size, consumer<std::string>& to) {
    return consumer<char>([size, &to](yielder<void, char>& y) {
      for (;;) {
        std::string page;
        try {
          while (page.size() < size) page += y().value();
        } catch (const generator_exit&) {
          if (!page.empty()) to.send(page);
          to.close();
          throw;
        }
        to.send(page);
      }
    });
  };
  consumer<std::string> to(writer);
  consumer<char> pages = pager(3, to);
  for (const char c : std::string("abcdefgh")) pages.send(c);
  CHECK(out == "<abc><def>");
  pages.close();
  CHECK(out == "<abc><def><gh>closed");
}

// ---- generators as greenlet's tests have them

TEST_CASE("three passes over a generator whose callee yields") {
  const auto make = [](int n, std::vector<int>& seen) {
    return numbers([n, &seen] {
      for (int i = 0; i < n; ++i) {
        seen.push_back(i);
        yield_value(i);
      }
    });
  };
  std::vector<int> seen;
  std::vector<int> expected;
  for (int pass = 0; pass < 3; ++pass) {
    for (const int i : make(5, seen)) seen.push_back(i);
    for (int i = 0; i < 5; ++i) expected.insert(expected.end(), 2, i);
  }
  CHECK(seen == expected);
}

// Two levels: a type each.
struct square {
  int value;
};

TEST_CASE("a value may be given to the consumer of the consumer") {
  const auto roots_in_it = [](int n, std::vector<int>& seen) {
    return generator<square>([n, &seen] {
      numbers inner([n] {
        for (int i = 1; i < n; ++i) {
          yield_value(i);
          yield_value(square{i * i});
        }
      });
      for (const int i : inner) seen.push_back(i);
    });
  };
  std::vector<int> seen;
  for (const square s : roots_in_it(5, seen)) seen.push_back(s.value);
  CHECK(seen == std::vector{1, 1, 2, 4, 3, 9, 4, 16});
}

TEST_CASE("a generator that recurs into generators yields all of theirs") {
  struct recursion {
    static numbers up_to(int n) {
      return numbers([n] {
        if (n == 0) return;
        for (const int i : up_to(n - 1)) yield_value(i);
        yield_value(n);
      });
    }
  };
  std::vector<int> seen;
  for (const int i : recursion::up_to(5)) seen.push_back(i);
  CHECK(seen == std::vector{1, 2, 3, 4, 5});
}

using sequence = std::vector<int>;

generator<sequence> permutations(sequence of) {
  return generator<sequence>([of = std::move(of)](yielder<sequence>& y) {
    if (of.empty()) {
      y({});
      return;
    }
    for (std::size_t i = 0; i < of.size(); ++i) {
      sequence rest = of;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      for (sequence& tail : permutations(std::move(rest))) {
        tail.insert(tail.begin(), of[i]);
        y(std::move(tail));
      }
    }
  });
}

TEST_CASE("permutations, and two of them zipped") {
  std::vector<sequence> all;
  for (sequence& p : permutations({0, 1, 2, 3})) all.push_back(std::move(p));
  REQUIRE(all.size() == 24);
  CHECK(all.front() == sequence{0, 1, 2, 3});
  CHECK(all.back() == sequence{3, 2, 1, 0});
  CHECK(std::is_sorted(all.begin(), all.end()));

  generator<sequence> four = permutations({0, 1, 2, 3});
  generator<sequence> three = permutations({0, 1, 2});
  const std::vector<std::pair<sequence, sequence>> expected = {
      {{0, 1, 2, 3}, {0, 1, 2}}, {{0, 1, 3, 2}, {0, 2, 1}},
      {{0, 2, 1, 3}, {1, 0, 2}}, {{0, 2, 3, 1}, {1, 2, 0}},
      {{0, 3, 1, 2}, {2, 0, 1}}, {{0, 3, 2, 1}, {2, 1, 0}}};
  std::vector<std::pair<sequence, sequence>> zipped;
  while (true) {
    const sequence* a = four.next();
    const sequence* b = three.next();
    if (a == nullptr || b == nullptr) break;
    zipped.emplace_back(*a, *b);
  }
  CHECK(zipped == expected);
}

// ---- stacks

TEST_CASE("a generator's stack is as large as was asked for") {
  const std::size_t size = GENERATE(std::size_t{8} << 10, std::size_t{64} << 10,
                                    std::size_t{1} << 20);
  numbers g({.stack_size = size}, [size](yielder<int>& y) {
    // A part of it that leaves room for the frames of checkers.
    volatile char room[4096];
    char* low = const_cast<char*>(room);
    y(static_cast<int>(*low = 1));
    if (size >= std::size_t{1} << 20) {
      std::vector<int> sums;
      const auto deep = [&](auto& self, int n) -> int {
        volatile char frame[256] = {};
        return frame[0] + (n == 0 ? 0 : 1 + self(self, n - 1));
      };
      y(deep(deep, 500));
    }
  });
  CHECK(*g.next() == 1);
  if (size >= std::size_t{1} << 20) CHECK(*g.next() == 500);
}

TEST_CASE("a stack size out of range is an error") {
  const auto body = [](yielder<int>& y) { y(1); };
  CHECK_THROWS_AS(numbers({.stack_size = 0}, body), std::invalid_argument);
  CHECK_THROWS_AS(numbers({.stack_size = std::size_t{2} << 30}, body),
                  std::invalid_argument);
}

TEST_CASE("thousands of generators may be suspended at a time") {
  std::vector<numbers> all;
  for (int i = 0; i < 3000; ++i)
    all.emplace_back(generator_options{.stack_size = 16 << 10},
                     [i](yielder<int>& y) {
                       y(i);
                       y(-i);
                     });
  long sum = 0;
  for (numbers& g : all) sum += *g.next();
  for (numbers& g : all) sum += *g.next();
  CHECK(sum == 0);
}

}  // namespace
