// SPDX-License-Identifier: BSL-1.0
// What else can be asked of a channel: who waits, its name, to let them all go.
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "weft/channel/any_channel.h"
#include "weft/channel/channel.h"
#include "weft/channel/signal_channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/channel_kind.h"

namespace {

using namespace weft;
using weft_test::channel;
using weft_test::run;
using namespace std::chrono_literals;

TEST_CASE("front is who has waited longest") {
  const scheduler s;
  channel<int> c;
  CHECK_FALSE(c.front().alive());
  const tasklet a = spawn([&] { c.receive(); });
  const tasklet b = spawn([&] { c.receive(); });
  run();
  CHECK(c.front() == a);
  a.kill();
  CHECK(c.front() == b);
  CHECK(any_channel(c).front() == b);
  b.kill();
  CHECK_FALSE(c.front().alive());
}

TEST_CASE("a channel has the name that it is given", "[local]") {
  const scheduler s;
  channel<int> c;
  channel<void> d;
  CHECK(c.name().empty());
  c.set_name("orders");
  CHECK(any_channel(c).name() == "orders");
  CHECK(any_channel(c) == c);
  CHECK_FALSE(any_channel(c) == any_channel(d));
  try {
    c.receive();
  } catch (const deadlock_error& e) {
    CHECK(std::string(e.what()).find("on channel 'orders'") !=
          std::string::npos);
  }
  c.set_name("");
  CHECK(c.name().empty());
}

TEST_CASE("clear kills all who wait") {
  const bool send = GENERATE(true, false);
  const auto capacity = GENERATE(0U, 1U);
  const scheduler s;
  channel<int> c(capacity);
  c.clear();
  if (send)
    while (c.size() != c.capacity()) c.send(9);
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&trace, &c, name, send] {
      try {
        send ? c.send(1) : static_cast<void>(c.receive());
      } catch (const tasklet_exit&) {
        trace += name;
        throw;
      }
    });
  run();
  c.clear();
  CHECK(c.balance() == 0);
  CHECK(trace.empty());  // At their turn.
  run();
  CHECK(trace == "abc");
  CHECK(s.live() == 0);
  CHECK(c.size() == (send ? capacity : 0));
  c.clear();
}

TEST_CASE("clear moves no value of a killed sender into the buffer",
          "[local]") {
  const scheduler s;
  channel<int> c(2);
  spawn([&] { c.send_exception(std::make_exception_ptr(1)); });
  for (int i = 1; i < 3; ++i) spawn([&, i] { c.send(i); });
  run();
  CHECK(c.balance() == 3);
  c.clear();
  run();
  CHECK(c.balance() == 0);
  CHECK(c.size() == 0);
  CHECK(s.live() == 0);
  c.send(3);
  CHECK(c.receive() == 3);
}

TEST_CASE("clear leaves those who are shielded where they are") {
  const scheduler s;
  channel<int> c(1);
  spawn([&] { c.send_exception(std::make_exception_ptr(1)); });
  const tasklet kept = spawn([&] {
    const shield on;
    c.send(1);
  });
  const tasklet behind = spawn([&] {
    const shield on;
    c.send(2);
  });
  run();
  c.clear();
  // With the exception gone there is room for the first of them.
  CHECK(c.size() == 1);
  CHECK(c.front() == behind);
  run();
  CHECK_FALSE(kept.alive());
  CHECK(c.receive() == 1);
  CHECK(c.receive() == 2);
  run();
  CHECK(s.live() == 0);
}

TEST_CASE("the end of a channel is told to whoever waits, as it asked") {
  const scheduler s;
  auto c = std::make_unique<channel<int>>();
  auto d = std::make_unique<channel<int>>();
  std::string trace;
  spawn([&] { trace += c->receive() ? '?' : 'n'; });
  spawn([&] {
    if (c->receive_for(1h).status() == op_status::closed) trace += 'c';
  });
  spawn([&] {
    try {
      d->send(1);
    } catch (const channel_closed& e) {
      if (std::string(e.what()).find("destroyed") != std::string::npos)
        trace += 'd';
    }
  });
  op_status status{};
  spawn([&] { status = d->send_for(1h, 1); });
  spawn([&] {
    try {
      d->send_exception(std::make_exception_ptr(1));
    } catch (const channel_closed&) {
      trace += 'e';
    }
  });
  for (int i = 0; i < 5; ++i) yield();
  c.reset();
  d.reset();
  run();
  CHECK(trace == "ncde");
  CHECK(status == op_status::closed);
}

TEST_CASE("a range is sent in order, and received in a loop") {
  const scheduler s;
  channel<std::unique_ptr<int>> c;
  std::string trace;
  spawn([&] {
    for (const auto& p : c) trace += static_cast<char>('0' + *p);
  });
  std::vector<std::unique_ptr<int>> values;
  for (int i = 0; i < 3; ++i) values.push_back(std::make_unique<int>(i));
  struct moving {
    std::vector<std::unique_ptr<int>>& v;
    auto begin() { return std::make_move_iterator(v.begin()); }
    auto end() { return std::make_move_iterator(v.end()); }
  };
  CHECK(c.send_range(moving{values}) == 3);
  c.close();
  run();
  CHECK(trace == "012");
  CHECK_THROWS_AS(c.take(), channel_closed);
}

}  // namespace
