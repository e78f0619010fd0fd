// SPDX-License-Identifier: BSL-1.0
// Generators and tasklets, generators and threads, and those that refuse to
// end.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/generator.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;
using weft_test::ending;
using weft_test::in_child;

using numbers = generator<int>;

// Says when it is destroyed.
struct mark {
  std::string& trace;
  char name;
  ~mark() { trace += name; }
};

bool has(const ending& e, const std::string& text) {
  CAPTURE(e.said);
  return e.said.find(text) != std::string::npos;
}

// ---- tasklets

TEST_CASE("what blocks inside of a generator parks the tasklet that waits") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const auto reader = [&](char name) {
    spawn([&, name] {
      numbers doubled([&](yielder<int>& y) {
        for (const int i : c) y(i * 2);
      });
      for (const int i : doubled) trace += name + std::to_string(i);
      trace += name;
    });
  };
  reader('a');
  reader('b');
  run();
  CHECK(c.balance() == -2);
  CHECK(trace.empty());
  for (int i = 1; i <= 4; ++i) c.send(i);
  run();
  CHECK(trace == "a2b4a6b8");
  c.close();
  run();
  CHECK(trace == "a2b4a6b8ab");
}

TEST_CASE("tasklets that yield inside of generators take turns") {
  std::string trace;
  const scheduler s;
  for (const char name : {'a', 'b', 'c'})
    spawn([&trace, name] {
      numbers g([&](yielder<int>& y) {
        for (int i = 0; i < 3; ++i) {
          trace += name;
          yield();
          y(i);
          yield_value(i);
        }
      });
      int n = 0;
      for (const int i : g) n += i;
      trace += std::to_string(n);
    });
  run();
  CHECK(trace == "abcabcabc666");
}

TEST_CASE("another tasklet's next() meanwhile is an error") {
  const scheduler s;
  channel<int> c;
  numbers g([&](yielder<int>& y) { y(*c.receive()); });
  int got = 0;
  spawn([&] { got = *g.next(); });
  run();
  CHECK(g.state() == generator_state::running);
  CHECK_THROWS_WITH(g.next(), "weft: this generator runs already");
  CHECK_THROWS_AS(g.close(), generator_error);
  c.send(5);
  run();
  CHECK(got == 5);
}

TEST_CASE("a generator may be resumed by one tasklet after another") {
  std::string trace;
  const scheduler s;
  numbers g([&] {
    for (int i = 0; i < 4; ++i) {
      generator<char> inner([&] {
        yield();
        yield_value(i);
        yield_value('c');
      });
      for (const char c : inner) trace += c;
    }
  });
  const auto take = [&] { trace += std::to_string(*g.next()); };
  for (int i = 0; i < 4; ++i) {
    spawn(take).join();
  }
  CHECK(g.next() == nullptr);
  CHECK(trace == "0c1c2c3c");
  CHECK_THROWS_AS(yield_value(1), generator_error);
}

TEST_CASE("a channel may carry generators") {
  std::string trace;
  const scheduler s;
  channel<numbers> c;
  spawn([&] {
    numbers g([&](yielder<int>& y) {
      const mark m{trace, 'd'};
      y(1);
      y(2);
      y(3);
    });
    trace += std::to_string(*g.next());
    c.send(std::move(g));
  });
  {
    numbers g = *c.receive();
    trace += std::to_string(*g.next());
  }
  run();
  CHECK(trace == "12d");
}

TEST_CASE("a kill unwinds the generators that the tasklet is blocked in") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    const mark m{trace, '0'};
    numbers one([&] {
      const mark m1{trace, '1'};
      numbers two([&] {
        const mark m2{trace, '2'};
        numbers three([&] {
          const mark m3{trace, '3'};
          c.receive();
        });
        three.next();
      });
      two.next();
    });
    one.next();
    trace += '!';
  });
  run();
  t.kill();
  CHECK(trace == "3210");
  CHECK(!t.alive());
  CHECK(c.balance() == 0);
}

TEST_CASE("a kill ends the generators that are suspended in the frames") {
  std::string trace;
  const scheduler s;
  const tasklet t = spawn([&] {
    numbers g([&](yielder<int>& y) {
      const mark m{trace, 'g'};
      y(1);
    });
    g.next();
    suspend();
  });
  run();
  t.kill();
  CHECK(trace == "g");
}

TEST_CASE("a body that catches its kill may go on yielding") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    numbers g([&](yielder<int>& y) {
      try {
        c.receive();
      } catch (const tasklet_exit&) {
        trace += 'k';
      }
      y(1);
    });
    trace += std::to_string(*g.next());
    c.receive();
    trace += '!';
  });
  run();
  t.kill();
  CHECK(trace == "k1");
  CHECK(!t.alive());
}

TEST_CASE("a kill is held back in a body whose consumer is unwinding") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    numbers g([&](yielder<int>& y) {
      trace += 'b';
      y(*c.receive());
    });
    struct at_end {
      numbers& g;
      std::string& trace;
      ~at_end() { trace += std::to_string(*g.next()); }
    };
    try {
      const at_end a{g, trace};
      throw std::runtime_error("mine");
    } catch (const std::runtime_error&) {
      trace += 'c';
    }
    c.receive();
    trace += '!';
  });
  run();
  t.kill(pending);
  run();
  CHECK(trace == "b");
  CHECK(t.alive());
  c.send(7);
  run();
  CHECK(trace == "b7c");
  CHECK(!t.alive());
}

TEST_CASE("a kill is held back in a body whose consumer handles a kill") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    numbers g([&](yielder<int>& y) { y(*c.receive()); });
    try {
      c.receive();
    } catch (const tasklet_exit&) {
      trace += 'k';
      trace += std::to_string(*g.next());
      throw;
    }
  });
  run();
  t.kill();
  CHECK(trace == "k");
  c.send(7);
  run();
  CHECK(trace == "k7");
  CHECK(!t.alive());
}

TEST_CASE("a kill is held back in what is delegated to while it unwinds") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  numbers g([&](yielder<int>& y) {
    struct at_end {
      yielder<int>& y;
      channel<int>& c;
      ~at_end() {
        y.from(numbers([&](yielder<int>& inner) {
          inner(*c.receive());
          inner(*c.receive());
        }));
      }
    };
    const at_end a{y, c};
    c.receive();
  });
  const tasklet t = spawn([&] {
    while (const int* i = g.next()) trace += std::to_string(*i);
    trace += '!';
  });
  run();
  t.kill();
  CHECK(t.alive());
  c.send(7);
  run();
  CHECK(trace == "7");
  // The consumer unwinds nothing, but who asks again is held back with it.
  CHECK(t.alive());
  c.send(8);
  run();
  CHECK(trace == "78");
  CHECK(!t.alive());
}

TEST_CASE("and in what a handler of the kill delegates to") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    numbers g([&](yielder<int>& y) {
      try {
        c.receive();
      } catch (const tasklet_exit&) {
        y.from(numbers([&](yielder<int>& goodbye) {
          trace += 'k';
          goodbye(*c.receive());
        }));
        throw;
      }
    });
    while (const int* i = g.next()) trace += std::to_string(*i);
    trace += '!';
  });
  run();
  t.kill();
  CHECK(trace == "k");
  c.send(7);
  run();
  CHECK(trace == "k7");
  CHECK(!t.alive());
}

// Yields 1 from inside of another one, which is waited for by a destructor of
// what unwinds; and 2 when that has ended.
numbers yields_from_a_destructor(channel<int>& c, std::string& trace) {
  return numbers([&](yielder<int>& y) {
    generator<char> inner([&] {
      y(1);
      yield_value(static_cast<char>(*c.receive()));
    });
    struct at_end {
      generator<char>& g;
      std::string& trace;
      ~at_end() { trace += *g.next(); }
    };
    try {
      const at_end a{inner, trace};
      throw std::runtime_error("mine");
    } catch (const std::runtime_error&) {
      trace += '.';
    }
    y(2);
  });
}

TEST_CASE("what is held back inside of a generator is not while it waits") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  numbers g = yields_from_a_destructor(c, trace);
  const auto take = [&] {
    trace += std::to_string(*g.next());
    suspend();
  };
  const tasklet first = spawn(take);
  run();
  CHECK(trace == "1");
  first.kill();
  CHECK(!first.alive());
  // It goes with whoever resumes that, and leaves him with the next value.
  const tasklet second = spawn(take);
  run();
  second.kill(pending);
  run();
  CHECK(trace == "1");
  CHECK(second.alive());
  c.send('c');
  run();
  CHECK(trace == "1c.2");
  CHECK(!second.alive());
  CHECK(g.next() == nullptr);
}

TEST_CASE("what is held back goes where a generator is delegated to") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  numbers g = yields_from_a_destructor(c, trace);
  CHECK(*g.next() == 1);
  numbers outer([&](yielder<int>& y) { y.from(g); });
  const tasklet t = spawn([&] {
    trace += std::to_string(*outer.next());
    suspend();
  });
  run();
  t.kill(pending);
  run();
  CHECK(t.alive());
  c.send('c');
  run();
  CHECK(trace == "c.2");
  CHECK(!t.alive());
  CHECK(outer.next() == nullptr);
  spawn([] { suspend(); });
  const tasklet other = spawn([] { suspend(); });
  run();
  other.kill();
  CHECK(!other.alive());
}

TEST_CASE("what is held back is so across the ends of schedulers") {
  std::optional<scheduler> s;
  numbers g([&](yielder<int>& y) {
    s.emplace();
    y(1);
    s.reset();
    y(2);
    s.emplace();
    y(3);
  });
  struct at_end {
    numbers& g;
    ~at_end() { g.next(); }
  };
  const auto is_killed = [] {
    try {
      current().kill();
      yield();
    } catch (const tasklet_exit&) {
      return true;
    }
    return false;
  };
  for (const bool scheduled : {true, false, true}) {
    try {
      const at_end a{g};
      throw std::runtime_error("mine");
    } catch (const std::runtime_error&) {
      CHECK(s.has_value() == scheduled);
    }
    if (scheduled) CHECK(is_killed());
  }
}

TEST_CASE("a deadlock inside of a generator is raised there") {
  const scheduler s;
  channel<int> c;
  numbers g([&](yielder<int>& y) {
    try {
      c.receive();
    } catch (const deadlock_error&) {
      y(1);
    }
    c.receive();
  });
  CHECK(*g.next() == 1);
  CHECK_THROWS_AS(g.next(), deadlock_error);
  CHECK(g.state() == generator_state::finished);
}

TEST_CASE("an exception alive in a body that blocks stays with it") {
  std::string trace;
  const scheduler s;
  channel<int> c;
  spawn([&] {
    numbers g([&](yielder<int>& y) {
      try {
        throw std::runtime_error("body");
      } catch (const std::runtime_error&) {
        y(*c.receive());
        try {
          throw;
        } catch (const std::runtime_error& e) {
          trace += e.what();
        }
      }
    });
    try {
      throw std::logic_error("consumer");
    } catch (const std::logic_error&) {
      g.next();
      g.next();
      try {
        throw;
      } catch (const std::logic_error& e) {
        trace += e.what();
      }
    }
  });
  run();
  CHECK(std::current_exception() == nullptr);
  c.send(1);
  run();
  CHECK(trace == "bodyconsumer");
}

TEST_CASE("a generator that main keeps lives on after its scheduler") {
  std::string trace;
  {
    numbers g([&](yielder<int>& y) {
      const mark m{trace, 'm'};
      for (int i = 0;; ++i) y(i);
    });
    CHECK(*g.next() == 0);
    {
      const scheduler s;
      CHECK(*g.next() == 1);
      spawn([&] {
        numbers mine([&](yielder<int>& y) {
          const mark m{trace, 't'};
          y(1);
        });
        mine.next();
        g.next();
        suspend();
      });
      run();
    }
    CHECK(trace == "t");
    CHECK(*g.next() == 3);
  }
  CHECK(trace == "tm");
}

TEST_CASE("a scheduler may be made and ended in a body") {
  numbers g([](yielder<int>& y) {
    for (int i = 0; i < 3; ++i) {
      const scheduler s;
      int n = 0;
      spawn([&] { n = i; });
      run();
      y(n);
      yield_value(n);
    }
  });
  std::string trace;
  for (const int i : g) trace += std::to_string(i);
  CHECK(trace == "001122");
}

// ---- threads

TEST_CASE("the wrong thread gets wrong_thread, which names both") {
  numbers g([](yielder<int>& y) {
    y(1);
    y(2);
  });
  g.next();
  std::string said;
  int others = 0;
  std::thread([&] {
    try {
      g.next();
    } catch (const wrong_thread& e) {
      said = e.what();
    }
    try {
      g.close();
    } catch (const wrong_thread&) {
      ++others;
    }
    try {
      g.throw_exception(std::make_exception_ptr(1));
    } catch (const wrong_thread&) {
      ++others;
    } catch (int) {
      // It was thrown in.
    }
    try {
      numbers mine([&](yielder<int>& y) { y.from(g); });
      mine.next();
    } catch (const wrong_thread&) {
      ++others;
    }
  }).join();
  CHECK_THAT(said,
             Catch::StartsWith("weft: this generator belongs to thread "));
  CHECK_THAT(said, Catch::Contains(" and cannot be used in thread "));
  CHECK(others == 3);
  CHECK(*g.next() == 2);
}

TEST_CASE("each thread has generators of its own, with a scheduler or not") {
  std::string ends;
  int sum = 0;
  std::thread([&] {
    numbers outlives_scheduler([&](yielder<int>& y) {
      const mark m{ends, 'o'};
      for (int i = 0;; ++i) y(i);
    });
    sum += *outlives_scheduler.next();
    const scheduler s;
    channel<int> c;
    spawn([&] {
      for (int i = 0; i < 3; ++i) c.send(i);
      c.close();
    });
    numbers g([&](yielder<int>& y) {
      for (const int i : c) y(i);
    });
    for (const int i : g) sum += i;
    sum += *outlives_scheduler.next();
  }).join();
  CHECK(sum == 4);
  CHECK(ends == "o");
}

std::string* told = nullptr;

TEST_CASE("one that is thread_local ends with its thread") {
  std::string trace;
  told = &trace;
  std::thread([] {
    thread_local numbers g([](yielder<int>& y) {
      const mark m{*told, 'd'};
      y(1);
    });
    g.next();
  }).join();
  CHECK(trace == "d");
}

TEST_CASE("one that is static ends with the process, by a word or not") {
  const bool scheduled = GENERATE(false, true);
  const ending e = in_child([&] {
    if (scheduled) {
      static std::optional<scheduler> s;
      s.emplace();
    }
    static numbers g([](yielder<int>& y) {
      try {
        y(1);
      } catch (const generator_exit&) {
        static_cast<void>(!write(STDERR_FILENO, "exit\n", 5));
        throw;
      }
    });
    g.next();
    std::exit(3);
  });
  CHECK(e.said == "exit\n");
  CHECK(WIFEXITED(e.status));
  CHECK(WEXITSTATUS(e.status) == 3);
}

TEST_CASE("a static scheduler may be the last thing to go") {
  const ending e = in_child([] {
    static std::optional<scheduler> s;
    s.emplace();
    std::exit(3);
  });
  CHECK(e.said.empty());
  CHECK(WIFEXITED(e.status));
  CHECK(WEXITSTATUS(e.status) == 3);
}

// ---- ends that go wrong

TEST_CASE("what escapes the body in the destructor is said on stderr") {
  const ending standard = in_child([] {
    numbers g([](yielder<int>& y) {
      try {
        y(1);
      } catch (const generator_exit&) {
        throw std::runtime_error("no time");
      }
    });
    g.next();
  });
  CHECK(standard.returned);
  CHECK(standard.said ==
        "weft: a generator that was destroyed failed: no time\n");
  const ending other = in_child([] {
    numbers g([](yielder<int>& y) {
      try {
        y(1);
      } catch (const generator_exit&) {
        throw 1;
      }
    });
    g.next();
  });
  CHECK(other.returned);
  CHECK(other.said ==
        "weft: a generator that was destroyed failed with something that is no "
        "std::exception\n");
  const ending its_own = in_child([] {
    numbers g([](yielder<int>& y) {
      try {
        y(1);
      } catch (const generator_exit&) {
        throw generator_error("of the body");
      }
    });
    g.next();
  });
  CHECK(its_own.said ==
        "weft: a generator that was destroyed failed: of the body\n");
}

TEST_CASE("one that yields while it is destroyed is asked 16 times") {
  const int refusals = GENERATE(1, 15);
  int asked = 0;
  {
    numbers g([&](yielder<int>& y) {
      for (;;) {
        try {
          y(1);
        } catch (const generator_exit&) {
          if (asked++ == refusals) throw;
        }
      }
    });
    g.next();
  }
  CHECK(asked == refusals + 1);
}

TEST_CASE("and is abandoned with its stack then, which is said", "[leaks]") {
  const ending e = in_child([] {
    int asked = 0;
    {
      numbers g([&](yielder<int>& y) {
        for (;;) {
          try {
            y(1);
          } catch (const generator_exit&) {
            ++asked;
          }
        }
      });
      g.next();
    }
    if (asked != 16) std::abort();
    numbers next([](yielder<int>& y) { y(1); });
    next.next();
  });
  CHECK(e.returned);
  CHECK(e.said ==
        "weft: a generator has yielded 16 times while it was being destroyed, "
        "and is abandoned with its stack\n");
}

TEST_CASE("one that is destroyed while it runs ends the process") {
  const ending e = in_child([] {
    std::optional<numbers> g;
    g.emplace([&](yielder<int>& y) {
      y(1);
      g.reset();
    });
    g->next();
    g->next();
  });
  CHECK(e.by_signal(SIGABRT));
  CHECK(has(e, "weft: a generator was destroyed while it runs"));
}

TEST_CASE("one that is destroyed by the wrong thread is abandoned") {
  const bool begun = GENERATE(false, true);
  const ending e = in_child([&] {
    auto g = std::make_unique<numbers>([](yielder<int>& y) { y(1); });
    if (begun) g->next();
    std::thread([&] { g.reset(); }).join();
  });
  CHECK(e.returned);
  CHECK(e.said ==
        "weft: a generator was destroyed in another thread than its own, and "
        "is abandoned with its stack\n");
}

TEST_CASE("so is one that its thread leaves behind") {
  const ending e = in_child([] {
    std::unique_ptr<numbers> g;
    std::thread([&] {
      g = std::make_unique<numbers>([](yielder<int>& y) { y(1); });
      g->next();
    }).join();
    try {
      g->next();
    } catch (const wrong_thread&) {
      g.reset();
    }
  });
  CHECK(e.returned);
  CHECK(has(e, "abandoned with its stack"));
}

}  // namespace
