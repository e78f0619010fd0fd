// SPDX-License-Identifier: BSL-1.0
// Laws 3, 4, 6, 10 and 12 for one channel.
#include "weft/channel/channel.h"

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "weft/channel/channel_callback.h"
#include "weft/channel/signal_channel.h"
#include "weft/channel/views.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/channel_kind.h"

namespace {

using namespace weft;
using weft_test::channel;
using weft_test::run;

static_assert(!std::is_copy_constructible_v<channel<int>>);
static_assert(!std::is_move_constructible_v<channel<int>>);
static_assert(sizeof(sender<int>) == sizeof(void*));
static_assert(sizeof(receiver<int>) == sizeof(void*));

TEST_CASE("a sender parks until a receiver takes its value") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  spawn([&] {
    trace += 's';
    c.send(7);
    trace += 'S';
  });
  CHECK(run().blocked == 1);
  CHECK(trace == "s");
  CHECK(c.balance() == 1);
  spawn([&] {
    trace += 'r';
    CHECK(c.receive() == 7);
    trace += 'R';
  });
  CHECK(run().blocked == 0);
  CHECK(trace == "srRS");
}

TEST_CASE("a receiver parks until a sender brings a value") {
  const scheduler s;
  channel<std::string> c;
  std::string got;
  spawn([&] { got = *c.receive(); });
  run();
  CHECK(c.balance() == -1);
  c.send("text");
  CHECK(got == "text");
  CHECK(c.balance() == 0);
}

// Who goes on when the second of two arrives: the caller, or the partner, with
// another tasklet in the queue. As main or as a worker.
std::string meeting(preference p, bool caller_sends, bool as_main) {
  const scheduler s;
  channel<int> c;
  c.set_preference(p);
  std::string trace;
  spawn([&] {
    caller_sends ? static_cast<void>(c.receive()) : c.send(1);
    trace += 'P';
  });
  run();
  const auto caller = [&] {
    spawn([&] { trace += 'A'; });
    spawn([&] { trace += 'B'; });
    caller_sends ? c.send(1) : static_cast<void>(c.receive());
    trace += 'C';
  };
  if (as_main)
    caller();
  else
    spawn(caller);
  run();
  return trace;
}

TEST_CASE("preference decides who goes on when two meet") {
  const bool as_main = GENERATE(true, false);
  CHECK(meeting(preference::receiver, true, as_main) == "PABC");
  CHECK(meeting(preference::neither, true, as_main) == "CABP");
  CHECK(meeting(preference::sender, true, as_main) == "CABP");
  CHECK(meeting(preference::receiver, false, as_main) == "CABP");
  CHECK(meeting(preference::neither, false, as_main) == "CABP");
  CHECK(meeting(preference::sender, false, as_main) == "PABC");
}

TEST_CASE(
    "an unbuffered channel prefers the receiver, a buffered one neither") {
  CHECK(channel<int>().get_preference() == preference::receiver);
  CHECK(channel<int>(3).get_preference() == preference::neither);
}

TEST_CASE("waiters are served in the order in which they blocked") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  for (int i = 0; i < 4; ++i)
    spawn([&, i] {
      trace += static_cast<char>('a' + i);
      c.send(i);
    });
  run();
  CHECK(c.balance() == 4);
  for (int i = 0; i < 4; ++i) CHECK(c.receive() == i);
  CHECK(c.balance() == 0);
  run();
}

TEST_CASE("a buffer takes values until it is full, then senders park") {
  const scheduler s;
  channel<int> c(3);
  std::string trace;
  spawn([&] {
    for (int i = 0; i < 5; ++i) {
      c.send(i);
      trace += static_cast<char>('0' + i);
    }
    c.close();
  });
  run();
  CHECK(trace == "012");
  CHECK(c.size() == 3);
  CHECK(c.capacity() == 3);
  CHECK(c.balance() == 1);
  std::string got;
  for (int v : c) got += static_cast<char>('0' + v);
  CHECK(got == "01234");
}

TEST_CASE(
    "a receive from a full buffer makes room for the first waiting sender") {
  const scheduler s;
  channel<std::string> c(1);
  for (const char* text : {"a", "b", "c"}) spawn([&, text] { c.send(text); });
  run();
  CHECK(c.balance() == 2);
  CHECK(c.receive() == "a");
  CHECK(c.balance() == 1);
  CHECK(c.size() == 1);
  CHECK(c.receive() == "b");
  CHECK(c.receive() == "c");
  CHECK(c.balance() == 0);
  CHECK(c.size() == 0);
  run();
}

TEST_CASE(
    "after close sends throw, values that wait are received, then nullopt") {
  const scheduler s;
  const auto capacity = GENERATE(0U, 2U);
  channel<int> c(capacity);
  for (int i = 0; i < 4; ++i) spawn([&, i] { c.send(i); });
  run();
  c.close();
  c.close();
  CHECK(c.closed());
  CHECK_THROWS_AS(c.send(9), channel_closed);
  CHECK(c.try_send(9) == op_status::closed);
  CHECK_THROWS_AS(c.send_exception(std::make_exception_ptr(1)), channel_closed);
  for (int i = 0; i < 4; ++i) CHECK(c.receive() == i);
  for (int i = 0; i < 2; ++i) CHECK(c.receive() == std::nullopt);
  CHECK(c.try_receive().status() == op_status::closed);
  CHECK_THROWS_AS(c.take(), channel_closed);
  run();
}

TEST_CASE("close wakes every waiting receiver, and ends iteration for all") {
  const scheduler s;
  channel<std::string> c;
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&, name] {
      for (const auto& text : c) trace += text;
      trace += name;
    });
  run();
  c.send("1");
  c.send("2");
  c.close();
  CHECK(trace == "12");
  run();
  CHECK(trace.size() == 5);
  CHECK(c.balance() == 0);
}

TEST_CASE("the end of a channel wakes those who wait on it") {
  const scheduler s;
  std::string trace;
  auto c = std::make_unique<channel<int>>();
  auto d = std::make_unique<channel<int>>();
  spawn([&trace, &c = *c] { trace += c.receive() ? '!' : 'r'; });
  spawn([&trace, &d = *d] {
    try {
      d.send(1);
    } catch (const channel_closed&) {
      trace += 's';
    }
  });
  run();
  c.reset();
  d.reset();
  CHECK(trace.empty());
  run();
  CHECK(trace == "rs");
}

TEST_CASE("a tasklet may destroy the channel that it has just been handed") {
  const scheduler s;
  auto c = std::make_unique<channel<int>>();
  spawn([&] {
    CHECK(c->receive() == 1);
    c.reset();
  });
  run();
  c->send(1);
  CHECK(!c);
}

TEST_CASE("try_send and try_receive never park") {
  const scheduler s;
  channel<int> c;
  CHECK(c.try_send(1) == op_status::would_block);
  CHECK(c.try_receive().status() == op_status::would_block);
  CHECK(c.balance() == 0);
  spawn([&] { CHECK(c.receive() == 2); });
  run();
  CHECK(c.try_send(2) == op_status::done);
  spawn([&] { c.send(3); });
  run();
  const auto got = c.try_receive();
  CHECK(got.status() == op_status::done);
  CHECK(got == 3);
  run();
  channel<int> b(1);
  CHECK(b.try_send(1) == op_status::done);
  CHECK(b.try_send(2) == op_status::would_block);
  CHECK(*b.try_receive() == 1);
}

TEST_CASE("send_exception makes the receiver throw") {
  const scheduler s;
  const auto x = std::make_exception_ptr(std::runtime_error("x"));
  channel<int> c;
  SECTION("to one that waits") {
    std::string got;
    spawn([&] {
      try {
        c.receive();
      } catch (const std::runtime_error& e) {
        got = e.what();
      }
    });
    run();
    c.send_exception(x);
    CHECK(got == "x");
    CHECK(c.balance() == 0);
  }
  SECTION("to one that comes later") {
    spawn([&] { c.send_exception(x); });
    run();
    CHECK(c.balance() == 1);
    CHECK_THROWS_WITH(c.receive(), "x");
    CHECK(c.balance() == 0);
    CHECK(run().blocked == 0);
  }
  SECTION("of nothing is refused") {
    CHECK_THROWS_AS(c.send_exception(nullptr), std::invalid_argument);
  }
}

TEST_CASE("an exception keeps its place in line") {
  const scheduler s;
  const auto capacity = GENERATE(0U, 1U, 2U, 8U);
  channel<std::string> c(capacity);
  std::string trace;
  spawn([&] { c.send("1"); });
  spawn([&] { c.send("2"); });
  spawn([&] { c.send_exception(std::make_exception_ptr('x')); });
  spawn([&] { c.send("3"); });
  spawn([&] { c.send("4"); });
  spawn([&] { c.send_exception(std::make_exception_ptr('y')); });
  spawn([&] { c.send("5"); });
  run();
  for (int i = 0; i < 7; ++i) {
    try {
      trace += *c.receive();
    } catch (char sent) {
      trace += sent;
    }
  }
  CHECK(trace == "12x34y5");
  CHECK(c.balance() == 0);
  CHECK(c.size() == 0);
  CHECK(run().blocked == 0);
  c.try_send("6");
  CHECK(c.size() == (capacity == 0 ? 0 : 1));
}

TEST_CASE("those behind a killed sender of an exception move up") {
  const scheduler s;
  channel<int> c(2);
  const tasklet t =
      spawn([&] { c.send_exception(std::make_exception_ptr(1)); });
  run();
  spawn([&] { c.send(1); });
  run();
  CHECK(c.balance() == 2);
  t.kill();
  CHECK(c.balance() == 0);
  CHECK(c.size() == 1);
  CHECK(c.try_send(2) == op_status::done);
  CHECK(c.receive() == 1);
  CHECK(run().blocked == 0);
}

TEST_CASE("the callback is told of a send that waits behind an exception") {
  weft::scheduler s;
  weft::channel<int> c(4);
  std::string trace;
  weft::set_channel_callback(
      [&](weft::any_channel, weft::tasklet, bool sending, bool will_block) {
        trace += sending ? "s" : "r";
        trace += will_block ? "W" : "-";
      });
  weft::spawn([&] { c.send_exception(std::make_exception_ptr(1)); });
  weft::spawn([&] { c.send(2); });
  weft::yield();
  CHECK(c.balance() == 2);
  CHECK(trace == "sWsW");
  CHECK_THROWS_AS(c.receive(), int);
  CHECK(c.take() == 2);
  CHECK(trace == "sWsWr-r-");
}

TEST_CASE("those behind an exception go on in the order in which they came") {
  const scheduler s;
  const auto preferred =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const bool killed = GENERATE(false, true);
  channel<char> c(3);
  c.set_preference(preferred);
  std::string trace;
  const tasklet t = spawn([&] {
    c.send_exception(std::make_exception_ptr('x'));
    trace += 'x';
  });
  for (char name : {'1', '2', '3'})
    spawn([&, name] {
      c.send(name);
      trace += name;
    });
  run();
  CHECK(c.balance() == 4);
  if (killed)
    t.kill();
  else
    CHECK_THROWS_AS(c.receive(), char);
  CHECK(c.size() == 3);
  run();
  CHECK(trace == (killed ? "123" : "x123"));
}

TEST_CASE("an exception that was received comes before one that is due") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      c.receive();
    } catch (char sent) {
      trace += sent;
    }
    yield();
    trace += '!';
  });
  const auto sender = [&] {
    c.send_exception(std::make_exception_ptr('x'));
    t.kill(pending);
  };
  SECTION("where the receiver waited") {
    c.set_preference(preference::neither);
    run();
    spawn(sender);
  }
  SECTION("where the sender waited and runs at once") {
    c.set_preference(preference::sender);
    t.remove();
    spawn(sender);
    run();
    t.insert();
  }
  run();
  CHECK(trace == "x");
  CHECK(!t.alive());
}

TEST_CASE("send_range sends every value") {
  const scheduler s;
  channel<int> c;
  std::vector<int> got;
  spawn([&] {
    CHECK(c.send_range(std::array{1, 2, 3}) == 3);
    c.close();
  });
  for (int v : c) got.push_back(v);
  CHECK(got == std::vector{1, 2, 3});
}

TEST_CASE("views give one direction") {
  const scheduler s;
  channel<std::string> c;
  spawn(
      [](sender<std::string> out) {
        out.send("a");
        out.send("b");
        out.close();
      },
      sender(c));
  std::string got;
  spawn(
      [&got](receiver<std::string> in) {
        got = *in.receive();
        for (const auto& text : in) got += text;
      },
      receiver(c));
  run();
  CHECK(got == "ab");
}

TEST_CASE("channel of void carries a signal") {
  const scheduler s;
  channel<void> c;
  channel<void> b(2);
  CHECK(c.try_send() == op_status::would_block);
  std::string trace;
  spawn([&] {
    while (c.receive()) trace += 'r';
    trace += 'c';
  });
  run();
  c.send();
  c.send();
  CHECK(c.try_send() == op_status::done);
  c.close();
  run();
  CHECK(trace == "rrrc");
  b.send();
  CHECK(b.size() == 1);
  CHECK(b.try_receive() == op_status::done);
  CHECK(b.try_receive() == op_status::would_block);
}

TEST_CASE("a channel outlives its scheduler and is useless to the next") {
  channel<int> c(1);
  {
    const scheduler s;
    spawn([&] {
      c.send(1);
      c.send(2);
    });
    run();
    CHECK(c.balance() == 1);
  }
  CHECK(c.balance() == 0);
  CHECK(c.size() == 1);
}

}  // namespace
