// SPDX-License-Identifier: BSL-1.0
// Law 24: mailboxes and requests.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/tests/support/both_threads.h"
#include "weft/tests/support/counted.h"
#include "weft/tests/support/in_child.h"
#include "weft/weft.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::counted;
using weft_test::ending;
using weft_test::in_child;
using weft_test::refusal_of;
using weft_test::refused;
using weft_test::this_thread_text;

struct word {
  std::string text;
};
using square = request<int, int>;
using parcels = std::unique_ptr<counted>;

parcels parcel(int v) { return std::make_unique<counted>(v); }

TEST_CASE(
    "a message goes to the handler of its type, in the order of sending") {
  const scheduler s;
  mailbox<int, word, parcels> in;
  std::string trace;
  spawn([&] {
    while (in.receive([&](int n) { trace += std::to_string(n); },
                      [&](word&& w) { trace += w.text; },
                      [&](auto&&) { trace += '*'; })) {
    }
    trace += '.';
  });
  in.send(1);
  in.send(word{"a"});
  in.send(parcel(1));
  in.send(2);
  in.close();
  CHECK(trace.empty());
  run();
  CHECK(trace == "1a*2.");
  CHECK(counted::alive == 0);
}

TEST_CASE(
    "a sender to a full mailbox parks, and each one's messages stay in order") {
  const scheduler s;
  const auto capacity = GENERATE(as<std::size_t>(), 0, 1, 3);
  mailbox<std::pair<int, int>> in(capacity);
  for (int who : {0, 1, 2})
    spawn([&in, who] {
      for (int i = 0; i != 5; ++i) in.send(std::pair(who, i));
    });
  run();
  CHECK(in.size() == capacity);
  CHECK(in.balance() == 3);
  std::vector<int> next(3);
  for (int i = 0; i != 15; ++i)
    in.receive([&](std::pair<int, int> m) {
      CHECK(m.second == next[static_cast<std::size_t>(m.first)]++);
    });
  CHECK(next == std::vector<int>{5, 5, 5});
}

TEST_CASE("try_send and send_for leave the argument as it was when they fail") {
  counted::reset();
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mailbox<parcels> in(1);
  parcels first = parcel(1);
  parcels second = parcel(2);
  CHECK(in.try_send(std::move(first)) == op_status::done);
  CHECK(first == nullptr);  // NOLINT: moved from
  CHECK(in.try_send(std::move(second)) == op_status::would_block);
  REQUIRE(second != nullptr);
  CHECK(in.send_for(1s, std::move(second)) == op_status::timed_out);
  REQUIRE(second != nullptr);
  const tasklet t = spawn([&] { in.send(std::move(second)); });
  yield();
  t.kill();
  REQUIRE(second != nullptr);
  in.close();
  CHECK(in.try_send(std::move(second)) == op_status::closed);
  CHECK_THROWS_AS(in.send(std::move(second)), channel_closed);
  CHECK(second->value == 2);
  CHECK(in.receive().has_value());
  CHECK(!in.receive().has_value());
}

TEST_CASE("a mailbox that ends wakes its senders and its reader") {
  const scheduler s;
  auto in = std::make_unique<mailbox<int, word>>(1);
  std::string trace;
  const bool full = GENERATE(true, false);
  const bool choosing = GENERATE(true, false);
  if (full) in->send(1);
  const tasklet t = spawn([&] {
    try {
      if (full) {
        in->send(2);
      } else if (choosing) {
        if (!in->receive_only<word>()) trace += 'e';
      } else {
        if (!in->receive()) trace += 'e';
      }
    } catch (const channel_closed&) {
      trace += 'c';
    }
  });
  yield();
  in.reset();
  t.join();
  CHECK(trace == (full ? "c" : "e"));
}

TEST_CASE("a time-out of a receive loses no message") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mailbox<int, word> in;
  int got = 0;
  const auto take = [&](auto&&) { ++got; };
  CHECK(in.try_receive(take) == op_status::would_block);
  CHECK(in.receive_for(1s, take) == op_status::timed_out);
  spawn([&] {
    sleep_for(2s);
    in.send(1);
  });
  CHECK(in.receive_for(1s, take) == op_status::timed_out);
  CHECK(!in.receive_only_for<word>(5s));
  CHECK(in.size() == 1);
  CHECK(in.receive_for(1s, take) == op_status::done);
  CHECK(got == 1);
}

TEST_CASE(
    "a chosen message is the first that fits, and the others stay in order") {
  const scheduler s;
  const auto capacity = GENERATE(as<std::size_t>(), 0, 2, 8);
  mailbox<int, word> in(capacity);
  spawn([&] {
    for (int i = 1; i <= 3; ++i) in.send(i);
    in.send(word{"a"});
    in.send(4);
  });
  spawn([&] { in.send(word{"b"}); });
  std::string trace;
  const auto note = overloaded{[&](int n) { trace += std::to_string(n); },
                               [&](const word& w) { trace += w.text; }};
  // Of a mailbox with little room only one sender's next message is there.
  if (capacity == 8) {
    CHECK(in.receive_only<word>()->text == "a");
    CHECK(in.receive_if([](int n) { return n == 2; }, note));
    CHECK(trace == "2");
    for (int i = 0; i != 4; ++i) in.receive(note);
    CHECK(trace == "2134b");
  } else {
    CHECK(in.receive_only<word>()->text == "b");
    for (int i = 0; i != 5; ++i) in.receive(note);
    CHECK(trace == "123a4");
  }
  CHECK(in.try_receive(note) == op_status::would_block);
}

TEST_CASE("who chooses waits for what fits, though the mailbox is full") {
  const scheduler s;
  const auto capacity = GENERATE(as<std::size_t>(), 0, 1, 2);
  mailbox<int, word> in(capacity);
  std::string trace;
  const tasklet t = spawn([&] { trace += in.receive_only<word>()->text; });
  yield();
  for (int i : {1, 2, 3}) spawn([&in, i] { in.send(i); });
  run();
  CHECK(trace.empty());
  spawn([&] {
    in.send(word{"w"});
    trace += '!';
  });
  t.join();
  run();
  CHECK(trace == "w!");
  for (int i : {1, 2, 3}) CHECK(std::get<int>(*in.receive()) == i);
}

TEST_CASE(
    "one who chooses ends with a kill, an exception or close, and harms "
    "nobody") {
  const scheduler s;
  mailbox<int, word> in(4);
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      trace += in.receive_only<word>() ? 'w' : 'e';
    } catch (const tasklet_exit&) {
      trace += 'k';
      throw;
    } catch (int) {
      trace += 'x';
    }
  });
  yield();
  in.send(1);
  yield();
  const int how = GENERATE(0, 1, 2);
  if (how == 0) t.kill();
  if (how == 1) t.throw_exception(std::make_exception_ptr(1));
  if (how == 2) in.close();
  run();
  CHECK(trace == std::string(1, "kxe"[how]));
  if (how != 2) in.send(word{"after"});
  CHECK(std::get<int>(*in.receive()) == 1);
  CHECK(in.size() == (how == 2 ? 0 : 1));
}

TEST_CASE("two cannot choose from one mailbox at once") {
  const scheduler s;
  mailbox<int, word> in;
  spawn([&] { in.receive_only<word>(); });
  yield();
  CHECK_THROWS_AS(in.receive_only<int>(), error);
  in.send(word{});
  run();
  CHECK(in.size() == 0);
}

TEST_CASE("a message is a case of a select") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mailbox<int, word> in;
  channel<int> other;
  std::string trace;
  const auto choose = [&] {
    return select(in.receive_case([&](int) { trace += 'i'; },
                                  [&](const word& w) { trace += w.text; }),
                  other.receive_case([&](int) { trace += 'o'; }),
                  timeout_case(1s, [&] { trace += 't'; }));
  };
  CHECK(choose() == 2);
  in.send(word{"w"});
  CHECK(choose() == 0);
  spawn([&] { in.send(1); });
  CHECK(choose() == 0);
  spawn([&] { other.send(1); });
  CHECK(choose() == 1);
  CHECK(trace == "twio");
  in.close();
  CHECK_THROWS_AS(choose(), channel_closed);
}

TEST_CASE("what a handler throws comes out, and the message is gone") {
  const scheduler s;
  mailbox<int> in;
  in.send(1);
  CHECK_THROWS_AS(in.receive([](int) { throw std::logic_error("bad"); }),
                  std::logic_error);
  CHECK(in.size() == 0);
}

// ---- requests

TEST_CASE("who asks gets the reply, by the request's type or the reply's") {
  const scheduler s;
  const auto capacity = GENERATE(as<std::size_t>(), 0, 1);
  mailbox<word, square, request<void, word>> in(capacity);
  std::string trace;
  spawn([&] {
    while (in.receive([](const word&) {},
                      [](square q) {
                        auto [n] = q.body;
                        q.reply(n * n);
                      },
                      [&](request<void, word> q) {
                        trace += std::get<0>(q.body).text;
                        q.reply();
                      })) {
    }
  });
  CHECK(in.ask<square>(3) == 9);
  CHECK(in.ask<int>(4) == 16);
  in.ask<void>(word{"v"});
  CHECK(trace == "v");
  CHECK(in.ask_for<int>(1s, 5) == 25);
  CHECK(in.ask_for<void>(1s, word{"w"}));
  in.close();
  CHECK_THROWS_AS(in.ask<int>(1), channel_closed);
}

TEST_CASE(
    "fail() throws in the asker, and a request without an answer is an error") {
  const scheduler s;
  mailbox<square> in;
  const bool fails = GENERATE(true, false);
  spawn([&] {
    in.receive([&](square q) {
      if (fails) q.fail(std::make_exception_ptr(7));
      yield();
    });
  });
  if (fails)
    CHECK_THROWS_AS(in.ask<int>(1), int);
  else
    CHECK_THROWS_AS(in.ask<int>(1), error);
}

TEST_CASE("a mailbox that ends with a request in it is an error to the asker") {
  const scheduler s;
  auto in = std::make_unique<mailbox<square>>();
  spawn([&] { in.reset(); });
  CHECK_THROWS_AS(in->ask<int>(1), error);
}

TEST_CASE("a request is answered once") {
  const scheduler s;
  mailbox<square> in;
  std::optional<square> kept;
  spawn([&] {
    in.receive([&](square q) { kept.emplace(std::move(q)); });
    yield();
    CHECK(kept->wanted());
    kept->reply(1);
    CHECK(!kept->wanted());
    CHECK_THROWS_AS(kept->reply(2), error);
    CHECK_THROWS_AS(kept->fail(std::make_exception_ptr(3)), error);
  });
  CHECK(in.ask<int>(0) == 1);
  run();
}

TEST_CASE("a request is answered in the thread of its asker") {
  const scheduler s;
  mailbox<square> in;
  std::optional<square> kept;
  spawn([&] { in.receive([&](square q) { kept.emplace(std::move(q)); }); });
  const tasklet asker = spawn([&] { CHECK(in.ask<int>(0) == 1); });
  yield();
  yield();
  const std::string home = this_thread_text();
  bool ran = false;
  std::thread([&] {
    CHECK_THROWS_AS(kept->reply(2), wrong_scheduler);
    const scheduler other;
    CHECK_THAT(refusal_of([&] { kept->reply(2); }),
               Catch::StartsWith(refused("this request comes from", home)));
    CHECK_THROWS_AS(kept->fail(std::make_exception_ptr(3)), wrong_scheduler);
    ran = true;
  }).join();
  CHECK(ran);
  kept->reply(1);
  asker.join();
  // Nobody waits for it any more.
  std::thread([&] { kept.reset(); }).join();
}

TEST_CASE("a request that is dropped in another thread ends the program") {
  const ending e = in_child([] {
    const scheduler s;
    mailbox<square> in;
    std::optional<square> kept;
    spawn([&] { in.receive([&](square q) { kept.emplace(std::move(q)); }); });
    spawn([&] { in.ask<int>(0); });
    yield();
    yield();
    std::thread([&] { kept.reset(); }).join();
  });
  CHECK(e.by_signal(SIGABRT));
  CHECK_THAT(e.said,
             Catch::StartsWith("weft: a request was destroyed in another "
                               "thread while its asker waited for the answer"));
}

TEST_CASE("the reply to an asker that is gone goes nowhere") {
  counted::reset();
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  {
    using fetch = request<parcels, parcels>;
    mailbox<fetch> in;
    const bool killed = GENERATE(true, false);
    const bool taken = GENERATE(true, false);
    bool got = false;
    const tasklet asker =
        spawn([&] { got = in.ask_for<fetch>(1s, parcel(1)).has_value(); });
    yield();
    std::optional<fetch> kept;
    const auto keep = [&](fetch q) { kept.emplace(std::move(q)); };
    if (taken) in.receive(keep);
    if (killed)
      asker.kill();
    else
      asker.join();
    if (!taken) in.receive(keep);
    CHECK(!kept->wanted());
    CHECK(std::get<0>(kept->body)->value == 1);
    kept->reply(parcel(2));
    CHECK(!got);
    CHECK(!asker.alive());
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("an asker may go while the reply is made") {
  struct slow {
    explicit slow(int n) : number(n) { sleep_for(1h); }
    int number;
  };
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  using question = request<slow>;
  mailbox<question> in;
  bool wanted = true;
  spawn([&] {
    in.receive([&](question q) {
      q.reply(1);
      wanted = q.wanted();
    });
  });
  CHECK(!in.ask_for<question>(1s));
  run();
  CHECK(!wanted);
}

TEST_CASE("an asker's time passes while the mailbox is full") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mailbox<square> in(0);
  CHECK(!in.ask_for<int>(1s, 1));
  CHECK(in.balance() == 0);
}

TEST_CASE("the end of a scheduler loses no message and no request") {
  counted::reset();
  mailbox<parcels, square> in(2);
  {
    const scheduler s;
    for (int i = 0; i != 4; ++i) spawn([&in] { in.send(parcel(1)); });
    spawn([&in] { in.ask<int>(1); });
    run();
    CHECK(counted::alive == 4);
  }
  CHECK(counted::alive == 2);
}

TEST_CASE("a time-out that comes while others' messages do is not lost") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  mailbox<int, char> in;
  spawn([&] {
    for (;;) {
      sleep_for(500ms);
      in.send(1);
      if (clock.now().time_since_epoch() > 5s) return in.close();
    }
  });
  CHECK_FALSE(with_timeout(1s, [&] { in.receive_only<char>(); }));
  CHECK(clock.now().time_since_epoch() == 1s);
}

TEST_CASE("a clock may ask the mailbox that is about to be waited in") {
  struct asking : virtual_clock {
    clock::time_point now() noexcept override {
      if (of != nullptr) most = std::max(most, std::abs(of->balance()));
      return virtual_clock::now();
    }
    const mailbox<int, char>* of = nullptr;
    int most = 0;
  } clock;
  const scheduler s({.driver = &clock});
  mailbox<int, char> in;
  clock.of = &in;
  CHECK_FALSE(in.receive_only_for<char>(1s));
  in.send(1);
  CHECK_FALSE(in.receive_only_for<char>(1s));
  clock.of = nullptr;
  // One who chooses counts as nobody.
  CHECK(clock.most == 0);
  CHECK(clock.now().time_since_epoch() == 2s);
}

TEST_CASE("one who asks is not kept by a question that was only taken in") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  using question = request<int>;
  mailbox<int, question> in(1);
  in.send(1);
  spawn([&] {
    sleep_for(1s);
    in.receive_only<int>();  // Now the question fits in.
  });
  CHECK_FALSE(with_timeout(1s, [&] { in.ask<question>(); }));
}

}  // namespace
