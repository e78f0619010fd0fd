// SPDX-License-Identifier: BSL-1.0
// Greenlets: who gets what is handed over, in each state.
#include "weft/tasklet/greenlet.h"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
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

static_assert(!std::is_base_of_v<std::exception, greenlet_exit>);
static_assert(std::is_nothrow_move_constructible_v<greenlet>);

struct thrown_in {};

std::exception_ptr some_exception() {
  return std::make_exception_ptr(thrown_in());
}

// What a switch gives, as text.
template <typename Switch>
std::string outcome(Switch s) {
  try {
    parcel p = s();
    if (!p.has_value()) return "()";
    if (const auto* i = p.get_if<int>()) return std::to_string(*i);
    if (const auto* c = p.get_if<const char*>()) return *c;
    if (const auto* w = p.get_if<std::string>()) return *w;
    if (p.get_if<greenlet_exit>() != nullptr) return "exit";
    return "?";
  } catch (const thrown_in&) {
    return "thrown";
  } catch (const greenlet_exit&) {
    return "exit raised";
  } catch (const error& e) {
    return "error";
  }
}

// ---- states

TEST_CASE("a greenlet has not begun, is active, and is dead") {
  const greenlet main = current_greenlet();
  const greenlet g([&] { main.switch_to(); });
  CHECK_FALSE(g.started());
  CHECK_FALSE(g.active());
  CHECK_FALSE(g.dead());
  g.switch_to();
  CHECK(g.started());
  CHECK(g.active());
  CHECK_FALSE(g.dead());
  CHECK_FALSE(g.is_current());
  g.switch_to();
  CHECK(g.started());
  CHECK_FALSE(g.active());
  CHECK(g.dead());
}

TEST_CASE("the current greenlet is main, until it switches") {
  const greenlet main = current_greenlet();
  CHECK(main.is_main());
  CHECK(main.is_current());
  CHECK(main.active());
  CHECK(main == main_greenlet());
  CHECK(main.parent() == greenlet());
  greenlet inside;
  const greenlet g([&] {
    inside = current_greenlet();
    CHECK_FALSE(inside.is_main());
    CHECK(inside.is_current());
    CHECK_FALSE(main.is_current());
    CHECK(main_greenlet() == main);
    CHECK(main.active());
    return inside.parent() == main;
  });
  CHECK(g.parent() == main);
  CHECK(g.switch_to().take<bool>());
  CHECK(inside == g);
  CHECK(main.is_current());
}

TEST_CASE("a null handle is dead, and everything else with it is an error") {
  const greenlet none;
  CHECK(none.dead());
  CHECK_FALSE(none.started());
  CHECK_FALSE(none.active());
  CHECK_FALSE(none.is_main());
  CHECK_FALSE(none.is_current());
  CHECK(none.parent() == greenlet());
  CHECK_THROWS_AS(none.switch_to(1), error);
  CHECK_THROWS_AS(none.throw_exception(), error);
  CHECK_THROWS_AS(none.set_parent(current_greenlet()), error);
  CHECK_THROWS_AS(none.copy_context(current_greenlet()), error);
  const greenlet g([] {});
  CHECK_THROWS_AS(g.set_parent(none), error);
  CHECK_THROWS_AS(greenlet([] {}, none), error);
}

// The rule table. Each greenlet's parent is main.
TEST_CASE("every operation in every state") {
  const greenlet main = current_greenlet();
  struct row {
    const char* what;
    std::function<parcel(const greenlet&)> operation;
    const char* created;
    const char* suspended;
    const char* current;
    const char* dead;
  };
  const auto exception = [](const greenlet& g) {
    return g.throw_exception(some_exception());
  };
  const auto exit = [](const greenlet& g) { return g.throw_exception(); };
  const auto value = [](const greenlet& g) { return g.switch_to(7); };
  const auto nothing = [](const greenlet& g) { return g.switch_to(); };
  // b7 it begins with that, s7 its switch returns that, t and x it gets
  // thrown_in or greenlet_exit. It hands back 1, and 2 when it ends.
  const row rows[] = {
      {"value", value, "1|b7", "2|b()s7", "7|b()", "7|b()s()"},
      {"nothing", nothing, "1|b()", "2|b()s()", "()|b()", "()|b()s()"},
      {"throw", exception, "thrown|", "thrown|b()t", "thrown|b()",
       "thrown|b()s()"},
      {"exit", exit, "exit|", "exit|b()x", "exit raised|b()", "exit|b()s()"},
  };
  for (const row& r : rows) {
    CAPTURE(r.what);
    std::string trace;
    bool ask_inside = false;
    std::string inside;
    const auto text = [](parcel p) {
      return outcome([&] { return std::move(p); });
    };
    const auto make = [&] {
      trace.clear();
      return greenlet([&](parcel first) {
        trace += "b" + text(std::move(first));
        if (ask_inside) {
          inside = outcome([&] { return r.operation(current_greenlet()); });
          inside += '|' + trace;
        }
        try {
          trace += "s" + text(main.switch_to(1));
        } catch (const thrown_in&) {
          trace += 't';
          throw;
        } catch (const greenlet_exit&) {
          trace += 'x';
          throw;
        }
        return 2;
      });
    };
    const auto seen = [&](const greenlet& g) {
      std::string what = outcome([&] { return r.operation(g); });
      what += '|' + trace;
      return what;
    };
    const greenlet created = make();
    CHECK(seen(created) == r.created);
    CHECK(created.dead() == trace.empty());
    const greenlet suspended = make();
    suspended.switch_to();
    CHECK(seen(suspended) == r.suspended);
    CHECK(suspended.dead());
    ask_inside = true;
    const greenlet running = make();
    running.switch_to();
    CHECK(inside == r.current);
    CHECK(running.active());
    ask_inside = false;
    const greenlet dead = make();
    dead.switch_to();
    dead.switch_to();
    CHECK(seen(dead) == r.dead);
  }
}

// ---- values and ends

TEST_CASE("two greenlets") {
  std::string out;
  greenlet gr1;
  greenlet gr2;
  gr1 = greenlet([&] {
    CHECK_FALSE(current_greenlet().is_main());
    out += "[gr1] main  -> test1\n";
    gr2.switch_to();
    out += "[gr1] test1 <- test2\n";
    return "test1 done";
  });
  gr2 = greenlet([&] {
    out += "[gr2] test1 -> test2\n";
    gr1.switch_to();
    out += "This is never printed.\n";
  });
  CHECK(gr1.switch_to().take<const char*>() == std::string("test1 done"));
  CHECK(out ==
        "[gr1] main  -> test1\n"
        "[gr2] test1 -> test2\n"
        "[gr1] test1 <- test2\n");
  CHECK(gr1.dead());
  CHECK_FALSE(gr2.dead());
}

TEST_CASE("what escapes goes to the parent, not to who has switched") {
  std::string out;
  greenlet gr2;
  const greenlet gr1([&] {
    gr2.switch_to();
    out += "never";
  });
  gr2 = greenlet([] { throw std::runtime_error("name"); });
  CHECK_THROWS_WITH(gr1.switch_to(), "name");
  CHECK(gr2.dead());
  CHECK_FALSE(gr1.dead());
  CHECK(out.empty());
}

TEST_CASE("values pass both ways") {
  std::string out;
  greenlet gr1;
  greenlet gr2;
  gr1 = greenlet([&](parcel p) {
    const auto [x, y] = p.take<std::tuple<std::string, std::string>>();
    out += std::to_string(gr2.switch_to(x + y).take<int>()) + '\n';
  });
  gr2 = greenlet([&](parcel p) {
    out += p.take<std::string>() + '\n';
    gr1.switch_to(42);
  });
  CHECK_FALSE(
      gr1.switch_to(std::string("hello"), std::string(" world")).has_value());
  CHECK(out == "hello world\n42\n");
}

TEST_CASE("to pack a value may replace the handle, or run the greenlet") {
  struct calls {
    std::function<void()> f;
    explicit calls(std::function<void()> what) : f(std::move(what)) {}
    calls(calls&& other) noexcept : f(std::move(other.f)) {
      if (f) std::exchange(f, nullptr)();
    }
  };
  std::string trace;
  const auto named = [&](char name) {
    return greenlet([&trace, name] { trace += name; });
  };
  greenlet g = named('a');
  g.switch_to(calls([&] { g = named('b'); }));
  CHECK(trace == "b");
  g = named('c');
  CHECK_THROWS_AS(g.switch_to(calls([&] { g = greenlet(); })), error);
  g = named('d');
  // It is dead then, and who goes on is its parent.
  g.switch_to(calls([&] { g.switch_to(); }));
  CHECK(trace == "bd");
}

TEST_CASE("the number of values may change from switch to switch") {
  struct options {
    std::string language;
  };
  using words = std::tuple<const char*, const char*, const char*>;
  std::string out;
  const greenlet main = current_greenlet();
  const greenlet g([&](parcel p) {
    const auto [word, first] = p.take<std::tuple<const char*, options>>();
    out += word + first.language;
    out += std::to_string(main.switch_to().take<int>());
    const auto [how, are, you] = main.switch_to().take<words>();
    out += std::string(how) + are + you;
    out += main.switch_to().take<options>().language;
    const auto [howdy, last] =
        main.switch_to().take<std::tuple<const char*, options>>();
    out += howdy + last.language;
    CHECK_FALSE(main.switch_to().has_value());
  });
  g.switch_to("hello world ", options{"en "});
  g.switch_to(42);
  g.switch_to(" how", " are", " you ");
  g.switch_to(options{"en "});
  g.switch_to("howdy ", options{"en_US"});
  g.switch_to();
  CHECK(out == "hello world en 42 how are you en howdy en_US");
  CHECK(g.dead());
}

TEST_CASE("a dead one's nearest living ancestor gets what it is handed") {
  std::string out;
  greenlet inner;
  const greenlet outer([&] {
    out += "Entering outer and spawning inner.\n";
    inner = greenlet([&] {
      out += "Entering inner.\nReturning from inner.\n";
      return 42;
    });
    out += "Switching to inner.\n";
    out +=
        "Got from inner value: " + outcome([&] { return inner.switch_to(); }) +
        '\n';
    out += "Switching to inner again.\n";
    out +=
        "Got from inner value: " + outcome([&] { return inner.switch_to(); }) +
        '\n';
  });
  outer.switch_to();
  CHECK(out ==
        "Entering outer and spawning inner.\n"
        "Switching to inner.\n"
        "Entering inner.\n"
        "Returning from inner.\n"
        "Got from inner value: 42\n"
        "Switching to inner again.\n"
        "Got from inner value: ()\n");
  CHECK(outer.dead());
  CHECK_FALSE(inner.switch_to().has_value());
  CHECK(inner.switch_to(5).take<int>() == 5);
}

TEST_CASE("the parent is who made it, unless another is named") {
  std::string out;
  const greenlet main = current_greenlet();
  const greenlet parent([&](parcel p) {
    out += "In the parent.\n";
    return "parent got " + std::to_string(p.take<int>());
  });
  const greenlet child(
      [&] {
        out += "In the child.\n";
        return 3;
      },
      parent);
  CHECK(child.parent() == parent);
  CHECK(child.switch_to().take<std::string>() == "parent got 3");
  CHECK(out == "In the child.\nIn the parent.\n");
  CHECK(parent.dead());
  CHECK(main.is_current());
}

TEST_CASE("a parent may be replaced, but never by a descendant") {
  const greenlet main = current_greenlet();
  const greenlet a([] {});
  const greenlet b([] {}, a);
  const greenlet c([] {}, b);
  CHECK_THROWS_WITH(a.set_parent(a),
                    "weft: a greenlet cannot be among its own ancestors");
  CHECK_THROWS_AS(a.set_parent(b), error);
  CHECK_THROWS_AS(a.set_parent(c), error);
  CHECK_THROWS_WITH(main.set_parent(a), "weft: a main greenlet has no parent");
  c.set_parent(main);
  a.set_parent(c);
  CHECK(a.parent() == c);
  CHECK(c.parent() == main);

  // Of one that is suspended, too.
  std::string out;
  const greenlet other([&](parcel p) {
    out += std::to_string(p.take<int>());
    return 9;
  });
  const greenlet begun([&] {
    main.switch_to();
    return 8;
  });
  begun.switch_to();
  begun.set_parent(other);
  CHECK(begun.switch_to().take<int>() == 9);
  CHECK(out == "8");
}

TEST_CASE("a result passes dead parents, and starts one that has not begun") {
  std::string out;
  const greenlet oldest([&](parcel p) {
    out += 'o';
    return p.take<int>() + 1;
  });
  const greenlet dead([] {}, oldest);
  dead.set_parent(current_greenlet());
  dead.switch_to();
  dead.set_parent(oldest);
  const greenlet child([] { return 1; }, dead);
  CHECK(child.switch_to().take<int>() == 2);
  CHECK(out == "o");
}

TEST_CASE("an exception passes those that have not begun, which die of it") {
  const bool escapes = GENERATE(false, true);
  bool ran = false;
  const auto never = [&] { ran = true; };
  const greenlet oldest(never);
  const greenlet older(never, oldest);
  const greenlet child([] { throw thrown_in(); }, older);
  if (escapes)
    CHECK(outcome([&] { return child.switch_to(); }) == "thrown");
  else
    CHECK(outcome([&] { return child.throw_exception(some_exception()); }) ==
          "thrown");
  for (const greenlet& g : {child, older, oldest}) {
    CHECK(g.dead());
    CHECK(g.started());
  }
  CHECK_FALSE(ran);
}

TEST_CASE("greenlet_exit becomes a value at the first that it ends") {
  // Thrown into one that has not begun: its parent begins with it.
  std::string got;
  const greenlet parent([&](parcel p) {
    got = outcome([&] { return std::move(p); });
    return 4;
  });
  const greenlet child([] {}, parent);
  CHECK(child.throw_exception().take<int>() == 4);
  CHECK(got == "exit");
  CHECK(child.dead());
  // Out of one that runs.
  const greenlet leaves([] { throw greenlet_exit(); });
  CHECK(outcome([&] { return leaves.switch_to(); }) == "exit");
  CHECK(outcome([&] { return leaves.throw_exception(); }) == "exit");
}

TEST_CASE("a greenlet may catch what is thrown in, and go on") {
  std::string out;
  const greenlet main = current_greenlet();
  const greenlet g([&] {
    try {
      main.switch_to();
    } catch (const thrown_in&) {
      out += "Caught exception in greenlet.";
    }
    main.switch_to(1);
    return 2;
  });
  g.switch_to();
  CHECK(g.throw_exception(some_exception()).take<int>() == 1);
  CHECK(out == "Caught exception in greenlet.");
  CHECK(g.switch_to().take<int>() == 2);
  CHECK_THROWS_AS(g.throw_exception(nullptr), std::invalid_argument);
}

TEST_CASE("the thrower goes on only where it is an ancestor") {
  std::string out;
  greenlet target;
  const greenlet main = current_greenlet();
  const greenlet thrower([&] {
    out += 't';
    target.throw_exception(some_exception());
    out += '!';
  });
  target = greenlet([&] { main.switch_to(); });
  target.switch_to();
  CHECK(outcome([&] { return thrower.switch_to(); }) == "thrown");
  CHECK(out == "t");
  CHECK(thrower.active());
}

TEST_CASE("the body is destroyed when it ends, and lives without handles") {
  counted::reset();
  {
    const greenlet g([c = counted(1)] { return c.value; });
    CHECK(counted::alive == 1);
    CHECK(g.switch_to().take<int>() == 1);
    CHECK(counted::alive == 0);
  }
  {
    const greenlet never([c = counted(1)] { return c.value; });
    CHECK(counted::alive == 1);
  }
  CHECK(counted::alive == 0);
  greenlet self;
  self = greenlet([&self, c = counted(2)] {
    self = greenlet();
    return c.value;
  });
  CHECK(self.switch_to().take<int>() == 2);
  CHECK(counted::alive == 0);
}

TEST_CASE("a greenlet may be derived from by keeping one") {
  struct stamped {
    explicit stamped(std::string& out)
        : flow([&out, this] {
            out += created;
            created = 'f';
          }) {}
    char created = 'c';
    greenlet flow;
  };
  std::string out;
  const stamped s(out);
  s.flow.switch_to();
  CHECK(out == "c");
  CHECK(s.created == 'f');
}

// ---- exceptions that are alive

TEST_CASE("exceptions that are alive stay with their greenlet") {
  std::string out;
  const greenlet main = current_greenlet();
  const greenlet b([&] {
    CHECK(std::current_exception() == nullptr);
    CHECK(std::uncaught_exceptions() == 0);
    try {
      throw std::runtime_error("b");
    } catch (const std::runtime_error&) {
      main.switch_to();
      try {
        throw;
      } catch (const std::runtime_error& e) {
        out += e.what();
      }
    }
  });
  const auto a = [&] {
    try {
      throw std::logic_error("a");
    } catch (const std::logic_error&) {
      b.switch_to();
      throw;
    }
  };
  CHECK_THROWS_WITH(a(), "a");
  CHECK(std::current_exception() == nullptr);
  try {
    throw 1;
  } catch (int) {
    b.switch_to();
  }
  CHECK(out == "b");
}

TEST_CASE("destructors may switch while the stack is unwound") {
  std::string out;
  const greenlet main = current_greenlet();
  const greenlet other([&] {
    for (;;) {
      out += std::to_string(std::uncaught_exceptions());
      main.switch_to();
    }
  });
  struct at_end {
    const greenlet& to;
    std::string& out;
    ~at_end() {
      to.switch_to();
      out += std::to_string(std::uncaught_exceptions());
    }
  };
  try {
    const at_end a{other, out};
    throw thrown_in();
  } catch (const thrown_in&) {
    other.switch_to();
  }
  CHECK(out == "010");
}

// ---- a pull-style loop over events, as a GUI has them

TEST_CASE("an event-driven program becomes a plain loop") {
  std::string out;
  greenlet processor;
  const greenlet main = current_greenlet();
  const auto next_char = [&] {
    return main.switch_to("blocking in read_next_char").take<char>();
  };
  processor = greenlet([&] {
    for (;;) {
      std::string line;
      while (!line.ends_with('\n')) line += next_char();
      line.pop_back();
      out += "    <<< " + line + '\n';
      if (line == "quit") {
        out += "Are you sure?\n";
        const char answer = next_char();
        out += std::string("    <<< ") + answer + '\n';
        if (answer != 'y') continue;
        out += "(Exiting loop.)\n";
        return;
      }
      out += "(Processing command: " + line + ")\n";
    }
  });
  CHECK(processor.switch_to().take<const char*>() ==
        std::string("blocking in read_next_char"));
  for (const char c : std::string("hello\nquit\ny")) processor.switch_to(c);
  CHECK(out ==
        "    <<< hello\n"
        "(Processing command: hello)\n"
        "    <<< quit\n"
        "Are you sure?\n"
        "    <<< y\n"
        "(Exiting loop.)\n");
  CHECK(processor.dead());
}

// ---- many

TEST_CASE("a ring of greenlets passes a value on and on") {
  constexpr int members = 500;
  std::vector<greenlet> ring(members);
  const greenlet main = current_greenlet();
  for (std::size_t i = 0; i < members; ++i)
    ring[i] = greenlet({.stack_size = 16 << 10}, [&, i](parcel p) {
      for (;;) {
        const int n = p.take<int>();
        p = (n == 0 ? main : ring[(i + 1) % members]).switch_to(n - 1);
      }
    });
  CHECK(ring[0].switch_to(10 * members).take<int>() == -1);
  CHECK(ring[3].switch_to(members).take<int>() == -1);
}

TEST_CASE("thousands are made, run and dropped, some without a beginning") {
  counted::reset();
  for (int i = 0; i < 10'000; ++i) {
    const greenlet g([c = counted(i)] { return c.value; });
    if (i % 3 == 0) continue;
    REQUIRE(g.switch_to().take<int>() == i);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a long line of ancestors takes little stack") {
  static constexpr int members = 3000;
  int ran = 0;
  const greenlet g({.stack_size = 32 << 10}, [&ran] {
    const auto line = [&ran] {
      greenlet last = current_greenlet();
      for (int i = 0; i < members; ++i)
        last = greenlet([&ran] { ++ran; }, greenlet(last));
      return last;
    };
    // Each begins with the result of the one before.
    line().switch_to();
    CHECK(ran == members);
    CHECK(outcome([&] { return line().throw_exception(some_exception()); }) ==
          "thrown");
    line();
  });
  g.switch_to();
  CHECK(g.dead());
  CHECK(ran == members);
}

TEST_CASE("a stack size out of range is an error") {
  CHECK_THROWS_AS(greenlet({.stack_size = 0}, [] {}), std::invalid_argument);
  const greenlet g({.stack_size = 1 << 20}, [] { return 1; });
  CHECK(g.switch_to().take<int>() == 1);
}

}  // namespace
