// SPDX-License-Identifier: BSL-1.0
// Law 13 for the channel callback.
#include "weft/channel/channel_callback.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/channel/signal_channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/channel_kind.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::channel;
using weft_test::run;
using namespace std::chrono_literals;
using weft_test::counted;

struct refused : std::runtime_error {
  refused() : runtime_error("refused") {}
};

// An operation of every kind.
struct operation {
  const char* name;
  bool sends;
  bool tries;
  std::function<op_status(channel<counted>&, counted&)> make;
};

std::ostream& operator<<(std::ostream& out, const operation& o) {
  return out << o.name;
}

std::vector<operation> operations() {
  using channel_of = channel<counted>;
  return {
      {"send", true, false,
       [](channel_of& c, counted& v) {
         c.send(std::move(v));
         return op_status::done;
       }},
      {"send_for", true, false,
       [](channel_of& c, counted& v) { return c.send_for(1h, std::move(v)); }},
      {"try_send", true, true,
       [](channel_of& c, counted& v) { return c.try_send(std::move(v)); }},
      {"send_exception", true, false,
       [](channel_of& c, counted&) {
         c.send_exception(std::make_exception_ptr(7));
         return op_status::done;
       }},
      {"receive", false, false,
       [](channel_of& c, counted&) {
         return c.receive() ? op_status::done : op_status::closed;
       }},
      {"receive_for", false, false,
       [](channel_of& c, counted&) { return c.receive_for(1h).status(); }},
      {"try_receive", false, true,
       [](channel_of& c, counted&) { return c.try_receive().status(); }},
      {"take", false, false,
       [](channel_of& c, counted&) {
         c.take();
         return op_status::done;
       }},
      {"iteration", false, false,
       [](channel_of& c, counted&) {
         return c.begin() == c.end() ? op_status::closed : op_status::done;
       }},
  };
}

// Removes the callback at the end of a test.
struct watching {
  explicit watching(channel_callback f) { set_channel_callback(std::move(f)); }
  watching(const watching&) = delete;
  watching& operator=(const watching&) = delete;
  ~watching() { set_channel_callback(nullptr); }
};

TEST_CASE("it is told of an operation before that takes effect") {
  counted::reset();
  const bool waits_first = GENERATE(true, false);
  const auto capacity = GENERATE(0U, 2U);
  for (const operation& o : operations()) {
    INFO(o);
    if (waits_first && o.tries) continue;
    scheduler s;
    channel<counted> c(capacity);
    if (waits_first && o.sends)
      while (c.size() != c.capacity()) c.send(counted(0));
    if (!waits_first)
      spawn([&] {
        try {
          o.sends ? void(c.receive()) : c.send(counted(2));
        } catch (int) {
          // What send_exception has sent.
        }
      });
    s.run_n(10);
    const auto balance = c.balance();
    const auto size = c.size();
    const tasklet caller = spawn([&] {
      counted v(1);
      CHECK(o.make(c, v) == op_status::done);
    });
    int told = 0;
    const watching w(
        [&](any_channel which, tasklet by, bool sending, bool will_block) {
          ++told;
          CHECK(which == any_channel(c));
          CHECK(by == caller);
          CHECK(by == current());
          CHECK(sending == o.sends);
          CHECK(will_block == waits_first);
          CHECK(which.balance() == balance);
          CHECK(c.size() == size);
          set_channel_callback(nullptr);  // What serves the caller is not told.
        });
    s.run_n(10);
    CHECK(told == 1);
    CHECK(caller.alive() == waits_first);
    try {
      if (waits_first && o.sends)
        while (c.balance() != 0 || c.size() != 0)
          static_cast<void>(c.receive());
      else if (waits_first)
        c.send(counted(1));
    } catch (int) {
      // What send_exception has sent.
    }
    c.close();
    run();
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("what it throws fails the operation, and nothing has changed") {
  counted::reset();
  const bool waits_first = GENERATE(true, false);
  const auto capacity = GENERATE(0U, 2U);
  for (const operation& o : operations()) {
    INFO(o);
    if (waits_first && o.tries) continue;
    scheduler s;
    channel<counted> c(capacity);
    if (waits_first && o.sends)
      while (c.size() != c.capacity()) c.send(counted(0));
    tasklet partner;
    if (!waits_first)
      partner = spawn([&] {
        if (o.sends)
          CHECK(c.receive()->value == 5);
        else
          c.send(counted(5));
      });
    s.run_n(10);
    spawn([] {});
    const auto balance = c.balance();
    const auto size = c.size();
    {
      const watching w(
          [](any_channel, tasklet, bool, bool) { throw refused(); });
      counted v(1);
      for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(o.make(c, v), refused);
      CHECK(v.value == 1);
    }
    CHECK(c.balance() == balance);
    CHECK(c.size() == size);
    CHECK(s.runnable() == 1);
    CHECK(partner.blocked() == (balance != 0));
    if (!waits_first) {
      if (o.sends)
        c.send(counted(5));
      else
        CHECK(c.receive()->value == 5);
    }
    run();
    CHECK(s.live() == 0);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("it is not told of what does nothing") {
  const scheduler s;
  const auto capacity = GENERATE(0U, 1U);
  channel<int> c(capacity);
  int told = 0;
  const watching w([&](any_channel, tasklet, bool, bool) { ++told; });
  CHECK(c.try_receive().status() == op_status::would_block);
  CHECK(told == 0);
  if (capacity != 0) {
    c.send(1);
    CHECK(told == 1);
  }
  CHECK(c.try_send(2) == op_status::would_block);
  CHECK(told == static_cast<int>(capacity));
  c.close();
  CHECK_THROWS_AS(c.send(1), channel_closed);
  CHECK(c.try_send(1) == op_status::closed);
  CHECK(c.send_for(1h, 1) == op_status::closed);
  CHECK_THROWS_AS(c.send_exception(std::make_exception_ptr(1)), channel_closed);
  CHECK(told == static_cast<int>(capacity));
  // What a closed channel has still got is told.
  if (capacity != 0) CHECK(c.receive() == 1);
  CHECK(told == static_cast<int>(2 * capacity));
  CHECK(c.receive() == std::nullopt);
  CHECK(c.try_receive().status() == op_status::closed);
  CHECK_THROWS_AS(c.take(), channel_closed);
  CHECK(told == static_cast<int>(2 * capacity));
}

TEST_CASE("will_block is what happens") {
  scheduler s;
  channel<int> c(2);
  std::string told;
  const watching w([&](any_channel, tasklet, bool sending, bool will_block) {
    told += sending ? 's' : 'r';
    told += will_block ? '!' : '.';
  });
  const auto start = [&](auto f) {
    told.clear();
    const tasklet t = spawn(f);
    s.run_n(10);
    CHECK(t.alive() == (told.back() == '!'));
    return told;
  };
  const auto send = [&] { c.send(1); };
  const auto receive = [&] { static_cast<void>(c.receive()); };
  const auto fail = [&] { c.send_exception(std::make_exception_ptr(1)); };
  const auto receive_failure = [&] { CHECK_THROWS_AS(c.receive(), int); };
  CHECK(start(receive) == "r!");
  CHECK(start(send) == "s.");  // to a receiver
  CHECK(start(send) == "s.");  // into the buffer
  CHECK(start(fail) == "s!");  // is never buffered
  CHECK(start(send) ==
        "s!");  // waits behind the exception, though there is room
  CHECK(c.size() == 1);
  told.clear();
  CHECK(c.try_send(1) == op_status::would_block);
  CHECK(told.empty());
  CHECK(start(receive) == "r.");
  CHECK(start(receive_failure) == "r.");
  CHECK(c.size() == 1);  // What waited has moved up.
  CHECK(start(send) == "s.");
  CHECK(start(send) == "s!");  // full
  CHECK(start(receive) == "r.");
  CHECK(start(receive) == "r.");
  CHECK(start(receive) == "r.");
  CHECK(start(receive) == "r!");
  told.clear();
  spawn(fail);
  CHECK_THROWS_AS(s.run_n(10), int);
  CHECK(told == "s.");
}

// What the callback may do meanwhile. The operation is the first of main.
struct meanwhile {
  channel<int>& c;
  int told = 0;
  std::function<void()> then;
  watching w{[this](any_channel, tasklet, bool, bool) {
    if (then && told++ == 0) then();
  }};
};

TEST_CASE("after it the operation looks at the channel afresh") {
  scheduler s;
  const bool buffered = GENERATE(true, false);
  channel<int> c(buffered ? 1U : 0U);
  c.set_preference(preference::receiver);
  std::string trace;
  meanwhile m{c, 0, {}};

  SECTION("a partner comes for the send") {
    if (buffered) c.try_send(0);
    m.then = [&] {
      spawn([&] {
        while (const auto got = c.try_receive()) trace += 'd';
        CHECK(c.receive() == 7);
        trace += 'g';
      });
      yield();
    };
    c.send(7);
    trace += 'S';
    CHECK(trace == (buffered ? "dgS" : "gS"));
  }
  SECTION("a partner comes for the receive") {
    m.then = [&] {
      spawn([&] {
        c.send(7);
        trace += 's';
      });
      yield();
    };
    CHECK(c.receive() == 7);
    run();
    CHECK(trace == "s");
  }
  SECTION("the partner is killed") {
    const bool sends = GENERATE(true, false);
    if (!sends && buffered) c.try_send(0);
    const tasklet partner = spawn([&] {
      if (sends)
        c.receive();
      else
        c.send(1);
    });
    s.run_n(5);
    m.then = [&] {
      partner.kill();
      if (!sends) CHECK(c.try_receive().has_value() == buffered);
    };
    spawn([&] {
      sends ? void(trace += c.receive() == 7 ? 'g' : 'n') : c.send(7);
    });
    if (sends)
      c.send(7);
    else
      CHECK(c.receive() == 7);
    run();
    CHECK(trace == (sends ? "g" : ""));
    CHECK_FALSE(partner.alive());
  }
  SECTION("it closes the channel") {
    m.then = [&] { c.close(); };
    CHECK_THROWS_AS(c.send(7), channel_closed);
    CHECK(c.size() == 0);
  }
  SECTION("it closes the channel before a receive") {
    m.then = [&] { c.close(); };
    CHECK(c.receive() == std::nullopt);
  }
  SECTION("it closes the channel before a try_send to a receiver") {
    spawn([&] { CHECK(c.receive() == std::nullopt); });
    yield();
    m.then = [&] { c.close(); };
    CHECK(c.try_send(7) == op_status::closed);
    CHECK_THROWS_AS(c.send_exception(std::make_exception_ptr(1)),
                    channel_closed);
  }
  SECTION("it takes what was there") {
    spawn([&] {
      c.send(1);
      trace += 'a';
      c.send(2);
      trace += 'b';
    });
    s.run_n(5);
    m.then = [&] { CHECK(c.receive() == 1); };
    CHECK(c.receive() == 2);
    run();
    CHECK(trace == "ab");
  }
  SECTION("it sends to the receiver first") {
    spawn([&] {
      for (int v : c) trace += static_cast<char>('0' + v);
    });
    yield();
    m.then = [&] { c.send(1); };
    c.send(2);
    run();
    CHECK(trace == "12");
  }
  SECTION("it fills the buffer") {
    m.then = [&] {
      CHECK(c.try_send(1) ==
            (buffered ? op_status::done : op_status::would_block));
    };
    CHECK(c.send_for(0s, 2) == op_status::timed_out);
    if (buffered) CHECK(c.receive() == 1);
  }
  SECTION("it changes the preference") {
    spawn([&] {
      c.receive();
      trace += 'P';
    });
    yield();
    m.then = [&] { c.set_preference(preference::neither); };
    c.send(1);
    trace += 'C';
    run();
    CHECK(trace == "CP");
  }
  CHECK(m.told >= 1);
  m.then = [] {};
  c.close();
  run();
}

TEST_CASE("what it does itself is not told") {
  const scheduler s;
  channel<int> c(5);
  channel<void> other(1);
  int told = 0;
  const watching w([&](any_channel, tasklet, bool, bool) {
    ++told;
    other.send();
    other.receive();
    c.send(2);
  });
  c.send(1);
  CHECK(told == 1);
  CHECK(c.size() == 2);
  CHECK(c.receive() == 2);
  CHECK(told == 2);
}

TEST_CASE("it may replace or remove itself while it runs") {
  const scheduler s;
  channel<int> c(9);
  std::string trace;
  const auto alive = std::make_shared<char>('a');
  const bool removes = GENERATE(true, false);
  set_channel_callback([&trace, alive, removes](auto&&...) {
    const channel_callback next = [&trace](auto&&...) { trace += 'b'; };
    const channel_callback mine =
        set_channel_callback(removes ? nullptr : next);
    CHECK(mine);
    trace += *alive;  // What it has captured is there still.
  });
  CHECK(alive.use_count() == 2);
  c.send(1);
  c.send(2);
  CHECK(trace == (removes ? "a" : "ab"));
  CHECK(alive.use_count() == 1);
  CHECK(static_cast<bool>(set_channel_callback(nullptr)) == !removes);
  CHECK_FALSE(set_channel_callback(nullptr));
  c.send(3);
  CHECK(trace.size() == (removes ? 1 : 2));
}

TEST_CASE("while it is suspended the others use their channels untold") {
  const scheduler s;
  channel<int> c(1);
  channel<int> others;
  channel<void> gate;
  std::string told;
  const watching w([&](any_channel, tasklet t, bool, bool) {
    told += t.name();
    gate.receive();
  });
  spawn({.name = "a"}, [&] { c.send(1); });
  spawn({.name = "b"}, [&] { others.send(1); });
  spawn({.name = "c"}, [&] { CHECK(others.receive() == 1); });
  run();
  CHECK(told == "a");
  CHECK(c.size() == 0);
  CHECK(s.live() == 1);
  gate.send();
  run();
  CHECK(c.size() == 1);
  spawn({.name = "d"}, [&] { c.receive(); });
  run();
  CHECK(told == "ad");
  gate.send();
  run();
}

TEST_CASE("a kill inside it is one of the operation, which has not begun") {
  const scheduler s;
  const bool sends = GENERATE(true, false);
  channel<int> c;
  channel<void> gate;
  std::string trace;
  int told = 0;
  const watching w([&](any_channel, tasklet, bool, bool) {
    if (told++ == 0) gate.receive();
  });
  const tasklet t = spawn([&] {
    try {
      sends ? c.send(1) : static_cast<void>(c.receive());
    } catch (const tasklet_exit&) {
      trace += 'k';
      throw;
    }
  });
  run();
  SECTION("where it waits") { t.kill(); }
  SECTION("at its turn") {
    t.kill(pending);
    run();
  }
  CHECK(trace == "k");
  CHECK_FALSE(t.alive());
  CHECK(c.balance() == 0);
  CHECK(gate.balance() == 0);
  CHECK(c.send_for(0s, 1) == op_status::timed_out);
  CHECK(told == 2);
}

TEST_CASE("a tasklet that kills itself inside it does not make the operation") {
  const scheduler s;
  channel<int> c(1);
  const watching w([](any_channel, tasklet t, bool, bool) { t.kill(pending); });
  const tasklet t = spawn([&] { c.send(1); });
  run();
  CHECK_FALSE(t.alive());
  CHECK(c.size() == 0);
}

TEST_CASE("one whose receiver has been told of gets the value once") {
  // The callback of the receiver sends to it by way of another tasklet.
  counted::reset();
  const scheduler s;
  channel<counted> c;
  std::string trace;
  const watching w([&](any_channel, tasklet, bool sending, bool) {
    if (sending) return;
    spawn([&] {
      c.send(counted(1));
      trace += 's';
    });
    yield();
  });
  const tasklet t = spawn([&] {
    for (int i = 0; i < 3; ++i) trace += c.receive() ? 'r' : 'n';
  });
  run();
  CHECK(trace.size() == 6);
  CHECK_FALSE(t.alive());
  CHECK(counted::alive == 0);
}

TEST_CASE("channels of signals are told, too") {
  const scheduler s;
  channel<void> c(1);
  std::string told;
  const watching w([&](any_channel which, tasklet, bool sending, bool) {
    CHECK(which == c);
    told += sending ? 's' : 'r';
  });
  c.send();
  CHECK(c.receive());
  CHECK(told == "sr");
}

TEST_CASE("a thread without a scheduler has no callback to set") {
  CHECK_THROWS_AS(set_channel_callback(nullptr), no_scheduler);
}

}  // namespace
