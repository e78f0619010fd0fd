// SPDX-License-Identifier: BSL-1.0
// Laws 3, 4 and 7 where two meet in a channel: every pair of operations, with
// every preference, in every place.
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/channel/channel.h"
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

// What the channels carry: raw, by an optional, and counted.
template <typename T>
T make(int i) {
  if constexpr (std::is_same_v<T, std::unique_ptr<int>>)
    return std::make_unique<int>(i);
  else
    return T(i);
}
int read(int i) { return i; }
int read(const std::unique_ptr<int>& p) { return *p; }
int read(const counted& c) { return c.value; }

enum class act { send, receive, send_exception };
enum class manner { plainly, timed, trying };
enum class who { neither, first, second };

bool sends(act a) { return a != act::receive; }

// Makes the operation. Gives what was received, 0 where that is nothing, and
// minus what was thrown.
template <typename T>
int perform(channel<T>& c, act a, manner how, int value) {
  if (a == act::send_exception) {
    c.send_exception(std::make_exception_ptr(value));
    return 0;
  }
  if (a == act::send) {
    if (how == manner::plainly)
      c.send(make<T>(value));
    else if (how == manner::timed)
      CHECK(c.send_for(1h, make<T>(value)) == op_status::done);
    else
      CHECK(c.try_send(make<T>(value)) == op_status::done);
    return 0;
  }
  try {
    const auto got = how == manner::plainly ? c.receive()
                     : how == manner::timed
                         ? std::optional<T>(c.receive_for(1h))
                         : std::optional<T>(c.try_receive());
    return got ? read(*got) : 0;
  } catch (int thrown) {
    return -thrown;
  }
}

struct meeting {
  act first;
  act second;
  preference prefers;
  std::size_t capacity;
  who is_main;
  bool others;         // two more are queued
  bool changed_late;   // the preference, while the first waits
  manner first_waits;  // plainly or timed
  manner second_comes;

  friend std::ostream& operator<<(std::ostream& out, const meeting& m) {
    const auto number = [](auto e) { return static_cast<int>(e); };
    return out << "first " << number(m.first) << " second " << number(m.second)
               << " prefers " << number(m.prefers) << " capacity " << m.capacity
               << " main " << number(m.is_main) << " others " << m.others
               << " late " << m.changed_late << " waits "
               << number(m.first_waits) << " comes " << number(m.second_comes);
  }
};

std::vector<meeting> all_meetings() {
  constexpr std::pair<act, act> pairs[] = {{act::receive, act::send},
                                           {act::receive, act::send_exception},
                                           {act::send, act::receive},
                                           {act::send_exception, act::receive}};
  std::vector<meeting> all;
  for (const auto& [first, second] : pairs)
    for (preference p :
         {preference::receiver, preference::neither, preference::sender})
      for (std::size_t capacity : {0U, 1U, 2U})
        for (who is_main : {who::neither, who::first, who::second})
          for (int bits = 0; bits != 8; ++bits)
            for (manner m : {manner::plainly, manner::timed, manner::trying})
              all.push_back({first, second, p, capacity, is_main,
                             (bits & 1) != 0, (bits & 2) != 0,
                             (bits & 4) != 0 ? manner::timed : manner::plainly,
                             m});
  return all;
}

// Who went on in which order, each with how many were runnable then: F the
// first to come, S the second, A and B others.
template <typename T>
std::string meet(const meeting& m) {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  channel<T> c(m.capacity);
  c.set_preference(m.changed_late ? preference::neither : m.prefers);
  std::string trace;
  const auto note = [&](char name) {
    trace += name;
    trace += static_cast<char>('0' + s.runnable());
  };
  // A sender waits only where there is no room.
  int stored = 0;
  if (m.first == act::send)
    while (c.size() != c.capacity()) c.send(make<T>(11 + stored++));

  // What the second gets that receives, or the first.
  const int value = 7;
  const int thrown =
      m.first == act::send_exception || m.second == act::send_exception ? -1
                                                                        : 1;
  const auto first = [&] {
    const int got = perform(c, m.first, m.first_waits, value);
    note('F');
    if (!sends(m.first)) CHECK(got == thrown * value);
  };
  const auto second = [&] {
    CHECK(c.balance() == (sends(m.first) ? 1 : -1));
    c.set_preference(m.prefers);
    if (m.others)
      for (char name : {'A', 'B'}) spawn([&note, name] { note(name); });
    const int got = perform(c, m.second, m.second_comes, value);
    CHECK(c.balance() == 0);
    note('S');
    if (!sends(m.second)) CHECK(got == (stored != 0 ? 11 : thrown * value));
  };
  if (m.is_main == who::first) {
    spawn(second);
    first();
  } else {
    spawn(first);
    s.run_n(100);  // Unlike run(), it does not wait for the time.
    m.is_main == who::second ? second() : static_cast<void>(spawn(second));
  }
  s.run_n(100);
  CHECK(c.balance() == 0);
  CHECK(c.size() == static_cast<std::size_t>(stored));
  for (int i = 1; i < stored; ++i) CHECK(read(*c.receive()) == 11 + i);
  if (stored != 0) CHECK(read(*c.receive()) == value);
  return trace;
}

TEMPLATE_TEST_CASE("who goes on when two meet, in every case", "", int,
                   std::unique_ptr<int>, counted) {
  counted::reset();
  for (const meeting& m : all_meetings()) {
    INFO(m);
    const bool now = m.prefers == (sends(m.second) ? preference::receiver
                                                   : preference::sender);
    const char* expected = now ? (m.others ? "F3A2B1S0" : "F1S0")
                               : (m.others ? "S3A2B1F0" : "S1F0");
    CHECK(meet<TestType>(m) == expected);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a value moves once when two meet, twice by way of a buffer") {
  for (const meeting& m : all_meetings()) {
    if (m.first == act::send_exception || m.second == act::send_exception)
      continue;
    INFO(m);
    counted::reset();
    const scheduler s;
    channel<counted> c(m.capacity);
    c.set_preference(m.prefers);
    const bool buffered = m.first == act::send && m.capacity != 0;
    std::vector<std::unique_ptr<counted>> values;
    for (std::size_t i = 0; buffered && i != m.capacity; ++i)
      c.send(counted(1));
    counted::moves = 0;
    const auto take = [&] { CHECK(c.receive().has_value()); };
    const auto give = [&] {
      counted v(2);
      c.send(std::move(v));
      CHECK(v.value == -1);
    };
    m.first == act::send ? spawn(give) : spawn(take);
    run();
    m.second == act::send ? give() : take();
    run();
    while (c.size() != 0) take();
    const int before = buffered ? static_cast<int>(m.capacity) : 0;
    CHECK(counted::moves == (buffered ? 2 + before : 1));
    CHECK(counted::alive == 0);
  }
}

TEST_CASE("where nobody waits the caller does, and its successor runs") {
  const act a = GENERATE(act::send, act::receive, act::send_exception);
  const auto capacity = GENERATE(0U, 2U);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const bool as_main = GENERATE(true, false);
  const scheduler s;
  channel<int> c(capacity);
  c.set_preference(prefers);
  if (a == act::send)
    while (c.size() != c.capacity()) c.send(0);
  std::string trace;
  const auto caller = [&] {
    spawn([&] {
      trace += 'A';
      CHECK(c.balance() == (sends(a) ? 1 : -1));
      CHECK(s.runnable() == 1);
    });
    spawn([&] {
      trace += 'B';
      CHECK(s.runnable() == 0);
      sends(a) ? void(perform(c, act::receive, manner::plainly, 0)) : c.send(1);
    });
    perform(c, a, manner::plainly, 1);
    trace += 'C';
  };
  as_main ? caller() : static_cast<void>(spawn(caller));
  run();
  CHECK(trace == "ABC");
  CHECK(c.balance() == 0);
}

TEST_CASE("try_ operations that meet nobody change nothing") {
  const auto capacity = GENERATE(0U, 1U);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const scheduler s;
  channel<counted> c(capacity);
  c.set_preference(prefers);
  counted::reset();
  spawn([] {});
  CHECK(c.try_receive().status() == op_status::would_block);
  while (c.size() != c.capacity()) c.send(counted(1));
  counted v(2);
  CHECK(c.try_send(std::move(v)) == op_status::would_block);
  CHECK(v.value == 2);
  CHECK(c.balance() == 0);
  CHECK(c.size() == c.capacity());
  CHECK(s.runnable() == 1);
  run();
}

// ---- law 4

enum class leave { killed, killed_pending, thrown_at, thrown_at_pending, late };

TEST_CASE("those who wait are served in order, whoever leaves the middle") {
  const bool senders = GENERATE(true, false);
  const auto capacity = GENERATE(0U, 2U);
  const auto how =
      GENERATE(leave::killed, leave::killed_pending, leave::thrown_at,
               leave::thrown_at_pending, leave::late);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  constexpr int n = 6;
  for (int which = 0; which != 1 << n; ++which) {
    INFO("those who leave " << which);
    virtual_clock clock;
    scheduler s({.driver = &clock});
    channel<int> c(capacity);
    c.set_preference(prefers);
    if (senders)
      while (c.size() != c.capacity()) c.send(-1);
    std::string served;
    std::vector<tasklet> waiters;
    const auto leaves = [&](int i) { return (which >> i & 1) != 0; };
    for (int i = 0; i != n; ++i)
      waiters.push_back(spawn([&, i] {
        const auto time = how == leave::late && leaves(i) ? 1ms : 1h;
        try {
          if (senders) {
            if (c.send_for(time, i) != op_status::done) return;
          } else {
            const auto got = c.receive_for(time);
            if (!got) return;
            CHECK(*got == static_cast<int>(served.size()));
          }
        } catch (char) {
          return;
        }
        served += static_cast<char>('a' + i);
      }));
    while (c.balance() != (senders ? n : -n)) yield();
    std::string expected;
    int left = 0;
    // Backwards, so that places do not tell in which order they leave.
    for (int i = n - 1; i >= 0; --i) {
      if (!leaves(i)) continue;
      ++left;
      const tasklet& t = waiters[static_cast<std::size_t>(i)];
      const auto what = std::make_exception_ptr('x');
      if (how == leave::killed) t.kill();
      if (how == leave::killed_pending) t.kill(pending);
      if (how == leave::thrown_at) t.throw_exception(what);
      if (how == leave::thrown_at_pending) t.throw_exception(what, pending);
      if (how != leave::late)
        CHECK(c.balance() == (senders ? n - left : left - n));
    }
    if (how == leave::late) {
      clock.advance(2ms);
      for (int i = 0; i != 3; ++i) sleep_for(1ns);
    }
    CHECK(c.balance() == (senders ? n - left : left - n));
    for (int i = 0; i != n; ++i)
      if (!leaves(i)) expected += static_cast<char>('a' + i);
    std::string got;
    if (senders) {
      for (std::size_t i = 0; i != capacity; ++i) CHECK(c.receive() == -1);
      for (std::size_t i = 0; i != expected.size(); ++i)
        got += static_cast<char>('a' + *c.receive());
      CHECK(got == expected);
    } else {
      for (std::size_t i = 0; i != expected.size(); ++i) {
        c.send(static_cast<int>(i));
        s.run_n(100);  // Unlike run(), it does not wait for the time.
      }
    }
    run();
    CHECK(served == expected);
    CHECK(c.balance() == 0);
    CHECK(s.live() == 0);
  }
}

TEST_CASE("one that blocks again goes to the tail") {
  const bool senders = GENERATE(true, false);
  const scheduler s;
  channel<int> c;
  std::string trace;
  std::vector<tasklet> all;
  for (int i = 0; i != 3; ++i)
    all.push_back(spawn([&, i] {
      for (int left = 1; left >= 0;) try {
          senders ? c.send(i) : static_cast<void>(c.receive());
          trace += static_cast<char>('a' + i);
          --left;
        } catch (char) {
          trace += 'x';
        }
    }));
  run();
  all[0].throw_exception(std::make_exception_ptr('x'));
  CHECK(trace == "x");
  CHECK(c.front() == all[1]);
  std::string received;
  for (int i = 0; i != 6; ++i) {
    senders ? void(received += static_cast<char>('a' + *c.receive()))
            : c.send(i);
    run();
  }
  CHECK(trace == "xbcabca");
  if (senders) CHECK(received == "bcabca");
}

TEST_CASE("who waits meets by the preference that holds then") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&trace, &c, name] {
      c.receive();
      trace += name;
    });
  run();
  for (preference p :
       {preference::neither, preference::receiver, preference::sender}) {
    c.set_preference(p);
    c.send(1);
    trace += 'm';
  }
  run();
  // b runs at once, main goes behind a, and goes on before c.
  CHECK(trace == "mbammc");
}

// ---- law 7: a value that is handed over and not picked up

// What carries it: counted, and what its allocation is counted for.
using shared = std::shared_ptr<int>;

TEMPLATE_TEST_CASE("a value that is not picked up is destroyed exactly once",
                   "", counted, shared, int) {
  const auto capacity = GENERATE(0U, 1U, 2U);
  const auto how = GENERATE(leave::killed, leave::killed_pending,
                            leave::thrown_at, leave::thrown_at_pending);
  const manner waits = GENERATE(manner::plainly, manner::timed);
  counted::reset();
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  auto c = std::make_unique<channel<TestType>>(capacity);
  c->set_preference(preference::neither);
  std::string trace;
  const tasklet receiver = spawn([&] {
    try {
      const auto got = waits == manner::plainly
                           ? c->receive()
                           : std::optional<TestType>(c->receive_for(1h));
      trace += got ? 'g' : 'n';
    } catch (char) {
      trace += 'x';
    } catch (const tasklet_exit&) {
      trace += 'k';
      throw;
    }
  });
  while (c->balance() == 0) yield();
  shared watched = std::make_shared<int>(1);
  const std::weak_ptr<int> gone = watched;
  if constexpr (std::is_same_v<TestType, shared>)
    c->send(std::move(watched));
  else
    c->send(TestType(1));
  watched.reset();
  CHECK(c->balance() == 0);
  CHECK(c->size() == 0);
  CHECK(receiver.scheduled());
  const auto what = std::make_exception_ptr('x');
  if (how == leave::killed) receiver.kill();
  if (how == leave::killed_pending) receiver.kill(pending);
  if (how == leave::thrown_at) receiver.throw_exception(what);
  if (how == leave::thrown_at_pending) receiver.throw_exception(what, pending);
  run();
  CHECK(trace == (how < leave::thrown_at ? "k" : "x"));
  CHECK(gone.expired());
  CHECK(counted::alive == 0);
  CHECK(c->try_receive().status() == op_status::would_block);
}

TEST_CASE("a value that a killed sender has handed over arrives once") {
  const auto capacity = GENERATE(0U, 1U);
  const bool at_once = GENERATE(true, false);
  counted::reset();
  const scheduler s;
  channel<counted> c(capacity);
  c.set_preference(preference::neither);
  while (c.size() != c.capacity()) c.send(counted(0));
  bool killed = false;
  const tasklet sender = spawn([&] {
    try {
      c.send(counted(7));
    } catch (const tasklet_exit&) {
      killed = true;
      throw;
    }
  });
  run();
  const auto first = c.receive();
  CHECK(sender.scheduled());
  at_once ? sender.kill() : sender.kill(pending);
  run();
  CHECK(killed);
  if (capacity == 0)
    CHECK(first->value == 7);
  else
    CHECK(c.receive()->value == 7);
  CHECK(c.try_receive().status() == op_status::would_block);
  CHECK(counted::alive == 1);  // `first`
}

}  // namespace
