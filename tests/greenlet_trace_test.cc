// SPDX-License-Identifier: BSL-1.0
// The hook that is told of switches between greenlets.
#include <catch2/catch.hpp>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/tasklet/greenlet.h"

namespace {

using namespace weft;

// Removes the hook again.
struct hooked {
  explicit hooked(greenlet_trace hook) { set_greenlet_trace(std::move(hook)); }
  hooked(const hooked&) = delete;
  hooked& operator=(const hooked&) = delete;
  ~hooked() { set_greenlet_trace(nullptr); }
};

// Writes m>1 for a switch from main to '1', m#1 for a throw.
struct names {
  std::string trace;
  std::vector<std::pair<greenlet, char>> known = {{current_greenlet(), 'm'}};

  char operator[](const greenlet& g) const {
    for (const auto& [who, name] : known)
      if (who == g) return name;
    return '?';
  }
  greenlet_trace hook() {
    return [this](greenlet_event e, const greenlet& origin,
                  const greenlet& target) {
      CHECK(target.is_current());
      trace += (*this)[origin];
      trace += e == greenlet_event::switched ? '>' : '#';
      trace += (*this)[target];
      trace += ' ';
    };
  }
};

TEST_CASE("the hook is told in the target, before it goes on") {
  names n;
  const greenlet main = current_greenlet();
  greenlet target;
  const greenlet origin([&] {
    n.trace += "In origin ";
    target.switch_to();
    n.trace += "Returned to origin ";
    target.throw_exception();
  });
  target = greenlet([&] { origin.switch_to(); });
  n.known.emplace_back(origin, 'o');
  n.known.emplace_back(target, 't');
  const hooked h(n.hook());
  origin.switch_to();
  CHECK(n.trace == "m>o In origin o>t t>o Returned to origin o#t t>m ");
}

TEST_CASE("a result is a switch, and what escapes is a throw") {
  names n;
  const greenlet one([] {});
  const greenlet two([] { throw std::runtime_error("two"); });
  const greenlet three([] {});
  n.known.emplace_back(one, '1');
  n.known.emplace_back(two, '2');
  n.known.emplace_back(three, '3');
  const hooked h(n.hook());
  one.switch_to();
  CHECK_THROWS_WITH(two.switch_to(), "two");
  CHECK(n.trace == "m>1 1>m m>2 2#m ");
  // Nobody switches here.
  n.trace.clear();
  one.switch_to();
  current_greenlet().switch_to();
  CHECK_THROWS_AS(three.throw_exception(std::make_exception_ptr(1)), int);
  CHECK(n.trace.empty());
}

TEST_CASE("a hook that throws is removed, and that comes out of the switch") {
  int told = 0;
  bool ran = false;
  const hooked h([&](greenlet_event, const greenlet&, const greenlet&) {
    ++told;
    throw std::runtime_error("hook");
  });
  const greenlet g([&] { ran = true; });
  CHECK_THROWS_WITH(g.switch_to(), "hook");
  CHECK(told == 1);
  CHECK_FALSE(ran);
  CHECK(g.dead());
  const greenlet next([&] { ran = true; });
  next.switch_to();
  CHECK(told == 1);
  CHECK(ran);
  CHECK(set_greenlet_trace(nullptr) == nullptr);
}

TEST_CASE("what a hook throws takes the place of all else") {
  const greenlet main = current_greenlet();
  const greenlet g([&] {
    main.switch_to();
    throw std::logic_error("own");
  });
  g.switch_to();
  const hooked h([&](greenlet_event e, const greenlet&, const greenlet&) {
    if (e == greenlet_event::thrown) throw std::runtime_error("hook");
  });
  CHECK_THROWS_WITH(g.switch_to(), "hook");
  CHECK(g.dead());
}

TEST_CASE("setting a hook gives the one before; it may replace itself") {
  std::string trace;
  const auto second = [&](greenlet_event, const greenlet&, const greenlet&) {
    trace += '2';
    set_greenlet_trace(nullptr);
  };
  CHECK_FALSE(
      set_greenlet_trace([&](greenlet_event, const greenlet&, const greenlet&) {
        trace += '1';
        set_greenlet_trace(second);
      }));
  const greenlet main = current_greenlet();
  const greenlet g([&] {
    main.switch_to();
    main.switch_to();
  });
  g.switch_to();
  g.switch_to();
  CHECK(trace == "12");
  // One that replaces itself and throws leaves the new one.
  set_greenlet_trace([&](greenlet_event, const greenlet&, const greenlet&) {
    set_greenlet_trace(second);
    throw std::runtime_error("hook");
  });
  CHECK_THROWS_WITH(g.switch_to(), "hook");
  CHECK(trace == "122");
  CHECK_FALSE(set_greenlet_trace(nullptr));
}

TEST_CASE("a hook may switch itself") {
  const greenlet main = current_greenlet();
  std::string trace;
  const greenlet other([&] {
    for (;;) {
      trace += 'o';
      main.switch_to();
    }
  });
  const greenlet g([&](parcel p) {
    trace += p.take<const char*>();
    return "result";
  });
  bool busy = false;
  const hooked h([&](greenlet_event, const greenlet&, const greenlet& to) {
    if (busy || !to.is_main()) return;
    busy = true;
    other.switch_to();
    busy = false;
  });
  CHECK(g.switch_to("value").take<const char*>() == std::string("result"));
  CHECK(trace == "valueo");
}

TEST_CASE("the end of one that is dropped is told, too") {
  names n;
  const greenlet main = current_greenlet();
  greenlet g([&] { main.switch_to(); });
  n.known.emplace_back(main, 'm');
  g.switch_to();
  {
    const hooked h(n.hook());
    g = greenlet();
  }
  CHECK(n.trace == "m#? ?>m ");
}

TEST_CASE("a hook is its thread's, and told of all its tasklets") {
  int told = 0;
  const hooked h(
      [&](greenlet_event, const greenlet&, const greenlet&) { ++told; });
  std::thread([] { greenlet([] {}).switch_to(); }).join();
  CHECK(told == 0);
  const scheduler s;
  for (int i = 0; i < 2; ++i) spawn([] { greenlet([] {}).switch_to(); });
  run();
  CHECK(told == 4);
}

}  // namespace
