// SPDX-License-Identifier: BSL-1.0
// Laws 3 and 10 for the values: how often they move, and what happens when that
// throws.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/tests/support/channel_kind.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::channel;
using weft_test::counted;
using weft_test::move_failed;
using weft_test::run;

TEST_CASE("a value moves once through a rendezvous, whoever comes first") {
  const scheduler s;
  const bool sender_first = GENERATE(true, false);
  counted::reset();
  channel<counted> c;
  int got = 0;
  const auto send = [&] { c.send(counted(7)); };
  const auto receive = [&] { got = c.receive()->value; };
  if (sender_first) {
    spawn(send);
    spawn(receive);
  } else {
    spawn(receive);
    spawn(send);
  }
  run();
  CHECK(got == 7);
  CHECK(counted::moves == 1);
  CHECK(counted::alive == 0);
}

TEST_CASE("a value moves twice through a buffer, also when its sender waited") {
  const scheduler s;
  counted::reset();
  channel<counted> c(1);
  spawn([&] { c.send(counted(1)); });
  spawn([&] { c.send(counted(2)); });
  run();
  CHECK(c.receive()->value == 1);
  CHECK(c.receive()->value == 2);
  CHECK(counted::moves == 4);
  run();
  CHECK(counted::alive == 0);
}

TEST_CASE("iteration moves no value once more") {
  const scheduler s;
  counted::reset();
  channel<counted> c;
  spawn([&] {
    for (int i = 0; i < 3; ++i) c.send(counted(i));
    c.close();
  });
  int sum = 0;
  for (counted& v : c) sum += v.value;
  CHECK(sum == 3);
  CHECK(counted::moves == 3);
}

TEST_CASE("an lvalue is copied, and stays what it was") {
  const scheduler s;
  const auto capacity = GENERATE(0U, 1U);
  channel<std::string> c(capacity);
  const std::string text(100, 'x');
  spawn([&] {
    for (int i = 0; i < 3; ++i) c.send(text);
  });
  run();
  for (int i = 0; i < 3; ++i) CHECK(c.receive() == std::string(100, 'x'));
  CHECK(text.size() == 100);
  run();
}

struct constant {
  const int x = 0;
};
struct counts {
  counts() { ++made; }
  int x = 1;
  static inline int made = 0;
};

TEST_CASE("any movable type will do") {
  const scheduler s;
  channel<constant> c(1);
  c.send(constant{4});
  CHECK(c.receive()->x == 4);
  channel<counts> d(1);
  d.send(counts());
  counts::made = 0;
  CHECK(d.receive()->x == 1);
  CHECK(counts::made == 0);
}

TEST_CASE("move-only values pass through every path") {
  const scheduler s;
  const auto capacity = GENERATE(0U, 1U, 3U);
  channel<std::unique_ptr<int>> c(capacity);
  spawn([&] {
    for (int i = 0; i < 10; ++i) c.send(std::make_unique<int>(i));
    c.close();
  });
  int next = 0;
  while (auto v = c.receive()) CHECK(**v == next++);
  CHECK(next == 10);
}

TEST_CASE("a send whose move throws leaves the receiver parked") {
  const scheduler s;
  counted::reset();
  channel<counted> c;
  int got = 0;
  spawn([&] { got = c.receive()->value; });
  run();
  counted value(5);
  counted::throw_in = 0;
  CHECK_THROWS_AS(c.send(std::move(value)), move_failed);
  CHECK(value.value == 5);
  CHECK(c.balance() == -1);
  c.send(std::move(value));
  CHECK(got == 5);
}

TEST_CASE("a receive whose move throws leaves the sender parked") {
  const scheduler s;
  counted::reset();
  channel<counted> c;
  spawn([&] { c.send(counted(5)); });
  run();
  counted::throw_in = 0;
  CHECK_THROWS_AS(c.receive(), move_failed);
  CHECK(c.balance() == 1);
  CHECK(c.receive()->value == 5);
  run();
  CHECK(counted::alive == 0);
}

TEST_CASE(
    "a move that throws on its way into or out of a buffer changes nothing") {
  const scheduler s;
  counted::reset();
  channel<counted> c(2);
  counted value(5);
  counted::throw_in = 0;
  CHECK_THROWS_AS(c.send(std::move(value)), move_failed);
  CHECK(c.size() == 0);
  c.send(std::move(value));
  counted::throw_in = 0;
  CHECK_THROWS_AS(c.receive(), move_failed);
  CHECK(c.size() == 1);
  CHECK(c.receive()->value == 5);
  CHECK(counted::alive == 1);
}

TEST_CASE("a waiting sender whose value cannot move up gets the exception") {
  const scheduler s;
  counted::reset();
  channel<counted> c(1);
  std::string trace;
  spawn([&] { c.send(counted(1)); });
  spawn([&] {
    counted two(2);
    try {
      c.send(std::move(two));
    } catch (const move_failed&) {
      trace += static_cast<char>('0' + two.value);
    }
  });
  spawn([&] { c.send(counted(3)); });
  run();
  CHECK(c.balance() == 2);
  counted::throw_in = 1;  // out of the buffer it moves, up it does not
  CHECK(c.receive()->value == 1);
  run();
  CHECK(trace == "2");
  CHECK(c.balance() == 0);
  CHECK(c.receive()->value == 3);
  run();
  CHECK(counted::alive == 0);
}

TEST_CASE("values left in a channel are destroyed with it") {
  const scheduler s;
  counted::reset();
  {
    channel<counted> c(4);
    for (int i = 0; i < 3; ++i) c.send(counted(i));
    c.receive();
    CHECK(counted::alive == 2);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a failed try_send has not moved from its argument") {
  const scheduler s;
  channel<std::unique_ptr<int>> c;
  auto p = std::make_unique<int>(1);
  CHECK(c.try_send(std::move(p)) == op_status::would_block);
  CHECK(p);
  c.close();
  CHECK(c.try_send(std::move(p)) == op_status::closed);
  CHECK_THROWS_AS(c.send(std::move(p)), channel_closed);
  CHECK(p);
}

}  // namespace
