// SPDX-License-Identifier: BSL-1.0
// A generator that yields what another one yields. (PEP 380.)
#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "weft/tasklet/generator.h"

namespace {

using namespace weft;

using numbers = generator<int>;
using dialogue = generator<int, int, int>;

struct thrown_in {};

numbers count(int from, int to) {
  return numbers([from, to](yielder<int>& y) {
    for (int i = from; i < to; ++i) y(i);
  });
}

std::string all_of(numbers& g) {
  std::string trace;
  for (const int i : g) trace += std::to_string(i);
  return trace;
}

TEST_CASE("from() yields all that another yields, and goes on after it") {
  numbers g([](yielder<int>& y) {
    y(0);
    y.from(count(1, 4));
    yield_value(4);
    yield_from(count(5, 7));
    numbers kept = count(7, 9);
    yield_from(kept);
    CHECK(kept.state() == generator_state::finished);
    y(9);
  });
  CHECK(all_of(g) == "0123456789");
}

TEST_CASE("from() of one that has begun, or has ended, yields what is left") {
  numbers begun = count(1, 4);
  begun.next();
  numbers ended = count(0, 0);
  ended.next();
  numbers emptied = count(0, 9);
  const numbers elsewhere = std::move(emptied);
  numbers g([&](yielder<int>& y) {
    y.from(begun);
    y.from(ended);
    y.from(emptied);
    y(4);
  });
  CHECK(all_of(g) == "234");
}

TEST_CASE("from() gives the result of the inner one, once") {
  const auto inner = [](yielder<int, int>& y) {
    const int a = y(1).value_or(-1);
    return a + y(2).value_or(-1);
  };
  dialogue g([&](yielder<int, int>& y) {
    return 100 * y.from(dialogue(inner)) + yield_from(dialogue(inner));
  });
  CHECK(*g.next() == 1);
  CHECK(*g.send(3) == 2);
  CHECK(*g.send(4) == 1);
  CHECK(*g.next() == 2);
  CHECK(g.send(9) == nullptr);
  CHECK(g.result() == 708);

  // One that has not finished by returning has none.
  dialogue closed(inner);
  closed.close();
  dialogue h([&](yielder<int, int>& y) { return y.from(closed); });
  CHECK_THROWS_AS(h.next(), generator_error);
}

TEST_CASE("what is thrown in arrives in the inner one") {
  std::string trace;
  const auto make = [&](bool catches) {
    return dialogue([&, catches](yielder<int, int>& y) {
      try {
        return y.from(dialogue([&](yielder<int, int>& inner) {
          try {
            inner(1);
          } catch (const thrown_in&) {
            trace += 'i';
            if (!catches) throw;
            inner(2);
          }
          return 3;
        }));
      } catch (const thrown_in&) {
        trace += 'o';
        y(4);
        return 5;
      }
    });
  };
  const auto what = std::make_exception_ptr(thrown_in());
  dialogue caught = make(true);
  caught.next();
  CHECK(*caught.throw_exception(what) == 2);
  CHECK(caught.next() == nullptr);
  CHECK(caught.result() == 3);
  dialogue escapes = make(false);
  escapes.next();
  CHECK(*escapes.throw_exception(what) == 4);
  CHECK(escapes.next() == nullptr);
  CHECK(escapes.result() == 5);
  CHECK(trace == "iio");
}

TEST_CASE("what escapes the inner one is raised where it was delegated to") {
  numbers g([](yielder<int>& y) {
    try {
      y.from(numbers([](yielder<int>& inner) {
        inner(1);
        throw std::runtime_error("inner");
      }));
    } catch (const std::runtime_error& e) {
      y(2);
      throw std::logic_error(std::string("outer of ") + e.what());
    }
  });
  CHECK(*g.next() == 1);
  CHECK(*g.next() == 2);
  CHECK_THROWS_WITH(g.next(), "outer of inner");
  CHECK(g.state() == generator_state::finished);
}

// What each level does when it is told to end.
enum class answer : unsigned char { passes_on, returns, fails };

numbers chain(std::string& trace, std::vector<answer> answers) {
  return numbers([&trace, answers = std::move(answers)](yielder<int>& y) {
    const char level = static_cast<char>('0' + answers.size());
    try {
      if (answers.size() == 1)
        y(1);
      else
        y.from(chain(trace, {answers.begin() + 1, answers.end()}));
    } catch (const generator_exit&) {
      trace += level;
      if (answers[0] == answer::passes_on) throw;
      if (answers[0] == answer::fails) throw std::runtime_error("failed");
    } catch (const std::runtime_error&) {
      trace += 'f';
    }
  });
}

TEST_CASE("close() ends the inner ones first, each by generator_exit") {
  std::string trace;
  const auto last = GENERATE(answer::passes_on, answer::returns);
  const auto middle = GENERATE(answer::passes_on, answer::returns);
  numbers g = chain(trace, {answer::returns, middle, last});
  g.next();
  g.close();
  CHECK(trace == "123");
  CHECK(g.state() == generator_state::finished);
}

TEST_CASE("what fails in a close is raised one level up, as it is") {
  std::string trace;
  numbers g = chain(trace, {answer::returns, answer::passes_on, answer::fails});
  g.next();
  g.close();
  CHECK(trace == "1f");
  CHECK(g.state() == generator_state::finished);
  numbers h = chain(trace, {answer::fails, answer::passes_on});
  h.next();
  CHECK_THROWS_WITH(h.close(), "failed");
}

TEST_CASE("one that has caught its exit may delegate again, undisturbed") {
  std::string trace;
  numbers g([&](yielder<int>& y) {
    try {
      y.from(count(0, 9));
    } catch (const generator_exit&) {
      y.from(count(0, 0));
      trace += 'e';
    }
    y.from(numbers([&] { trace += 'n'; }));
  });
  g.next();
  g.close();
  CHECK(trace == "en");
}

TEST_CASE("a close that an inner one ignores is an error; all goes on") {
  bool stubborn = true;
  numbers g([&](yielder<int>& y) {
    y.from(numbers([&](yielder<int>& inner) {
      for (int i = 0; i < 5; ++i) {
        try {
          inner(i);
        } catch (const generator_exit&) {
          if (!stubborn) throw;
        }
      }
    }));
    y(7);
  });
  g.next();
  CHECK_THROWS_AS(g.close(), generator_error);
  CHECK(*g.next() == 2);
  CHECK(*g.next() == 3);
  CHECK(*g.next() == 4);
  CHECK(*g.next() == 7);
  stubborn = false;
  g.close();
}

numbers nested(int depth, int n) {
  return numbers({.stack_size = 16 << 10}, [depth, n](yielder<int>& y) {
    if (depth == 0)
      y.from(count(0, n));
    else
      y.from(nested(depth - 1, n));
    y(-depth);
  });
}

TEST_CASE("a thousand levels are as one to the consumer") {
  numbers g = nested(1000, 5000);
  for (int i = 0; i < 5000; ++i) REQUIRE(*g.next() == i);
  for (int depth = 0; depth <= 1000; ++depth) REQUIRE(*g.next() == -depth);
  CHECK(g.next() == nullptr);

  numbers closed = nested(1000, 10);
  closed.next();
  closed.close();
  CHECK(closed.state() == generator_state::finished);
}

TEST_CASE("a tree is walked by generators that delegate to their like") {
  struct walk {
    static numbers in_order(int low, int high) {
      return numbers([low, high](yielder<int>& y) {
        if (low == high) return;
        const int middle = (low + high) / 2;
        y.from(in_order(low, middle));
        y(middle);
        y.from(in_order(middle + 1, high));
      });
    }
  };
  numbers g = walk::in_order(0, 300);
  for (int i = 0; i < 300; ++i) REQUIRE(*g.next() == i);
  CHECK(g.next() == nullptr);
}

TEST_CASE("one that is in the middle of delegating may be delegated to") {
  numbers middle([](yielder<int>& y) {
    y.from(numbers([](yielder<int>& inner) {
      inner.from(count(1, 5));
      inner(5);
    }));
    y(6);
  });
  CHECK(*middle.next() == 1);
  numbers outer([&](yielder<int>& y) {
    y(0);
    y.from(middle);
    y(7);
  });
  CHECK(all_of(outer) == "0234567");
}

TEST_CASE("one that is suspended inside of others may be delegated to") {
  std::string trace;
  numbers g([&](yielder<int>& y) {
    numbers inner([&] {
      generator<char> other([&] {
        yield_value('a');
        yield_value(1);
        yield_value('b');
        yield_value(2);
      });
      for (const char c : other) trace += c;
      yield_value(3);
    });
    trace += std::to_string(*inner.next());
    y.from(inner);
    yield_value(4);
  });
  while (const int* i = g.next()) trace += std::to_string(*i);
  CHECK(trace == "a1b234");
}

TEST_CASE("delegation from inside of a generator of another type") {
  std::string trace;
  numbers g([&](yielder<int>& y) {
    generator<char> other([&] {
      yield_value('a');
      yield_from(count(1, 3));
      yield_value('b');
      y.from(count(3, 5));
    });
    for (const char c : other) trace += c;
    y(5);
  });
  while (const int* i = g.next()) trace += std::to_string(*i);
  CHECK(trace == "a12b345");
}

TEST_CASE("an inner one may yield through the yielder of the outer one") {
  numbers g([](yielder<int>& outer) {
    outer.from(numbers([&](yielder<int>& inner) {
      inner(1);
      outer(2);
      inner(3);
      outer.from(count(4, 6));
      inner.from(count(6, 8));
      outer(8);
    }));
    outer(9);
  });
  CHECK(all_of(g) == "123456789");
}

TEST_CASE("delegating to one that runs, such as itself, is an error") {
  numbers* self = nullptr;
  numbers g([&](yielder<int>& y) {
    CHECK_THROWS_AS(y.from(*self), generator_error);
    y(1);
    y.from(numbers([&](yielder<int>& inner) {
      CHECK_THROWS_AS(inner.from(*self), generator_error);
      inner(2);
    }));
  });
  self = &g;
  CHECK(all_of(g) == "12");
}

TEST_CASE("the inner one runs for the others while it is delegated to") {
  numbers inner = count(0, 5);
  numbers g([&](yielder<int>& y) { y.from(inner); });
  g.next();
  CHECK(inner.state() == generator_state::running);
  CHECK_THROWS_AS(inner.next(), generator_error);
  CHECK_THROWS_AS(inner.close(), generator_error);
  g.close();
  CHECK(inner.state() == generator_state::finished);
}

TEST_CASE(
    "exceptions that are alive stay where they are, across a delegation") {
  std::string trace;
  numbers g([&](yielder<int>& y) {
    try {
      throw std::runtime_error("outer");
    } catch (const std::runtime_error&) {
      y.from(numbers([&](yielder<int>& inner) {
        CHECK(std::current_exception() == nullptr);
        try {
          throw std::logic_error("inner");
        } catch (const std::logic_error&) {
          inner(1);
          try {
            throw;
          } catch (const std::logic_error& e) {
            trace += e.what();
          }
        }
      }));
      try {
        throw;
      } catch (const std::runtime_error& e) {
        trace += e.what();
      }
    }
  });
  g.next();
  CHECK(std::current_exception() == nullptr);
  CHECK(g.next() == nullptr);
  CHECK(trace == "innerouter");
}

TEST_CASE("a generator that yields nothing delegates to its like") {
  std::string trace;
  generator<void, char> g([&](yielder<void, char>& y) {
    while (const auto c = y()) trace += *c;
    trace +=
        yield_from(generator<void, char, char>([&](yielder<void, char>& inner) {
          while (const auto c = inner()) trace += static_cast<char>(*c - 32);
          return '.';
        }));
    trace += y.from(generator<void, char, char>([] { return '!'; }));
  });
  g.next();
  g.send('a');
  g.next();
  g.send('b');
  CHECK_FALSE(g.next());
  CHECK(trace == "aB.!");
}

}  // namespace
