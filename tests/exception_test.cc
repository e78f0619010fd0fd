// SPDX-License-Identifier: BSL-1.0
// Law 8, and exceptions that are alive while their tasklet is suspended.
#include <catch2/catch.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/sizes.h"

namespace {

using namespace weft;

TEST_CASE("what escapes a tasklet goes to those who join it at that moment") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([] {
    yield();
    throw std::runtime_error("x");
  });
  for (char name : {'a', 'b'})
    spawn([&trace, name, t] {
      try {
        t.join();
      } catch (const std::runtime_error& e) {
        trace += name;
        trace += e.what();
      }
    });
  run();
  CHECK(trace == "axbx");
  t.join();
}

TEST_CASE(
    "what nobody joins goes to the innermost run, and the rest stays queued") {
  const scheduler s;
  std::string trace;
  spawn([&] {
    spawn([] { throw std::runtime_error("x"); });
    spawn([&] { trace += 'r'; });
    try {
      run();
    } catch (const std::runtime_error& e) {
      trace += e.what();
    }
  });
  run();
  CHECK(trace == "xr");

  spawn([] { throw 1; });
  spawn([&] { trace += 'q'; });
  CHECK_THROWS_AS(run(), int);
  CHECK(trace == "xr");
  run();
  CHECK(trace == "xrq");
}

TEST_CASE("without a run it goes to main, out of whatever main is in") {
  const scheduler s;
  channel<int> c;
  const auto boom = [] { throw std::runtime_error("x"); };
  spawn(boom);
  CHECK_THROWS_WITH(yield(), "x");
  spawn(boom);
  CHECK_THROWS_WITH(c.receive(), "x");
  CHECK(c.balance() == 0);
  spawn(boom);
  CHECK_THROWS_WITH(c.send(1), "x");
  CHECK(c.balance() == 0);
  spawn(boom);
  const tasklet t = spawn([&] { c.receive(); });
  CHECK_THROWS_WITH(t.join(), "x");
  CHECK(t.alive());
  yield();
  CHECK(t.blocked());
  c.close();
  run();
}

TEST_CASE("main gets a failure only when it no longer unwinds") {
  const scheduler s;
  std::string trace;
  struct yields {
    std::string& trace;
    ~yields() {
      yield();
      trace += 'd';
    }
  };
  spawn([] { throw std::runtime_error("x"); });
  spawn([] { throw std::runtime_error("y"); });
  try {
    const yields y{trace};
    throw 1;
  } catch (int) {
    trace += 'c';
  }
  CHECK_THROWS_WITH(yield(), "x");
  CHECK_THROWS_WITH(yield(), "y");
  yield();
  CHECK(trace == "dc");
}

TEST_CASE("tasklet_exit ends a tasklet without a word") {
  const scheduler s;
  spawn([] { throw tasklet_exit(); });
  CHECK(run().why == run_result::drained);
}

TEST_CASE("exceptions in handlers stay with their tasklets") {
  const scheduler s;
  std::string trace;
  for (int i = 0; i < 3; ++i)
    spawn([&, i] {
      try {
        throw i;
      } catch (const int& first) {
        yield();
        trace += static_cast<char>('0' + first);
        yield();
        try {
          throw;
        } catch (int again) {
          yield();
          trace += static_cast<char>('a' + again);
        }
      }
    });
  run();
  CHECK(trace == "012abc");
  CHECK(std::uncaught_exceptions() == 0);
  CHECK(!std::current_exception());
}

TEST_CASE("exceptions on their way stay with their tasklets") {
  const scheduler s;
  const int n = std::min(weft_test::many, 1000);
  int caught = 0;
  bool right = true;
  struct yields {
    bool& right;
    ~yields() {
      right &= std::uncaught_exceptions() == 1;
      yield();
      right &= std::uncaught_exceptions() == 1;
    }
  };
  for (int i = 0; i < n; ++i)
    spawn([&, i] {
      right &= std::uncaught_exceptions() == 0;
      try {
        const yields a{right};
        const yields b{right};
        throw i;
      } catch (int got) {
        right &= got == i && std::uncaught_exceptions() == 0;
        ++caught;
      }
    });
  run();
  CHECK(caught == n);
  CHECK(right);
}

TEST_CASE("a tasklet that starts while an exception is alive starts clean") {
  const scheduler s;
  bool clean = false;
  try {
    throw 1;
  } catch (int) {
    spawn([&] {
      clean = !std::current_exception() && std::uncaught_exceptions() == 0;
    });
    yield();
    CHECK(std::current_exception());
  }
  CHECK(clean);
}

// An exception that does something when it is destroyed.
struct eventful {
  std::shared_ptr<void> at_end;
  explicit eventful(std::function<void()> f)
      : at_end(nullptr, [f = std::move(f)](void*) { f(); }) {}
};

TEST_CASE("an exception that is replaced may end its tasklet as it goes") {
  const scheduler s;
  const tasklet t = spawn([] {});
  t.throw_exception(std::make_exception_ptr(eventful([&] { t.kill(); })),
                    pending);
  t.throw_exception(std::make_exception_ptr(1), pending);
  CHECK(!t.alive());
  CHECK(run().completed == 0);
}

TEST_CASE("an exception that a tasklet never gets may switch as it goes") {
  const scheduler s;
  std::string trace;
  tasklet t;
  const auto what = [&](char name) {
    return std::make_exception_ptr(eventful([&, name] {
      trace += name;
      yield();
      trace += t.is_current() ? '.' : '?';
    }));
  };
  t = spawn([&] {
    const shield held_back;
    yield();
  });
  yield();
  t.throw_exception(what('a'), pending);
  spawn([&] {
    trace += '1';
    t.throw_exception(what('b'), pending);
    yield();
    trace += '2';
  });
  run();
  CHECK(trace == "a1.b2.");
}

}  // namespace
