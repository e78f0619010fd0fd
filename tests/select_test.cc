// SPDX-License-Identifier: BSL-1.0
// Law 20: waiting for the first of several things.
#include "weft/scheduler/select.h"

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/channel/channel_callback.h"
#include "weft/channel/signal_channel.h"
#include "weft/channel/views.h"
#include "weft/scheduler/callbacks.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/channel_kind.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::channel;
using weft_test::channels_are_shared;
using weft_test::run;
using namespace std::chrono_literals;
using weft_test::counted;
using weft_test::move_failed;

std::string digits(std::size_t n) { return std::to_string(n); }

// ---- one of several

// Some channels, and tasklets that offer a value in each for ever.
struct offers {
  explicit offers(std::size_t n, std::uint64_t seed = 0) : s({.seed = seed}) {
    for (std::size_t i = 0; i != n; ++i) c.emplace_back(1);
    for (auto& each : c) each.send(1);
  }
  // Which case happened, in each of `n` selects.
  template <typename Select>
  std::string choices(int n, Select choose) {
    std::string trace;
    for (int i = 0; i != n; ++i) {
      const std::size_t which = choose();
      trace += digits(which);
      c[which].send(1);
    }
    return trace;
  }
  std::string choices(int n) {
    return choices(n, [this] {
      return select(c[0].receive_case(), c[1].receive_case(),
                    c[2].receive_case());
    });
  }

  scheduler s;
  std::deque<channel<int>> c;
};

TEST_CASE("exactly one case happens, and the others leave no trace") {
  const bool sends = GENERATE(true, false);
  const bool ordered = GENERATE(true, false);
  const bool in_main = GENERATE(true, false);
  for (unsigned waiting = 1; waiting != 8; ++waiting)
    for (std::size_t comes = 0; comes != 3; ++comes)
      for (const bool at_once : {true, false}) {
        INFO("partners wait in " << waiting << ", or come to " << comes);
        const scheduler s;
        std::array<channel<int>, 3> c;
        const auto partner = [&](std::size_t i) {
          if (sends)
            c[i].receive();
          else
            c[i].send(7);
        };
        std::vector<tasklet> partners;
        if (at_once) {
          for (std::size_t i = 0; i != 3; ++i)
            if ((waiting >> i & 1) != 0) partners.push_back(spawn(partner, i));
          yield();
        } else {
          spawn([&] {
            yield();
            for (auto& each : c) CHECK(each.balance() == (sends ? 1 : -1));
            partner(comes);
          });
        }
        const auto among = [&](auto&&... cases) {
          return ordered ? select(in_order, cases...) : select(cases...);
        };
        std::size_t happened = 3;
        const auto chooses = [&] {
          happened = sends ? among(c[0].send_case(7), c[1].send_case(7),
                                   c[2].send_case(7))
                           : among(c[0].receive_case(), c[1].receive_case(),
                                   c[2].receive_case());
        };
        in_main ? chooses() : spawn(chooses).join();
        if (!at_once)
          CHECK(happened == comes);
        else
          CHECK((waiting >> happened & 1) == 1);
        for (std::size_t i = 0; i != 3; ++i) {
          const bool left = at_once && i != happened && (waiting >> i & 1) != 0;
          CHECK(c[i].balance() == (!left ? 0 : sends ? -1 : 1));
        }
        for (const tasklet& t : partners) t.kill();
        run();
        CHECK(s.live() == 0);
      }
}

TEST_CASE("those that can happen have the same chance") {
  std::array<int, 3> count{};
  for (std::uint64_t seed = 0; seed != 100; ++seed) {
    const std::string some = offers(3, seed).choices(60);
    for (char each : some) ++count[static_cast<std::size_t>(each - '0')];
  }
  // Of 6000 each is expected 2000 times, with a deviation of 37.
  for (int n : count) {
    CHECK(n > 1800);
    CHECK(n < 2200);
  }
}

TEST_CASE("the first choice has the same chances, whatever the seed") {
  std::array<int, 3> count{};
  for (std::uint64_t seed = 0; seed != 600; ++seed)
    ++count[static_cast<std::size_t>(offers(3, seed).choices(1)[0] - '0')];
  for (int n : count) {
    CHECK(n > 130);
    CHECK(n < 270);
  }
}

TEST_CASE("a seed repeats the choices, however it is made") {
  const std::string expected = offers(3, 42).choices(64);
  CHECK(offers(3, 42).choices(64) == expected);
  CHECK(offers(3, 43).choices(64) != expected);
  {
    offers watched(3, 42);
    set_channel_callback([](any_channel, tasklet, bool, bool) {});
    CHECK(watched.choices(64) == expected);
  }
  offers ranged(3, 42);
  std::vector<receive_case<int, no_handler>> cases;
  for (auto& c : ranged.c) cases.push_back(c.receive_case());
  CHECK(ranged.choices(64, [&] { return select(cases); }) == expected);
}

TEST_CASE("in order, the first that can happen does") {
  offers o(3);
  o.c[0].receive();
  const auto choose = [&] {
    return select(in_order, o.c[0].receive_case(), o.c[1].receive_case(),
                  o.c[2].receive_case());
  };
  CHECK(o.choices(5, choose) == "11111");
  o.c[0].send(1);
  CHECK(o.choices(5, choose) == "00000");
}

TEST_CASE("of a fair select's cases none waits for long") {
  // Each of eight is chosen with a chance of an eighth: that one is not within
  // 200 has one of 10^-11.
  offers o(8, GENERATE(1U, 2U, 3U));
  auto& c = o.c;
  std::array<int, 8> since{};
  o.choices(5000, [&] {
    const std::size_t which =
        select(c[0].receive_case(), c[1].receive_case(), c[2].receive_case(),
               c[3].receive_case(), c[4].receive_case(), c[5].receive_case(),
               c[6].receive_case(), c[7].receive_case());
    for (int& n : since) CHECK(++n < 200);
    since[which] = 0;
    return which;
  });
}

// ---- default and time-out

TEST_CASE("the default case happens where nothing else can") {
  const scheduler s;
  channel<int> c(1);
  std::string trace;
  const auto look = [&] {
    return select(
        c.receive_case([&](int v) { trace += digits(std::size_t(v)); }),
        default_case([&] { trace += 'd'; }));
  };
  CHECK(look() == 1);
  c.send(5);
  CHECK(look() == 0);
  CHECK(look() == 1);
  CHECK(trace == "d5d");
  CHECK(c.balance() == 0);
  CHECK(select(default_case()) == 0);
  CHECK(select(timeout_case(0s), default_case(), default_case()) == 1);
}

TEST_CASE("a timeout case happens when its time has come") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  const auto begin = clock.now();
  CHECK(select(c.receive_case(), timeout_case(3s)) == 1);
  CHECK(clock.now() - begin == 3s);
  CHECK(select(c.send_case(1), timeout_case(begin + 5s)) == 1);
  CHECK(clock.now() - begin == 5s);
  CHECK(c.balance() == 0);
  SECTION("of several the earliest, of equal ones the first") {
    CHECK(select(timeout_case(9s), c.receive_case(), timeout_case(2s),
                 timeout_case(begin + 7s), timeout_case(8s)) == 2);
    CHECK(clock.now() - begin == 7s);
    CHECK(select(timeout_case(1h).when(false), timeout_case(2h)) == 1);
  }
  SECTION("at once, if that is now or has been") {
    for (const auto t : {0ns, -1ns, std::chrono::nanoseconds::min()})
      CHECK(select(c.receive_case(), timeout_case(t)) == 1);
    CHECK(select(c.receive_case(), timeout_case(begin)) == 1);
    CHECK(select(timeout_case(std::chrono::hours::min())) == 0);
    CHECK(clock.now() - begin == 5s);
  }
  SECTION("never, if it is the last that the clock knows") {
    spawn([&] { c.send(1); });
    CHECK(select(timeout_case(std::chrono::hours::max()), c.receive_case(),
                 timeout_case(decltype(begin)::max())) == 1);
    CHECK(clock.now() - begin == 5s);
  }
  SECTION("after what can happen at once") {
    spawn([&] { c.send(1); });
    yield();
    CHECK(select(timeout_case(0s), c.receive_case()) == 1);
  }
}

TEST_CASE("the timer of a select ends with it") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  const auto begin = clock.now();
  tasklet t;
  SECTION("another case happens") {
    t = spawn([&] { select(c.receive_case(), timeout_case(1h)); });
    yield();
    c.send(1);
  }
  SECTION("it is killed") {
    t = spawn([&] { select(c.receive_case(), timeout_case(1h)); });
    yield();
    t.kill();
  }
  CHECK(run().why == run_result::drained);
  CHECK(clock.now() == begin);
  CHECK(c.balance() == 0);
}

// ---- closed channels

TEST_CASE("a closed channel's cases can happen: nullopt, channel_closed") {
  const bool waits = GENERATE(true, false);
  const scheduler s;
  channel<int> c;
  channel<int> other;
  if (waits)
    spawn([&] { c.close(); });
  else
    c.close();
  auto in = c.receive_case();
  auto also = other.receive_case();
  CHECK(select(also, in) == 1);
  CHECK(in.value() == std::nullopt);
  CHECK(select(c.receive_case([](std::optional<int> v) { CHECK(!v); })) == 0);
  CHECK_THROWS_AS(select(c.receive_case([](int) {})), channel_closed);
  CHECK_THROWS_AS(select(other.receive_case(), c.send_case(1)), channel_closed);
  CHECK(select(other.receive_case(), c.send_case(1).when(false),
               default_case()) == 2);
  CHECK(other.balance() == 0);
}

TEST_CASE("close() leaves values to be received, and those who would send") {
  const scheduler s;
  channel<int> c(1);
  c.send(1);
  const tasklet t = spawn([&] { CHECK(select(c.send_case(2)) == 0); });
  yield();
  c.close();
  CHECK(t.blocked());
  auto in = c.receive_case();
  for (int expected : {1, 2}) {
    select(in);
    CHECK(in.value() == expected);
  }
  select(in);
  CHECK(in.value() == std::nullopt);
  run();
}

TEST_CASE("the end of a channel lets those who select go on") {
  const scheduler s;
  auto c = std::make_unique<channel<counted>>();
  channel<int> other;
  counted::reset();
  std::string trace;
  spawn([&] {
    auto in = c->receive_case();
    trace += digits(select(other.receive_case(), in));
    trace += in.value() ? 'v' : 'n';
  });
  spawn([&] {
    try {
      select(other.receive_case(), c->send_case(counted(1)));
    } catch (const channel_closed&) {
      trace += 'c';
    }
  });
  const bool both = GENERATE(true, false);
  // The two have met: one of them selects again.
  yield();
  if (both) {
    CHECK(trace == "1v");
    trace.clear();
    spawn([&] {
      try {
        select(c->receive_case(), c->send_case(counted(2)));
        trace += 'r';
      } catch (const channel_closed&) {
        trace += 'c';
      }
    });
    yield();
  }
  run();
  c.reset();
  run();
  CHECK(trace == (both ? "c" : "1v"));
  CHECK(other.balance() == 0);
  CHECK(counted::alive == 0);
}

// ---- values and handlers

TEST_CASE("a handler takes an optional, the value, or nothing is called") {
  const scheduler s;
  channel<std::unique_ptr<int>> c(3);
  for (int i : {1, 2, 3}) c.send(std::make_unique<int>(i));
  int sum = 0;
  select(c.receive_case(
      [&](std::optional<std::unique_ptr<int>> v) { sum += **v; }));
  select(c.receive_case([&](std::unique_ptr<int> v) { sum += 10 * *v; }));
  auto in = c.receive_case();
  select(in);
  sum += 100 * **in.value();
  CHECK(sum == 321);
  bool sent = false;
  auto value = std::make_unique<int>(4);
  CHECK(select(c.send_case(std::move(value), [&] { sent = true; })) == 0);
  CHECK(sent);
  CHECK(!value);
}

TEST_CASE("only the case that happens touches its value") {
  const bool waits = GENERATE(true, false);
  const scheduler s;
  channel<counted> a;
  channel<counted> b;
  counted::reset();
  {
    counted left(1);
    counted right(2);
    spawn([&] { CHECK(b.take().value == 2); });
    if (!waits) yield();
    counted::moves = 0;
    CHECK(select(a.send_case(std::move(left)), b.send_case(std::move(right))) ==
          1);
    CHECK(left.value == 1);
    CHECK(right.value == -1);
    run();
    // take() moves once more.
    CHECK(counted::moves == 2);
  }
  channel<std::string> words(2);
  const std::string word = "copied";
  select(words.send_case(word));
  std::string given = "moved";
  select(words.send_case(std::move(given)));
  CHECK(word == "copied");
  CHECK(given.empty());
  CHECK(words.take() == "copied");
  CHECK(counted::alive == 0);
}

TEST_CASE("a value whose move throws stays where it was") {
  const bool sends = GENERATE(true, false);
  const scheduler s;
  channel<counted> c;
  channel<counted> other;
  counted::reset();
  std::string trace;
  const tasklet partner = spawn([&] {
    if (sends) {
      CHECK(c.receive()->value == 7);
    } else {
      counted v(7);
      c.send(std::move(v));
      CHECK(v.value == -1);
    }
    trace += 'p';
  });
  yield();
  counted v(7);
  const auto meet = [&] {
    return sends ? select(other.receive_case(), c.send_case(std::move(v)))
                 : select(other.receive_case(), c.receive_case());
  };
  counted::throw_in = 0;
  CHECK_THROWS_AS(meet(), move_failed);
  CHECK(partner.blocked());
  CHECK(c.balance() == (sends ? -1 : 1));
  CHECK(other.balance() == 0);
  CHECK(v.value == 7);
  CHECK(meet() == 1);
  run();
  CHECK(trace == "p");
}

TEST_CASE("one that selects stays parked where its partner's move throws") {
  const bool sends = GENERATE(true, false);
  const scheduler s;
  channel<counted> c;
  channel<counted> other;
  counted::reset();
  const tasklet t = spawn([&] {
    CHECK((sends ? select(other.receive_case(), c.send_case(counted(1)))
                 : select(other.receive_case(), c.receive_case())) == 1);
  });
  yield();
  const auto meet = [&] { sends ? void(c.receive()) : c.send(counted(1)); };
  counted::throw_in = 0;
  CHECK_THROWS_AS(meet(), move_failed);
  if (channels_are_shared) yield();  // It looks again.
  CHECK(t.blocked());
  CHECK(c.balance() == (sends ? 1 : -1));
  CHECK(other.balance() == -1);
  meet();
  run();
  CHECK(!t.alive());
  CHECK(counted::alive == 0);
}

TEST_CASE("handlers run when all is settled, and what they throw comes out") {
  const scheduler s;
  channel<int> a;
  channel<int> b;
  std::string trace;
  spawn([&] { a.send(1); });
  spawn([&] { b.send(2); });
  spawn([&] { a.send(3); });
  CHECK_THROWS_AS(
      select(a.receive_case([&](int v) {
        trace += digits(std::size_t(v));
        CHECK(a.balance() == 0);
        CHECK(b.balance() == 0);
        // A select inside of a select, and of the same channels.
        select(a.receive_case().when(false),
               b.receive_case([&](int w) { trace += digits(std::size_t(w)); }));
        throw 7;
      })),
      int);
  select(a.receive_case([&](int v) { trace += digits(std::size_t(v)); }));
  CHECK(trace == "123");
}

// ---- switched off, or none at all

TEST_CASE("a case that is switched off is passed over") {
  const bool waits = GENERATE(true, false);
  const scheduler s;
  channel<int> a(1);
  channel<int> b;
  a.send(1);
  spawn([&] {
    CHECK(a.balance() == 0);
    b.send(2);
  });
  if (!waits) yield();
  auto in = a.receive_case();
  in.set_enabled(false);
  CHECK(!in.enabled());
  CHECK(select(in, b.receive_case(), default_case().when(false),
               timeout_case(0s).when(false)) == 1);
  in.set_enabled(true);
  CHECK(select(in, b.receive_case()) == 0);
  CHECK(select(in.when(false), default_case()) == 1);
}

TEST_CASE("where nothing could ever happen it is a deadlock", "[local]") {
  const scheduler s;
  channel<int> orders;
  channel<int> bills;
  orders.set_name("orders");
  CHECK_THROWS_AS(select(), deadlock_error);
  CHECK_THROWS_AS(select(orders.receive_case().when(false)), deadlock_error);
  std::vector<select_case*> none;
  CHECK_THROWS_AS(select(none), deadlock_error);
  try {
    select(orders.receive_case(), bills.send_case(1));
    FAIL();
  } catch (const deadlock_error& e) {
    const std::string text = e.what();
    INFO(text);
    CHECK(text.find("waits in select of receive on channel 'orders' at ") !=
          std::string::npos);
    CHECK(text.find(", send at ") != std::string::npos);
  }
  CHECK(orders.balance() == 0);
  CHECK(bills.balance() == 0);
}

// ---- several cases of one channel

TEST_CASE("several cases of one channel: the first in line happens") {
  const scheduler s;
  channel<int> c;
  spawn([&] {
    CHECK(c.balance() == -2);
    c.send(1);
  });
  CHECK(select(c.receive_case(), c.receive_case()) == 0);
  CHECK(c.balance() == 0);
  spawn([&] { CHECK(c.receive() == 2); });
  CHECK(select(c.send_case(2), c.send_case(3)) == 0);
  CHECK(c.balance() == 0);
}

TEST_CASE("both directions of one channel: a select never meets itself") {
  const bool sends = GENERATE(true, false);
  const scheduler s;
  channel<int> c;
  if (!channels_are_shared)
    CHECK_THROWS_AS(select(c.receive_case(), c.send_case(1)), deadlock_error);
  CHECK(c.balance() == 0);
  spawn([&] {
    CHECK(c.balance() == 0);
    if (sends)
      c.send(7);
    else
      CHECK(c.receive() == 1);
  });
  auto in = c.receive_case();
  CHECK(select(in, c.send_case(1)) == (sends ? 0 : 1));
  if (sends) CHECK(in.value() == 7);
  CHECK(c.balance() == 0);
}

TEST_CASE("those who select both directions of one channel meet in pairs") {
  const int n = GENERATE(2, 3, 4, 7);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const scheduler s;
  channel<int> c;
  c.set_preference(prefers);
  int sent = 0;
  int received = 0;
  std::vector<tasklet> all;
  for (int i = 0; i != n; ++i)
    all.push_back(spawn([&, i] {
      auto in = c.receive_case();
      if (select(c.send_case(i), in) == 0) {
        ++sent;
      } else {
        ++received;
        CHECK(in.value() != i);
      }
    }));
  run();
  CHECK(sent == n / 2);
  CHECK(received == n / 2);
  CHECK(c.balance() == 0);
  CHECK(s.live() == static_cast<std::size_t>(n % 2));
  for (const tasklet& t : all) t.kill();
}

// ---- law 3 and 4

TEST_CASE("preference decides, whichever side selects") {
  const bool first_sends = GENERATE(true, false);
  const bool first_selects = GENERATE(true, false);
  const bool second_selects = GENERATE(true, false);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const scheduler s;
  channel<int> c;
  channel<int> other;
  c.set_preference(prefers);
  std::string trace;
  const auto act = [&](bool sends, bool selects, char name) {
    if (!selects)
      sends ? c.send(1) : void(c.receive());
    else if (sends)
      select(other.receive_case(), c.send_case(1));
    else
      select(other.send_case(1), c.receive_case());
    trace += name;
  };
  spawn([&] { act(first_sends, first_selects, 'F'); });
  spawn([&] {
    spawn([&] { trace += 'A'; });
    act(!first_sends, second_selects, 'S');
  });
  run();
  const bool now =
      prefers == (first_sends ? preference::sender : preference::receiver);
  CHECK(trace == (now ? "FAS" : "SAF"));
  CHECK(other.balance() == 0);
}

TEST_CASE("one that selects stands in line like others") {
  const bool sends = GENERATE(true, false);
  const scheduler s;
  channel<int> c;
  channel<int> other;
  std::string trace;
  for (char name : {'a', 'B', 'c', 'D', 'e'})
    spawn([&, name] {
      const bool selects = name < 'a';
      if (!selects)
        sends ? c.send(name) : void(c.receive());
      else if (sends)
        select(c.send_case(name), other.receive_case());
      else
        select(c.receive_case(), other.receive_case());
      if (!sends) trace += name;
    });
  yield();
  CHECK(c.balance() == (sends ? 5 : -5));
  CHECK(other.balance() == -2);
  for (int i = 0; i != 5; ++i) {
    if (sends)
      trace += static_cast<char>(*c.receive());
    else
      c.send(1);
  }
  CHECK(trace == "aBcDe");
  CHECK(other.balance() == 0);
  run();
}

// ---- buffered channels

TEST_CASE("values of those who select move up into the buffer, in order") {
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const scheduler s;
  channel<int> c(2);
  channel<int> other;
  c.set_preference(prefers);
  for (int i : {0, 1}) CHECK(select(c.send_case(i), other.receive_case()) == 0);
  for (int i : {2, 3, 4})
    spawn([&, i] { select(other.receive_case(), c.send_case(i)); });
  yield();
  CHECK(c.balance() == 3);
  CHECK(other.balance() == -3);
  for (int i = 0; i != 5; ++i) {
    auto in = c.receive_case();
    CHECK(select(in, other.send_case(1).when(false)) == 0);
    CHECK(in.value() == i);
    CHECK(c.size() == static_cast<std::size_t>(i < 4 ? std::min(2, 4 - i) : 0));
  }
  CHECK(other.balance() == 0);
  run();
}

TEST_CASE("one that leaves several lines frees those behind it, after itself") {
  const scheduler s;
  channel<int> c(2);
  std::string trace;
  for (int i : {0, 1}) c.send(i);
  const tasklet first =
      spawn([&] { c.send_exception(std::make_exception_ptr(1)); });
  yield();
  spawn([&] { trace += digits(select(c.send_case(2), c.send_case(9))); });
  spawn([&] {
    c.send(3);
    trace += 'c';
  });
  yield();
  for (int i : {0, 1}) CHECK(c.receive() == i);
  CHECK(c.balance() == 4);
  first.kill();
  run();
  CHECK(trace == "0c");
  for (int i : {2, 3}) CHECK(c.receive() == i);
  CHECK(c.balance() == 0);
}

// ---- exceptions that are sent

TEST_CASE("a select gets what is sent by send_exception") {
  const bool waits = GENERATE(true, false);
  const auto capacity = GENERATE(0U, 2U);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const scheduler s;
  channel<int> c(capacity);
  channel<int> other;
  c.set_preference(prefers);
  spawn([&] { c.send_exception(std::make_exception_ptr(7)); });
  if (!waits) yield();
  CHECK_THROWS_AS(select(other.receive_case(), c.receive_case()), int);
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
  run();
  CHECK(s.live() == 0);
}

// ---- law 7

enum class blow { kill, kill_pending, exception, exception_pending };

TEST_CASE("kill and throw_exception end a select, which leaves no trace") {
  const blow how = GENERATE(blow::kill, blow::kill_pending, blow::exception,
                            blow::exception_pending);
  const bool served = GENERATE(true, false);
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<counted> c;
  channel<counted> other(1);
  c.set_preference(preference::neither);
  counted::reset();
  std::string trace;
  const tasklet t = spawn([&] {
    auto in = c.receive_case();
    try {
      select(other.receive_case(), in, c.send_case(counted(1)),
             timeout_case(1h));
    } catch (const tasklet_exit&) {
      trace += 'k';
      // What it got is gone already.
      CHECK(counted::alive == 0);
      throw;
    } catch (int) {
      trace += 'e';
      CHECK(counted::alive == 0);
    }
  });
  yield();
  if (served) c.send(counted(2));
  CHECK(counted::alive == (served ? 2 : 1));
  const auto what = std::make_exception_ptr(1);
  if (how == blow::kill) t.kill();
  if (how == blow::kill_pending) t.kill(pending);
  if (how == blow::exception) t.throw_exception(what);
  if (how == blow::exception_pending) t.throw_exception(what, pending);
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
  run();
  CHECK(trace == (how < blow::exception ? "k" : "e"));
  CHECK(counted::alive == 0);
  CHECK(clock.now().time_since_epoch() == 0s);
}

TEST_CASE("a kill that is due is raised by a select that could go on") {
  const scheduler s;
  channel<int> c(1);
  c.send(1);
  std::string trace;
  tasklet t = spawn([&] {
    {
      const shield on;
      t.kill();
      CHECK(select(c.receive_case(), default_case()) == 0);
      trace += 's';
    }
    select(default_case());
    trace += 'n';
  });
  run();
  CHECK(trace == "s");
}

TEST_CASE("a shield holds a kill back until the select is over") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const tasklet t = spawn([&] {
    const shield on;
    trace += digits(select(c.send_case(1), c.receive_case()));
  });
  yield();
  t.kill();
  CHECK(t.blocked());
  c.send(1);
  run();
  CHECK(trace == "1");
  CHECK(!t.alive());
}

TEST_CASE("clear() kills those who select") {
  const scheduler s;
  channel<int> c;
  channel<int> other;
  const tasklet t = spawn(
      [&] { select(c.send_case(1), other.receive_case(), c.receive_case()); });
  yield();
  CHECK(c.front() == t);
  CHECK(t.blocked());
  c.clear();
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
  run();
  CHECK(!t.alive());
}

// ---- law 10: traps

TEST_CASE("a block trap lets a select go on that need not wait") {
  const scheduler s;
  channel<int> c;
  channel<int> other;
  spawn([&] { c.send(1); });
  yield();
  const block_trap on;
  CHECK(select(other.receive_case(), c.receive_case()) == 1);
  CHECK(select(other.receive_case(), default_case()) == 1);
  CHECK(select(other.receive_case(), timeout_case(0s)) == 1);
  spawn([] {});
  CHECK_THROWS_AS(select(other.receive_case(), c.send_case(1)),
                  block_trap_error);
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
  run();
}

TEST_CASE("a switch trap fails a select whose partner would run at once") {
  const bool sends = GENERATE(true, false);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const scheduler s;
  channel<int> c;
  c.set_preference(prefers);
  const tasklet partner = spawn([&] { sends ? void(c.receive()) : c.send(1); });
  yield();
  const bool fails =
      prefers == (sends ? preference::receiver : preference::sender);
  const auto meet = [&] {
    return sends ? select(c.send_case(1), default_case())
                 : select(c.receive_case(), default_case());
  };
  {
    const switch_trap on;
    if (fails) {
      CHECK_THROWS_AS(meet(), switch_trap_error);
      CHECK(partner.blocked());
      CHECK(c.balance() == (sends ? -1 : 1));
    } else {
      CHECK(meet() == 0);
    }
  }
  if (fails) CHECK(meet() == 0);
  run();
  CHECK(c.balance() == 0);
}

// ---- law 13: callbacks

TEST_CASE("what the schedule callback lets happen, the select gets") {
  scheduler s;
  channel<int> c;
  channel<int> other;
  c.set_preference(preference::neither);
  const tasklet t = spawn([&] {
    auto in = c.receive_case();
    CHECK(select(other.receive_case(), in) == 1);
    CHECK(in.value() == 5);
  });
  spawn([] {});
  bool told = false;
  s.set_schedule_callback([&](tasklet from, tasklet) {
    if (from != t || told) return;
    told = true;
    CHECK(c.balance() == -1);
    CHECK(other.balance() == -1);
    c.send(5);
    CHECK(other.balance() == 0);
  });
  run();
  CHECK(told);
  CHECK(!t.alive());
  s.set_schedule_callback(nullptr);
}

TEST_CASE("the channel callback is told of what happens, or of all awaited") {
  const scheduler s;
  channel<int> a;
  channel<int> b(1);
  channel<int> closed;
  closed.close();
  std::string trace;
  const auto note = [&](any_channel ch, tasklet, bool sending,
                        bool will_block) {
    trace += ch == any_channel(a) ? 'a' : ch == any_channel(b) ? 'b' : 'c';
    trace += sending ? '!' : '?';
    trace += will_block ? 'w' : 'd';
    trace += ' ';
  };
  set_channel_callback(note);
  SECTION("one that happens at once") {
    CHECK(select(a.receive_case(), b.send_case(1)) == 1);
    CHECK(trace == "b!d ");
  }
  SECTION("all that are waited for, and then whoever comes") {
    spawn([&] { a.send(1); });
    CHECK(select(a.receive_case(), b.receive_case(),
                 b.send_case(1).when(false)) == 0);
    CHECK(trace == "a?w b?w a!d ");
  }
  SECTION("nothing, where only the default happens") {
    CHECK(select(a.receive_case(), default_case()) == 1);
    CHECK(trace.empty());
  }
  SECTION("nothing of a channel that is closed") {
    CHECK(select(closed.receive_case()) == 0);
    CHECK_THROWS_AS(select(closed.send_case(1)), channel_closed);
    CHECK(trace.empty());
  }
  set_channel_callback(nullptr);
}

TEST_CASE("what the channel callback throws fails a select") {
  const bool waits = GENERATE(true, false);
  const scheduler s;
  channel<int> a;
  channel<int> b(1);
  if (!waits) b.send(1);
  set_channel_callback([](any_channel, tasklet, bool, bool) { throw 7; });
  CHECK_THROWS_AS(select(a.receive_case(), b.receive_case()), int);
  set_channel_callback(nullptr);
  CHECK(a.balance() == 0);
  CHECK(b.balance() == 0);
  CHECK(b.size() == (waits ? 0 : 1));
}

TEST_CASE("a select looks afresh at what the channel callback has changed") {
  const scheduler s;
  channel<int> a(1);
  channel<int> b(1);
  SECTION("what would have happened cannot any more") {
    a.send(1);
    set_channel_callback([&](any_channel, tasklet, bool, bool) {
      set_channel_callback(nullptr);
      a.receive();
      b.send(2);
    });
    auto in = b.receive_case();
    CHECK(select(a.receive_case(), in) == 1);
    CHECK(in.value() == 2);
  }
  SECTION("something can happen now") {
    set_channel_callback([&](any_channel, tasklet, bool, bool) {
      set_channel_callback(nullptr);
      b.send(2);
    });
    CHECK(select(a.receive_case(), b.receive_case()) == 1);
  }
  CHECK(a.balance() == 0);
  CHECK(b.size() == 0);
}

// ---- ranges, views, signals

TEST_CASE("a range of cases, or of pointers to any") {
  const std::size_t n = GENERATE(1U, 2U, 16U, 17U, 40U);
  const bool waits = GENERATE(true, false);
  const scheduler s;
  std::deque<channel<int>> c(n);
  for (std::size_t i = 0; i != n; ++i) {
    spawn([&, i] { c[i].send(static_cast<int>(i)); });
    if (!waits) yield();
    std::vector<receive_case<int, no_handler>> cases;
    for (auto& each : c) cases.push_back(each.receive_case());
    CHECK(select(cases) == i);
    CHECK(cases[i].value() == static_cast<int>(i));

    spawn([&, i] { CHECK(c[i].receive() == 9); });
    if (!waits) yield();
    std::deque<send_case<int, no_handler>> sends;
    std::vector<select_case*> any;
    for (auto& each : c) any.push_back(&sends.emplace_back(each.send_case(9)));
    timeout_case late(1h);
    any.push_back(&late);
    CHECK(select(in_order, any) == i);
    for (auto& each : c) CHECK(each.balance() == 0);
  }
}

TEST_CASE("a select of up to 16 cases allocates nothing") {
  const std::size_t n = GENERATE(1U, 2U, 16U);
  const bool waits = GENERATE(true, false);
  const scheduler s;
  std::deque<channel<int>> c(n);
  std::vector<receive_case<int, no_handler>> cases;
  for (auto& each : c) cases.push_back(each.receive_case());
  spawn([&] { c.back().send(1); });
  if (!waits) yield();
  const std::size_t before = weft_test::allocations();
  const std::size_t which = select(cases);
  CHECK(weft_test::allocations() == before);
  CHECK(which == n - 1);
}

TEST_CASE("cases of a range have handlers, and may be selected again") {
  const scheduler s;
  channel<int> a(2);
  channel<int> b(2);
  std::string trace;
  auto ra = a.receive_case([&](int v) { trace += digits(std::size_t(v)); });
  auto rb = b.receive_case([&](int v) { trace += digits(std::size_t(v)); });
  std::vector<select_case*> both{&ra, &rb};
  for (int i : {1, 2}) a.send(i);
  b.send(3);
  for (int i = 0; i != 3; ++i) select(in_order, both);
  spawn([&] { b.send(4); });
  select(both);
  CHECK(trace == "1234");
}

TEST_CASE("views and signals have cases") {
  const scheduler s;
  channel<int> c(1);
  const sender<int> in(c);
  const receiver<int> out(c);
  CHECK(select(in.send_case(4)) == 0);
  int got = 0;
  CHECK(select(out.receive_case([&](int v) { got = v; })) == 0);
  CHECK(got == 4);

  channel<void> signal;
  std::string trace;
  spawn([&] { select(signal.send_case([&] { trace += 's'; })); });
  select(c.receive_case(), signal.receive_case([&] { trace += 'r'; }));
  run();
  CHECK(trace == "rs");
  signal.close();
  select(signal.receive_case([&](bool there) { trace += there ? 't' : 'f'; }));
  CHECK(trace == "rsf");
}

// ---- where there is no scheduler, or another's channel

TEST_CASE("a select fails as its operations do", "[local]") {
  channel<int> c;
  CHECK_THROWS_AS(select(c.receive_case()), no_scheduler);
  CHECK_THROWS_AS(select(default_case()), no_scheduler);
  CHECK_THROWS_AS(select(timeout_case(1s)), no_scheduler);
  const scheduler s;
  channel<int> bound;
  std::thread([&] {
    const scheduler other;
    CHECK(select(bound.receive_case(), default_case()) == 1);
  }).join();
  channel<int> mine(1);
  mine.send(1);
  CHECK_THROWS_AS(select(mine.receive_case(), bound.receive_case()),
                  wrong_scheduler);
  CHECK(mine.size() == 1);
}

}  // namespace
