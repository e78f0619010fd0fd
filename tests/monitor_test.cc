// SPDX-License-Identifier: BSL-1.0
// Law 24: monitors and links.
#include <catch2/catch.hpp>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weft/weft.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

char letter(const down& d) {
  switch (d.why) {
    case end_reason::normal:
      return 'n';
    case end_reason::killed:
      return 'k';
    case end_reason::failed:
      return 'f';
    default:
      return 'u';
  }
}

// How one may end, and what a monitor says of it.
enum class fate { returns, killed, killed_fresh, exits, throws, injected };
constexpr std::string_view letters = "nkkkff";

fate each_fate() {
  return GENERATE(fate::returns, fate::killed, fate::killed_fresh, fate::exits,
                  fate::throws, fate::injected);
}

// Meets it when meet() is called.
class doomed {
 public:
  explicit doomed(fate how)
      : how_(how), t(spawn([this] {
          go_.receive();
          if (how_ == fate::exits) throw tasklet_exit();
          if (how_ == fate::throws) throw 7;
        })) {
    if (how != fate::killed_fresh) yield();
  }
  void meet() {
    if (how_ == fate::killed || how_ == fate::killed_fresh) return t.kill();
    if (how_ == fate::injected)
      return t.throw_exception(std::make_exception_ptr(7));
    go_.send(1);
  }

 private:
  fate how_;
  channel<int> go_;

 public:
  const tasklet t;
};

TEST_CASE("a monitor tells how a tasklet has ended, before and after") {
  const scheduler s;
  const fate how = each_fate();
  std::string trace;
  doomed d(how);
  monitor m(d.t, take_failure);
  CHECK(!m.ended());
  CHECK(m.whose() == d.t);
  spawn([&] { trace += letter(m.wait()); });
  spawn([&] {
    select(m.wait_case([&](const down& end) { trace += letter(end); }));
  });
  yield();
  d.meet();
  const down end = m.wait();
  CHECK(end.who == d.t);
  CHECK(!d.t.alive());
  CHECK((end.failure != nullptr) == (end.why == end_reason::failed));
  run();
  trace += letter(m.wait());
  CHECK(trace == std::string(3, letters[static_cast<std::size_t>(how)]));
}

TEST_CASE("of one that has ended already the reason is unknown") {
  const scheduler s;
  const tasklet t = spawn([] {});
  t.join();
  monitor m(t);
  CHECK(m.ended());
  CHECK(m.wait().why == end_reason::unknown);
  CHECK(monitor(tasklet()).wait().why == end_reason::unknown);
}

TEST_CASE(
    "what escapes goes its way, unless a monitor takes it and nobody joins") {
  const scheduler s;
  const bool takes = GENERATE(true, false);
  const bool joined = GENERATE(true, false);
  const bool handled = GENERATE(true, false);
  std::string trace;
  if (handled)
    this_scheduler().set_error_handler(
        [&](const tasklet&, const std::exception_ptr&) {
          trace += 'h';
          return std::exception_ptr();
        });
  const tasklet t = spawn([] {
    yield();
    throw 7;
  });
  const monitor plain(t);
  std::optional<monitor> taking;
  if (takes) taking.emplace(t, take_failure);
  if (joined)
    spawn([&] {
      try {
        t.join();
      } catch (int) {
        trace += 'j';
      }
    });
  try {
    run();
  } catch (int) {
    trace += 'r';
  }
  run();
  CHECK(trace == (joined ? "j" : takes ? "" : handled ? "h" : "r"));
  CHECK(monitor(plain.whose()).ended());
}

TEST_CASE("a wait for an end ends with the time, a kill, or the monitor") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const tasklet t = spawn([] { sleep_for(5s); });
  auto m = std::make_unique<monitor>(t);
  CHECK(!m->wait_for(1s));
  const tasklet other = spawn([&] { m->wait(); });
  yield();
  other.kill();
  CHECK(!other.alive());
  std::string trace;
  for (const bool selects : {false, true})
    spawn([&, selects] {
      try {
        if (selects)
          select(m->wait_case());
        else
          m->wait();
      } catch (const error&) {
        trace += 'e';
      }
    });
  yield();
  m.reset();
  CHECK(monitor(t).wait_for(10s)->why == end_reason::normal);
  CHECK(trace == "ee");
}

TEST_CASE("monitors are told in their order, and one in the middle may leave") {
  const scheduler s;
  const tasklet t = spawn([] {});
  std::deque<std::optional<monitor>> all(4);
  for (auto& m : all) m.emplace(t);
  const std::size_t leaves = GENERATE(0U, 1U, 2U, 3U);
  std::string trace;
  for (std::size_t i = 0; i != 4; ++i)
    if (i != leaves)
      spawn([&, i] {
        all[i]->wait();
        trace += static_cast<char>('0' + i);
      });
  all[leaves].reset();
  run();
  std::string expected = "0123";
  expected.erase(leaves, 1);
  CHECK(trace == expected);
}

TEST_CASE("the end of a scheduler is the end of all that it has, main too") {
  std::optional<monitor> never;
  std::optional<monitor> blocked;
  std::optional<monitor> of_main;
  {
    const scheduler s;
    of_main.emplace(current());
    blocked.emplace(spawn([] { channel<int>().receive(); }));
    yield();
    never.emplace(spawn([] {}));
  }
  CHECK(of_main->ended());
  CHECK(blocked->ended());
  CHECK(never->ended());
}

TEST_CASE("a monitor belongs to a scheduler") {
  CHECK_THROWS_AS(monitor(tasklet()), no_scheduler);
}

// ---- links

TEST_CASE("a link is broken by any end but a return") {
  const scheduler s;
  const fate how = each_fate();
  const bool unlinked = GENERATE(true, false);
  std::string trace;
  doomed d(how);
  const monitor takes(d.t, take_failure);
  spawn([&] {
    try {
      link(d.t);
      if (unlinked) unlink(d.t);
      channel<int>().receive();
    } catch (const link_broken& b) {
      CHECK(b.end().who == d.t);
      trace += letter(b.end());
    }
  });
  yield();
  d.meet();
  run();
  if (how == fate::returns || unlinked)
    CHECK(trace.empty());
  else
    CHECK(trace == std::string(1, letters[static_cast<std::size_t>(how)]));
}

TEST_CASE("a link works in both directions, and along a chain") {
  const scheduler s;
  const std::size_t first = GENERATE(0U, 1U, 2U);
  std::string trace;
  std::deque<tasklet> chain;
  channel<int> never;
  for (std::size_t i = 0; i != 3; ++i)
    chain.push_back(spawn([&, i] {
      if (i != 0) link(chain[i - 1]);
      try {
        never.receive();
      } catch (const tasklet_exit&) {
        trace += static_cast<char>('0' + i);
        throw;
      }
    }));
  run();
  chain[first].kill();
  CHECK(run().why == run_result::drained);
  CHECK(trace.size() == 3);
  CHECK(s.live() == 0);
}

TEST_CASE("a link to a dead one is broken at once, one to oneself never") {
  const scheduler s;
  const tasklet t = spawn([] {});
  t.join();
  CHECK_THROWS_AS(link(t), link_broken);
  link(current());
  unlink(t);
}

TEST_CASE("after unlink() nothing comes, not even what was due") {
  const scheduler s;
  const bool due = GENERATE(true, false);
  const bool twice = GENERATE(true, false);
  std::string trace;
  const tasklet fresh = spawn([] {});
  const tasklet t = spawn([&] {
    link(fresh);
    if (twice) link(fresh);
    if (due) fresh.kill(pending);
    unlink(fresh);
    if (!due) fresh.kill(pending);
    yield();
    trace += '.';
  });
  t.run();
  run();
  CHECK(trace == ".");
}

TEST_CASE("a broken link waits behind a shield") {
  const scheduler s;
  std::string trace;
  channel<int> c;
  const tasklet t = spawn([&] { c.receive(); });
  spawn([&] {
    link(t);
    try {
      {
        const shield on;
        yield();
        yield();
        trace += 's';
      }
      yield();
      trace += '!';
    } catch (const link_broken&) {
      trace += 'b';
    }
  });
  yield();
  t.kill();
  run();
  CHECK(trace == "sb");
}

TEST_CASE(
    "a broken link is raised once, and not at all in one that ends first") {
  const scheduler s;
  std::string trace;
  const bool ends = GENERATE(true, false);
  const tasklet fresh = spawn([] {});
  const tasklet t = spawn([&] {
    link(fresh);
    fresh.kill(pending);
    if (ends) return;
    try {
      yield();
    } catch (const link_broken&) {
      trace += 'b';
    }
    yield();
    trace += '.';
  });
  t.run();
  run();
  CHECK(trace == (ends ? "" : "b."));
}

TEST_CASE("main may be linked, and outlives no link") {
  std::string trace;
  {
    const scheduler s;
    channel<int> c;
    const tasklet t = spawn([&] { c.receive(); });
    const tasklet other = spawn([&] { c.receive(); });
    yield();
    link(t);
    link(other);
    try {
      t.kill();
      yield();
    } catch (const link_broken& b) {
      trace += letter(b.end());
    }
  }
  CHECK(trace == "k");
}

}  // namespace
