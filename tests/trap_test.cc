// SPDX-License-Identifier: BSL-1.0
// What a tasklet forbids: to block, to switch, to be interrupted.
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/channel/signal_channel.h"
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
using weft_test::letter;

struct operation {
  const char* name;
  std::function<void()> run;
};

// What operations meet: channels nobody waits in, one that is full, one that
// others wait in on either side, and one that never ends.
class place {
 public:
  place() : s({.driver = &clock}) {
    counted::reset();
    full.send(counted(1));
    forever = spawn([this] { hold.receive(); });
    receiver = spawn([this] { wanted.receive(); });
    sender = spawn([this] { offered.send(counted(2)); });
    filler = spawn([this] { stocked.send(counted(3)); });
    stocked.send(counted(4));
    pauser = spawn([] { suspend(); });
    sleeper = spawn([] { sleep_for(1h); });
    yield();
    next = spawn([this] { trace += 'n'; });
  }

  auto snapshot() {
    std::string states;
    for (const tasklet& t :
         {forever, receiver, sender, filler, pauser, sleeper, next})
      states += letter(t);
    return std::tuple(trace, states, s.runnable(), s.live(), empty.balance(),
                      full.balance(), full.size(), wanted.balance(),
                      offered.balance(), stocked.balance(), stocked.size(),
                      counted::alive);
  }

  std::vector<operation> blocking() {
    return {
        {"receive", [this] { empty.receive(); }},
        {"send", [this] { empty.send(counted(5)); }},
        {"send to a full buffer", [this] { full.send(counted(5)); }},
        {"a timed receive", [this] { (void)empty.receive_for(1h); }},
        {"a timed send", [this] { full.send_for(1h, counted(5)); }},
        {"iteration",
         [this] {
           for (auto&& v : empty) trace += static_cast<char>('0' + v.value);
         }},
        {"take", [this] { empty.take(); }},
        {"send_exception",
         [this] { empty.send_exception(std::make_exception_ptr(1)); }},
        {"send_exception to a buffer",
         [this] { full.send_exception(std::make_exception_ptr(1)); }},
        {"signal", [this] { signals.receive(); }},
        {"join", [this] { forever.join(); }},
        {"sleep", [] { sleep_for(1h); }},
    };
  }

  std::string trace;
  virtual_clock clock;
  channel<counted> empty;
  channel<counted> full{1};
  channel<counted> wanted;
  channel<counted> offered;
  channel<counted> stocked{1};
  channel<int> hold;
  channel<void> signals;
  scheduler s;
  tasklet forever, receiver, sender, filler, pauser, sleeper, next;
};

// In main, or in a worker while main runs.
template <typename F>
void in_main_or_worker(F f) {
  for (const bool by_main : {true, false}) {
    INFO((by_main ? "in main" : "in a worker"));
    place at;
    if (by_main) {
      f(at);
    } else {
      at.next.remove();
      spawn([&] {
        at.next.insert();
        f(at);
      });
      at.s.run_for(0ns);
    }
  }
}

// ---- block_trap

TEST_CASE("a block trap makes what would block throw, and change nothing") {
  in_main_or_worker([](place& at) {
    for (const operation& o : at.blocking()) {
      INFO(o.name);
      const auto before = at.snapshot();
      const block_trap none;
      CHECK_THROWS_AS(o.run(), block_trap_error);
      CHECK(at.snapshot() == before);
    }
    CHECK(!current().block_trap());
  });
}

TEST_CASE("the error of a block trap says who would wait for what, and where") {
  const scheduler s;
  channel<int> c;
  c.set_name("orders");
  std::string text;
  int line = 0;
  spawn({.name = "cook"}, [&] {
    const block_trap none;
    try {
      line = __LINE__ + 1;
      c.receive();
    } catch (const block_trap_error& e) {
      text = e.what();
    }
  });
  run();
  for (const std::string& part :
       {std::string("'cook'"), std::string("receive on channel 'orders'"),
        "trap_test.cc:" + std::to_string(line)})
    CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("a block trap lets through what does not block") {
  in_main_or_worker([](place& at) {
    const block_trap none;
    at.wanted.send(counted(6));
    CHECK(at.offered.receive()->value == 2);
    CHECK(at.stocked.receive()->value == 4);
    CHECK(at.full.receive()->value == 1);
    at.full.send(counted(7));
    CHECK(!at.empty.try_receive());
    CHECK(at.full.try_send(counted(8)) == op_status::would_block);
    CHECK(at.empty.receive_for(0ns).status() == op_status::timed_out);
    CHECK(at.full.send_for(-1h, counted(8)) == op_status::timed_out);
    tasklet().join();
    sleep_for(0s);
    yield();
    spawn([&] { at.trace += 'x'; }).run();
    const tasklet me = current();
    spawn([me] { me.insert(1); });
    CHECK(suspend().has_value());
    spawn([me] { me.insert(2); }).switch_to();
    if (!me.is_main()) at.s.run_n(1);
    at.receiver.kill();
    at.pauser.kill();
    at.empty.close();
    CHECK(at.trace.find('x') != std::string::npos);
    CHECK(current().block_trap());
  });
}

TEST_CASE("what is closed comes before the block trap") {
  const scheduler s;
  channel<int> c;
  channel<int> buffer(1);
  buffer.send(1);
  c.close();
  buffer.close();
  const block_trap none;
  CHECK(!c.receive());
  CHECK_THROWS_AS(c.send(1), channel_closed);
  CHECK_THROWS_AS(buffer.send(1), channel_closed);
  CHECK(c.send_for(1h, 1) == op_status::closed);
  CHECK(buffer.receive() == 1);
  CHECK(!buffer.receive());
}

TEST_CASE("the block trap comes before a deadlock") {
  const scheduler s;
  channel<int> c;
  {
    const block_trap none;
    CHECK_THROWS_AS(c.receive(), block_trap_error);
  }
  CHECK_THROWS_AS(c.receive(), deadlock_error);
}

TEST_CASE("block traps nest, and mend what was set by hand") {
  const scheduler s;
  channel<int> c;
  const tasklet me = current();
  CHECK(!me.set_block_trap(false));
  {
    const block_trap outer;
    {
      const block_trap inner;
      CHECK(me.block_trap());
    }
    CHECK(me.block_trap());
    CHECK_THROWS_AS(c.receive(), block_trap_error);
  }
  CHECK(!me.block_trap());
  CHECK(!me.set_block_trap(true));
  {
    const block_trap inner;
  }
  CHECK(me.set_block_trap(true));
  CHECK_THROWS_AS(c.send(1), block_trap_error);
  CHECK(me.set_block_trap(false));
  CHECK_THROWS_AS(c.receive(), deadlock_error);
}

TEST_CASE("a block trap is its tasklet's own") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const block_trap none;
  spawn([&] {
    CHECK(!current().block_trap());
    trace += static_cast<char>('0' + *c.receive());
  });
  run();
  c.send(3);
  run();
  CHECK(trace == "3");
}

TEST_CASE("a block trap can be set from outside, in every state") {
  using weft_test::stage;
  using weft_test::state;
  for (const auto& [at, name] : weft_test::every_state) {
    INFO(name);
    stage on(at);
    const tasklet t = at == state::self ? current() : on.t;
    const auto before = on.snapshot();
    CHECK(!t.set_block_trap(true));
    CHECK(t.block_trap() == t.alive());
    CHECK(t.set_block_trap(true) == t.alive());
    CHECK(on.snapshot() == before);
    t.set_block_trap(false);
    CHECK(!t.block_trap());
  }
}

TEST_CASE("a block trap from outside holds from the next operation on") {
  const scheduler s;
  channel<int> c;
  channel<int> never;
  std::string trace;
  const auto start = GENERATE('f', 'c', 'y', 'r', 'p');
  INFO(start);
  const auto body = [&] {
    if (start == 'y') yield();
    if (start == 'r') trace += static_cast<char>('0' + *c.receive());
    if (start == 'p') suspend();
    try {
      never.receive();
      trace += '!';
    } catch (const block_trap_error&) {
      trace += 't';
    }
    current().set_block_trap(false);
    never.receive();
    trace += 'n';
  };
  const tasklet t = start == 'c' ? create(body) : spawn(body);
  if (start != 'f' && start != 'c') yield();
  t.set_block_trap(true);
  if (start == 'c' || start == 'p') t.insert();
  if (start == 'r') c.send(1);
  run();
  CHECK(trace == (start == 'r' ? "1t" : "t"));
  CHECK(t.blocked());
  never.send(1);
  run();
  CHECK(trace.back() == 'n');
}

TEST_CASE("a kill is raised under a block trap, and first") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    const block_trap none;
    yield();
    trace += '!';
  });
  const tasklet u = spawn([&] {
    const block_trap none;
    try {
      yield();
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
    try {
      c.receive();
    } catch (const tasklet_exit&) {
      trace += 'k';
    } catch (const block_trap_error&) {
      trace += '!';
    }
  });
  yield();
  t.kill();
  u.kill();
  CHECK(!t.alive());
  CHECK(!u.alive());
  CHECK(trace == "kk");
}

TEST_CASE("the value of a send that a block trap stops has not been moved") {
  const scheduler s;
  counted::reset();
  channel<counted> c;
  counted v(1);
  const block_trap none;
  CHECK_THROWS_AS(c.send(std::move(v)), block_trap_error);
  CHECK(v.value == 1);  // NOLINT: that is the point
  CHECK(counted::moves == 0);
}

// ---- switch_trap

TEST_CASE("a switch trap makes what would switch throw, and change nothing") {
  in_main_or_worker([](place& at) {
    std::vector<operation> switching = at.blocking();
    const auto also = [&](const char* name, std::function<void()> f) {
      switching.push_back({name, std::move(f)});
    };
    also("yield", [] { yield(); });
    also("sleep that has passed", [] { sleep_for(0s); });
    also("suspend", [] { suspend(); });
    also("run", [] { run(); });
    also("run_n", [&] { at.s.run_n(1); });
    also("run_for", [&] { at.s.run_for(1h); });
    also("run_until", [&] { at.s.run_until(at.clock.now()); });
    for (const tasklet& t : {at.next, at.pauser}) {
      also("t.run", [t] { t.run(); });
      also("switch_to", [t] { t.switch_to(); });
    }
    for (const tasklet& t : {at.next, at.pauser, at.receiver, at.sleeper}) {
      if (t != at.next) also("kill", [t] { t.kill(); });
      also("throw", [t] { t.throw_exception(std::make_exception_ptr(1)); });
    }
    also("a send to one that waits", [&] { at.wanted.send(counted(5)); });
    also("a try_send to one that waits",
         [&] { at.wanted.try_send(counted(5)); });
    also("a timed send to one that waits",
         [&] { at.wanted.send_for(1h, counted(5)); });
    also("send_exception to one that waits",
         [&] { at.wanted.send_exception(std::make_exception_ptr(1)); });
    const auto prefers_sender = [&](channel<counted>& c, const char* name,
                                    auto f) {
      also(name, [&c, f] {
        c.set_preference(preference::sender);
        try {
          f(c);
        } catch (...) {
          c.set_preference(preference::receiver);
          throw;
        }
      });
    };
    const auto receive = [](channel<counted>& c) { c.receive(); };
    const auto try_receive = [](channel<counted>& c) { (void)c.try_receive(); };
    prefers_sender(at.offered, "a receive that prefers the sender", receive);
    prefers_sender(at.offered, "a try_receive that does", try_receive);
    prefers_sender(at.stocked, "a receive from a full buffer", receive);
    prefers_sender(at.stocked, "a try_receive from one", try_receive);

    for (const operation& o : switching) {
      INFO(o.name);
      const auto before = at.snapshot();
      const switch_trap none;
      CHECK_THROWS_AS(o.run(), switch_trap_error);
      CHECK(at.snapshot() == before);
    }
    // All of it is as it was, and works.
    if (current().is_main()) yield();
    CHECK(at.trace == (current().is_main() ? "n" : ""));
  });
}

TEST_CASE("a switch trap lets through what only makes others runnable") {
  in_main_or_worker([](place& at) {
    const std::size_t before = at.s.runnable();
    {
      const switch_trap none;
      at.wanted.set_preference(preference::neither);
      at.wanted.send(counted(5));
      CHECK(at.offered.receive()->value == 2);  // prefers the receiver
      CHECK(at.stocked.receive()->value == 4);
      CHECK(at.full.receive()->value == 1);
      at.full.send(counted(6));
      CHECK(at.full.try_send(counted(6)) == op_status::would_block);
      CHECK(at.empty.receive_for(0ns).status() == op_status::timed_out);
      at.hold.close();
      spawn([&] { at.trace += 's'; });
      create([] {}).kill();
      create().setup([] {});
      at.pauser.insert();
      at.sleeper.kill(pending);
      tasklet().join();
      current().run();
      current().switch_to();
      CHECK(at.s.runnable() == before + 8);
    }
    if (current().is_main()) run();
  });
}

TEST_CASE("alone, yield and runs of nothing are allowed under a switch trap") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  const bool by_main = GENERATE(true, false);
  channel<int> c;
  const auto alone = [&] {
    const switch_trap none;
    yield();
    sleep_for(0s);
    checkpoint();
    CHECK(run().why == run_result::drained);
    CHECK(s.run_n(3).why == run_result::drained);
    CHECK(s.run_until(clock.now() + 1h).why == run_result::drained);
    if (by_main) CHECK(!suspend().has_value());
    if (by_main) CHECK_THROWS_AS(c.receive(), deadlock_error);
  };
  if (by_main)
    alone();
  else
    spawn(alone);
  run();
  CHECK(s.live() == 0);
}

TEST_CASE("a switch trap stops the last one from going back to a run") {
  scheduler s;
  channel<int> c;
  std::string trace;
  const auto how = GENERATE('r', 's', 'i');
  INFO(how);
  const tasklet t = spawn([&] {
    {
      const switch_trap none;
      CHECK_THROWS_AS(c.receive(), switch_trap_error);
      CHECK_THROWS_AS(suspend(), switch_trap_error);
      CHECK_THROWS_AS(create([] {}).join(), switch_trap_error);
    }
    CHECK(c.balance() == 0);
    trace += 't';
  });
  if (how == 'r') run();
  if (how == 's') suspend();
  if (how == 'i') spawn([] { run(); }).run();
  trace += 'm';
  CHECK(trace == (how == 'i' ? "m" : "tm"));
  run();
  CHECK(!t.alive());
}

TEST_CASE("a run that a switch trap stops leaves other runs alone") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    trace += 'a';
    trace += run().why == run_result::drained ? 'd' : '!';
  });
  yield();
  {
    const switch_trap none;
    CHECK_THROWS_AS(run(), switch_trap_error);
  }
  CHECK(t.paused());
  yield();
  spawn([&] { trace += 'x'; });
  run();
  CHECK(trace == "axd");
}

TEST_CASE("switch traps nest, and hold for the whole scheduler") {
  const scheduler s;
  std::string trace;
  spawn([&] { trace += 'a'; });
  {
    const switch_trap outer;
    {
      const switch_trap inner;
      CHECK_THROWS_AS(yield(), switch_trap_error);
    }
    CHECK_THROWS_AS(yield(), switch_trap_error);
    CHECK(trace.empty());
  }
  yield();
  CHECK(trace == "a");
  // Their order does not matter.
  std::optional<switch_trap> first(std::in_place);
  std::optional<switch_trap> second(std::in_place);
  first.reset();
  spawn([&] { trace += 'b'; });
  CHECK_THROWS_AS(yield(), switch_trap_error);
  second.reset();
  yield();
  CHECK(trace == "ab");
}

TEST_CASE("where both traps are on, each stops what it forbids") {
  const scheduler s;
  channel<int> c;
  spawn([] {});
  const block_trap no_block;
  const switch_trap no_switch;
  CHECK_THROWS_AS(c.receive(), block_trap_error);
  CHECK_THROWS_AS(yield(), switch_trap_error);
}

TEST_CASE("an error of the target comes before that of the switch trap") {
  const scheduler s;
  channel<int> c;
  const tasklet blocked = spawn([&] { c.receive(); });
  const tasklet unbound = create();
  yield();
  const switch_trap none;
  for (const tasklet& t : {blocked, unbound, tasklet()}) {
    for (const std::function<void()>& f :
         {std::function<void()>([&] { t.run(); }),
          std::function<void()>([&] { t.switch_to(); })}) {
      char raised = '-';
      try {
        f();
      } catch (const switch_trap_error&) {
        raised = 't';
      } catch (const error&) {
        raised = 'e';
      }
      CHECK(raised == 'e');
    }
  }
  CHECK(blocked.blocked());
}

TEST_CASE("what is held back does not switch, so a switch trap lets it") {
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] {
    const shield on;
    c.receive();
  });
  yield();
  {
    const switch_trap none;
    t.kill();
    CHECK(t.blocked());
    current().set_block_trap(false);
    CHECK_THROWS_AS(current().throw_exception(std::make_exception_ptr(1)), int);
  }
  c.send(1);
  run();
}

TEST_CASE("a switch trap does not hold while its scheduler ends") {
  std::optional<switch_trap> outer;
  int went_on = 0;
  {
    const scheduler s;
    for (int i = 0; i != 2; ++i)
      spawn([&] {
        try {
          suspend();
        } catch (const tasklet_exit&) {
          {
            const switch_trap inner;
          }
          const switch_trap another;
          yield();
          ++went_on;
          throw;
        }
      });
    run();
    outer.emplace();
  }
  CHECK(went_on == 2);
}

TEST_CASE("traps need a scheduler, and a switch trap may outlive it") {
  CHECK_THROWS_AS(switch_trap(), no_scheduler);
  CHECK_THROWS_AS(block_trap(), no_scheduler);
  CHECK_THROWS_AS(atomic_section(), no_scheduler);
  std::optional<scheduler> s(std::in_place);
  int ended = 0;
  spawn([&] { ++ended; });
  {
    const switch_trap none;
    const block_trap no_block;
    const atomic_section whole;
    s.reset();
    s.emplace();
  }
  CHECK(ended == 0);
  spawn([&] { ++ended; });
  run();
  CHECK(ended == 1);
}

// ---- atomic_section

TEST_CASE("in an atomic section a budget of switches waits") {
  scheduler s;
  std::string trace;
  const auto loop = [&](char name, bool whole) {
    return [&trace, name, whole] {
      std::optional<atomic_section> section;
      if (whole) section.emplace();
      for (int i = 0; i < 3; ++i) {
        trace += name;
        yield();
      }
      section.reset();
      trace += static_cast<char>(name - 'a' + 'A');
      yield();
    };
  };
  spawn(loop('a', true));
  spawn(loop('b', true));
  run_result r = s.run_n(1);
  // The switches are counted, and the budget is looked at after the sections.
  CHECK(trace == "abababA");
  CHECK(r.why == run_result::budget);
  CHECK(r.switches == 7);
  r = s.run_n(1);
  CHECK(trace == "abababAB");
  CHECK(r.switches == 1);
  s.run_n(2);
  trace.clear();
  spawn(loop('a', true));
  spawn(loop('x', false));
  r = s.run_n(1);
  CHECK(trace == "ax");
  CHECK(r.switches == 2);
}

TEST_CASE("in an atomic section the time of a run waits") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  int turns = 0;
  spawn([&] {
    {
      const atomic_section outer;
      const atomic_section inner;
      for (int i = 0; i < 5; ++i) {
        ++turns;
        clock.advance(10ms);
        i % 2 != 0 ? yield() : checkpoint();
      }
    }
    turns += 100;
    yield();
    turns += 1000;
  });
  CHECK(s.run_for(1ms).why == run_result::budget);
  CHECK(turns == 105);
  run();
  CHECK(turns == 1105);
}

TEST_CASE("in an atomic section checkpoint does not yield") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  s.set_time_slice(1ms);
  std::string trace;
  spawn([&] {
    {
      const atomic_section whole;
      for (int i = 0; i < 3; ++i) {
        clock.advance(2ms);
        checkpoint();
        trace += 'a';
      }
    }
    checkpoint();
    trace += 'A';
  });
  spawn([&] { trace += 'b'; });
  run();
  CHECK(trace == "aaabA");
}

TEST_CASE("an atomic section is its tasklet's own, and ends with a kill") {
  scheduler s;
  int turns = 0;
  const tasklet t = spawn([&] {
    const atomic_section whole;
    for (;;) yield();
  });
  const tasklet u = spawn([&] {
    for (;;) {
      ++turns;
      yield();
    }
  });
  // The first switch is away from main, the second from the atomic one.
  CHECK(s.run_n(1).switches == 2);
  t.kill();
  CHECK(s.run_n(1).switches == 1);
  CHECK(turns == 2);
  u.kill();
}

TEST_CASE("a switch trap allows what moves nobody up: an exception is first") {
  const bool tries = GENERATE(true, false);
  const scheduler s;
  channel<int> c(1);
  c.set_preference(preference::sender);
  c.send(1);
  spawn([&] { c.send_exception(std::make_exception_ptr(7)); });
  yield();
  CHECK(c.balance() == 1);
  {
    const switch_trap on;
    CHECK((tries ? std::optional<int>(c.try_receive()) : c.receive()) == 1);
    // Now its sender would go on.
    CHECK_THROWS_AS(c.receive(), switch_trap_error);
  }
  CHECK_THROWS_AS(c.receive(), int);
  run();
}

TEST_CASE("a switch trap fails a select before it takes what was thrown in") {
  const scheduler s;
  channel<int> c;
  c.set_preference(preference::sender);
  spawn([&] { c.send_exception(std::make_exception_ptr(7)); });
  yield();
  {
    const switch_trap on;
    CHECK_THROWS_AS(select(c.receive_case()), switch_trap_error);
    CHECK(c.balance() == 1);
  }
  CHECK_THROWS_AS(select(c.receive_case()), int);
  run();
}

}  // namespace
