// SPDX-License-Identifier: BSL-1.0
// The laws of channels between threads. Those that hold in one scheduler, too,
// are tested where local channels are: see channel_kind.h.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/tests/support/both_threads.h"
#include "weft/tests/support/in_child.h"
#include "weft/weft.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::refused;
using weft_test::this_thread_text;

using box = std::unique_ptr<int>;

// Catch's assertions are for one thread. Another says here what it expects.
std::atomic<int> unexpected = 0;

void expect(bool is,
            std::source_location where = std::source_location::current()) {
  if (is) return;
  std::fprintf(stderr, "unexpected at line %u\n", where.line());
  ++unexpected;
}

template <typename E, typename F>
bool throws(F f) {
  try {
    f();
  } catch (const E&) {
    return true;
  }
  return false;
}
template <typename F>
bool throws(const char* what, F f) {
  try {
    f();
  } catch (const std::exception& e) {
    return std::string(e.what()).find(what) != std::string::npos;
  }
  return false;
}

// Another thread; its code is the main tasklet of a scheduler, or it has none.
class elsewhere {
 public:
  enum kind { with_scheduler, plainly };
  template <typename F>
  explicit elsewhere(F f, kind k = with_scheduler)
      : thread_([f = std::move(f), k]() mutable {
          std::optional<scheduler> s;
          if (k == with_scheduler) s.emplace();
          f();
        }) {}
  elsewhere(const elsewhere&) = delete;
  elsewhere& operator=(const elsewhere&) = delete;
  ~elsewhere() {
    thread_.join();
    CHECK(unexpected.exchange(0) == 0);
  }

 private:
  std::thread thread_;
};

template <typename Condition>
void spin_until(Condition c) {
  while (!c()) std::this_thread::yield();
}

// Until so many wait there: receivers count negative.
template <typename T>
void await(const channel<T>& c, int balance) {
  spin_until([&] { return c.balance() == balance; });
}

// Set by one thread, awaited by another, without a switch.
class flag {
 public:
  void set() { is_ = true; }
  void await() const {
    spin_until([this] { return is_.load(); });
  }

 private:
  std::atomic<bool> is_{false};
};

// ---- two meet

enum class manner { plainly, timed, trying };

void give(channel<box>& c, manner how, int value) {
  if (how == manner::plainly)
    c.send(std::make_unique<int>(value));
  else if (how == manner::timed)
    expect(c.send_for(1h, std::make_unique<int>(value)) == op_status::done);
  else
    expect(c.try_send(std::make_unique<int>(value)) == op_status::done);
}

int take(channel<box>& c, manner how) {
  const auto got = how == manner::plainly ? c.receive()
                   : how == manner::timed
                       ? std::optional<box>(c.receive_for(1h))
                       : std::optional<box>(c.try_receive());
  return got ? **got : -1;
}

TEST_CASE("two of different threads meet, whoever comes first, and however") {
  const bool sender_first = GENERATE(true, false);
  const auto first = GENERATE(manner::plainly, manner::timed);
  const auto second = GENERATE(manner::plainly, manner::timed, manner::trying);
  const auto there = GENERATE(elsewhere::with_scheduler, elsewhere::plainly);
  const bool here_plainly = GENERATE(true, false);
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  channel<box> c{shared};
  c.set_preference(prefers);
  std::atomic<int> got = 0;
  const elsewhere other(
      [&] {
        if (sender_first)
          give(c, first, 7);
        else
          got = take(c, first);
      },
      there);
  await(c, sender_first ? 1 : -1);
  std::optional<scheduler> s;
  if (!here_plainly) s.emplace();
  if (sender_first)
    got = take(c, second);
  else
    give(c, second, 7);
  spin_until([&] { return got != 0; });
  CHECK(got == 7);
  CHECK(c.balance() == 0);
}

TEST_CASE("between threads the caller goes on, whatever is preferred") {
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const bool sends = GENERATE(true, false);
  channel<int> c{shared};
  c.set_preference(prefers);
  const elsewhere other([&] { sends ? void(c.receive()) : c.send(1); });
  await(c, sends ? -1 : 1);
  const scheduler s;
  std::string trace;
  spawn([&] { trace += 'o'; });
  sends ? c.send(1) : static_cast<void>(c.receive());
  trace += 'c';
  run();
  CHECK(trace == "co");
}

TEST_CASE("who waits is served in the order of coming, across threads") {
  const bool senders = GENERATE(true, false);
  const std::size_t capacity = GENERATE(0U, 2U);
  constexpr int n = 6;
  channel<int> c{capacity, shared};
  std::atomic<int> served = 0;
  std::vector<std::unique_ptr<elsewhere>> all;
  if (senders)
    while (c.size() != c.capacity()) c.send(-1);
  for (int i = 0; i != n; ++i) {
    all.push_back(std::make_unique<elsewhere>(
        [&, i] {
          if (senders) {
            c.send(i);
          } else {
            expect(c.receive() == i);
            ++served;
          }
        },
        i % 2 == 0 ? elsewhere::with_scheduler : elsewhere::plainly));
    await(c, senders ? i + 1 : -i - 1);
  }
  if (senders)
    for (std::size_t i = 0; i != capacity; ++i) CHECK(c.receive() == -1);
  for (int i = 0; i != n; ++i) {
    if (senders)
      CHECK(c.receive() == i);
    else
      c.send(i);
  }
  all.clear();
  CHECK(served == (senders ? 0 : n));
}

TEST_CASE(
    "many send to many: each value arrives once, each sender's in order") {
  const std::size_t capacity = GENERATE(0U, 1U, 64U);
  constexpr int threads = 3;
  constexpr int each = 2000;
  channel<int> c{capacity, shared};
  std::vector<std::vector<int>> got(threads);
  {
    std::vector<std::unique_ptr<elsewhere>> receivers;
    for (auto& mine : got)
      receivers.push_back(std::make_unique<elsewhere>([&] {
        spawn([&] {
          for (int v : c) mine.push_back(v);
        });
        for (int v : c) mine.push_back(v);
        run();
      }));
    std::vector<std::unique_ptr<elsewhere>> senders;
    for (int t = 0; t != threads; ++t)
      senders.push_back(std::make_unique<elsewhere>(
          [&, t] {
            for (int i = 0; i != each; ++i) c.send(t * each + i);
          },
          t == 0 ? elsewhere::plainly : elsewhere::with_scheduler));
    senders.clear();
    c.close();
  }
  std::vector<int> count(std::size_t{threads} * each);
  for (const auto& some : got)
    for (int v : some) ++count[static_cast<std::size_t>(v)];
  CHECK(count == std::vector<int>(count.size(), 1));
}

TEST_CASE("one receiver gets what one thread sends in its order") {
  const std::size_t capacity = GENERATE(0U, 3U);
  const auto there = GENERATE(elsewhere::with_scheduler, elsewhere::plainly);
  channel<int> c{capacity, shared};
  const elsewhere other(
      [&] {
        for (int i = 0; i != 3000; ++i) c.send(i);
        c.close();
      },
      there);
  const scheduler s;
  int next = 0;
  for (int v : c) CHECK(v == next++);
  CHECK(next == 3000);
}

TEST_CASE("a signal goes between threads") {
  channel<void> ping{shared};
  channel<void> pong{2, shared};
  const elsewhere other([&] {
    while (ping.receive()) pong.send();
  });
  const scheduler s({.spin = 0ns});
  for (int i = 0; i != 1000; ++i) {
    ping.send();
    CHECK(pong.receive());
  }
  ping.close();
}

// ---- what happens before what

// One channel of any capacity as a lock. It is taken by a receive of the only
// value, or by a send to the only place that is free, and left by the opposite.
class channel_lock {
 public:
  channel_lock(std::size_t capacity, bool by_send)
      : c_(capacity, shared), by_send_(by_send) {
    for (std::size_t i = by_send ? capacity - 1 : 1; i != 0; --i) c_.send(0);
  }
  void lock(manner how) {
    if (how == manner::trying)
      spin_until([this] {
        return (by_send_ ? c_.try_send(0) : c_.try_receive().status()) ==
               op_status::done;
      });
    else
      by_send_ ? c_.send(0) : static_cast<void>(c_.receive());
  }
  void unlock() { by_send_ ? static_cast<void>(c_.receive()) : c_.send(0); }

 private:
  channel<int> c_;
  bool by_send_;
};

TEST_CASE("what was done before a lock was left is seen by who has it next") {
  const std::size_t capacity = GENERATE(1U, 3U);
  const bool by_send = GENERATE(false, true);
  const auto how = GENERATE(manner::plainly, manner::trying);
  const int threads = GENERATE(2, 3);
  constexpr int rounds = 10000;
  channel_lock l(capacity, by_send);
  int written = 0;  // not atomic
  int inside = 0;
  {
    std::vector<std::unique_ptr<elsewhere>> all;
    for (int t = 0; t != threads; ++t)
      all.push_back(std::make_unique<elsewhere>(
          [&] {
            for (int i = 0; i != rounds; ++i) {
              l.lock(how);
              expect(inside++ == 0);
              ++written;
              --inside;
              l.unlock();
            }
          },
          t == 0 ? elsewhere::plainly : elsewhere::with_scheduler));
  }
  CHECK(written == threads * rounds);
}

TEST_CASE("who gets a permit sees what was done before it was given back") {
  constexpr int permits = 3;
  constexpr int threads = 3;
  constexpr int tasklets = 2;  // in each
  constexpr int rounds = 5000;
  channel<int> c(permits, shared);
  std::vector<int> written(permits);  // not atomic; each permit is for one
  for (int i = 0; i != permits; ++i) c.send(i);
  {
    std::vector<std::unique_ptr<elsewhere>> all;
    for (int t = 0; t != threads; ++t)
      all.push_back(std::make_unique<elsewhere>([&] {
        for (int n = 0; n != tasklets; ++n)
          spawn([&] {
            for (int i = 0; i != rounds; ++i) {
              const int mine = *c.receive();
              ++written[static_cast<std::size_t>(mine)];
              if (i % 8 == 0) yield();
              c.send(mine);
            }
          });
        run();
      }));
  }
  CHECK(written[0] + written[1] + written[2] == threads * tasklets * rounds);
}

// (Go: the kth receive is synchronized before the completion of the k+Cth send.)
TEST_CASE("what was done before a receive is seen by the send it gives room") {
  const std::size_t capacity = GENERATE(1U, 2U, 3U);
  const auto how = GENERATE(manner::plainly, manner::trying);
  const auto there = GENERATE(elsewhere::with_scheduler, elsewhere::plainly);
  constexpr std::size_t values = 5000;
  channel<int> c(capacity, shared);
  std::vector<std::size_t> written(values);  // not atomic
  const elsewhere receiver(
      [&] {
        for (std::size_t i = 0; i != values; ++i) {
          written[i] = i + 1;
          c.receive();
        }
      },
      there);
  bool seen = true;
  const scheduler s;
  for (std::size_t i = 0; i != values; ++i) {
    if (how == manner::trying)
      spin_until([&] { return c.try_send(0) == op_status::done; });
    else
      c.send(0);
    if (i >= capacity) seen = seen && written[i - capacity] == i - capacity + 1;
  }
  CHECK(seen);
}

// ---- close, time, failure

TEST_CASE("close lets go of all receivers, in whatever thread they wait") {
  channel<int> c{shared};
  std::atomic<int> ended = 0;
  {
    const elsewhere one([&] {
      spawn([&] {
        expect(!c.receive());
        ++ended;
      });
      expect(select(c.receive_case(), timeout_case(1h)) == 0);
      ++ended;
      run();
    });
    const elsewhere two(
        [&] {
          expect(!c.receive());
          ++ended;
        },
        elsewhere::plainly);
    await(c, -3);
    c.close();
  }
  CHECK(ended == 3);
}

TEST_CASE("what waits in a closed channel is received, then nothing is") {
  const std::size_t capacity = GENERATE(0U, 2U);
  channel<box> c{capacity, shared};
  {
    const elsewhere one([&] {
      for (int i = 0; i != 4; ++i)
        spawn([&, i] { c.send(std::make_unique<int>(i)); });
      run();
    });
    await(c, 4 - static_cast<int>(capacity));
    c.close();
    box mine = std::make_unique<int>(9);
    CHECK_THROWS_AS(c.send(std::move(mine)), channel_closed);
    CHECK(c.try_send(std::move(mine)) == op_status::closed);
    CHECK(c.send_for(1h, std::move(mine)) == op_status::closed);
    CHECK(*mine == 9);
    CHECK_THROWS_AS(c.send_exception(std::make_exception_ptr(1)),
                    channel_closed);
    for (int i = 0; i != 4; ++i) CHECK(**c.receive() == i);
    CHECK_FALSE(c.receive());
    CHECK(c.try_receive().status() == op_status::closed);
    CHECK(c.receive_for(1h).status() == op_status::closed);
  }
}

TEST_CASE("whoever has waited long enough leaves, and keeps his value") {
  const auto here = GENERATE(elsewhere::with_scheduler, elsewhere::plainly);
  const std::size_t capacity = GENERATE(0U, 1U);
  channel<box> c{capacity, shared};
  const elsewhere one(
      [&] {
        expect(c.receive_for(1ms).status() == op_status::timed_out);
        expect(c.receive_until({}).status() == op_status::timed_out);
        while (c.size() != c.capacity()) c.send(nullptr);
        box mine = std::make_unique<int>(9);
        expect(c.send_for(1ms, std::move(mine)) == op_status::timed_out);
        expect(c.send_for(-1s, std::move(mine)) == op_status::timed_out);
        expect(c.try_send(std::move(mine)) == op_status::would_block);
        expect(*mine == 9);
        expect(c.balance() == 0);
      },
      here);
}

TEST_CASE("what send_exception sends is thrown by who receives elsewhere") {
  const bool sender_first = GENERATE(true, false);
  const auto there = GENERATE(elsewhere::with_scheduler, elsewhere::plainly);
  const bool selects = GENERATE(true, false);
  if (selects && there == elsewhere::plainly) return;
  const auto x = std::make_exception_ptr(std::runtime_error("x"));
  channel<int> c{shared};
  channel<int> other{shared};
  const auto receive = [&] {
    if (selects)
      expect(
          throws("x", [&] { select(other.receive_case(), c.receive_case()); }));
    else
      expect(throws("x", [&] { c.receive(); }));
  };
  if (sender_first) {
    const elsewhere sender([&] { c.send_exception(x); }, there);
    await(c, 1);
    const scheduler s;
    receive();
  } else {
    const elsewhere receiver(receive, there);
    await(c, -1);
    c.send_exception(x);
  }
  CHECK(c.balance() == 0);
}

// One of its moves throws, whichever thread makes it.
struct fragile {
  explicit fragile(int v) : number(v) {}
  fragile(fragile&& other) : number(other.number) {  // NOLINT: on purpose
    if (throw_in >= 0) {
      if (throw_in-- == 0) throw std::runtime_error("move");
    }
    other.number = -1;
  }
  fragile& operator=(fragile&&) = delete;
  int number;
  static inline std::atomic<int> throw_in = -1;  // after so many
};

TEST_CASE("a move that throws fails the caller, and the other waits on") {
  const bool sends = GENERATE(true, false);
  const bool selects = GENERATE(true, false);
  channel<fragile> c{shared};
  channel<int> never{shared};
  std::atomic<int> got = 0;
  const elsewhere other([&] {
    fragile mine(7);
    if (selects) {
      auto in = c.receive_case();
      auto out = c.send_case(std::move(mine));
      in.when(sends);
      out.when(!sends);
      expect(select(never.receive_case(), in, out) == (sends ? 1 : 2));
      if (sends) got = in.value()->number;
    } else if (sends) {
      got = c.receive()->number;
    } else {
      c.send(std::move(mine));
    }
  });
  await(c, sends ? -1 : 1);
  fragile mine(7);
  fragile::throw_in = 0;
  if (sends) {
    CHECK_THROWS_WITH(c.send(std::move(mine)), "move");
    CHECK(mine.number == 7);
  } else {
    CHECK_THROWS_WITH(c.receive(), "move");
  }
  await(c, sends ? -1 : 1);
  if (sends)
    c.send(std::move(mine));
  else
    CHECK(c.receive()->number == 7);
  if (sends) spin_until([&] { return got == 7; });
}

TEST_CASE("a move into the buffer that throws fails its sender, elsewhere") {
  channel<fragile> c{1, shared};
  c.send(fragile(1));
  const elsewhere other([&] {
    fragile mine(2);
    expect(throws("move", [&] { c.send(std::move(mine)); }));
    expect(mine.number == 2);
  });
  await(c, 1);
  fragile::throw_in = 1;  // The first move is to the receiver.
  CHECK(c.receive()->number == 1);
  CHECK(c.try_receive().status() == op_status::would_block);
}

// ---- what ends a wait from outside, while another thread serves it or not

enum class blow { kill, kill_pending, exception, exception_pending, hour, end };

// Parked in c: a receiver, a sender, or one that selects the same and more.
struct waiter {
  channel<box>& c;
  channel<box>& other;
  bool sends;
  bool selects;

  // "v" with a value, "s" sent, "x" thrown, "k" killed, "l" late.
  std::string outcome;
  box mine = std::make_unique<int>(7);

  void wait() {
    try {
      outcome = selects ? choose() : meet();
    } catch (char) {
      outcome = "x";
    } catch (const tasklet_exit&) {
      outcome = "k";
      throw;
    }
  }

 private:
  std::string meet() {
    if (sends)
      return c.send_for(1h, std::move(mine)) == op_status::done ? "s" : "l";
    return c.receive_for(1h) ? "v" : "l";
  }
  std::string choose() {
    auto in = c.receive_case();
    auto out = c.send_case(std::move(mine));
    in.when(!sends);
    out.when(sends);
    switch (select(other.receive_case(), in, out, timeout_case(1h))) {
      case 1:
        CHECK(in.value());
        return "v";
      case 2:
        return "s";
      default:
        return "l";
    }
  }
};

void strike(blow how, const tasklet& t, manual_clock& clock) {
  const auto what = std::make_exception_ptr('x');
  switch (how) {
    case blow::kill:
      return t.kill();
    case blow::kill_pending:
      return t.kill(pending);
    case blow::exception:
      return t.throw_exception(what);
    case blow::exception_pending:
      return t.throw_exception(what, pending);
    case blow::hour:
      return clock.advance(2h);
    case blow::end:
      return;
  }
}

TEST_CASE("what ends a wait in a shared channel leaves no trace of it") {
  const bool sends = GENERATE(true, false);
  const bool selects = GENERATE(true, false);
  const auto how = GENERATE(blow::kill, blow::kill_pending, blow::exception,
                            blow::exception_pending, blow::hour, blow::end);
  channel<box> c{shared};
  channel<box> other{shared};
  waiter w{c, other, sends, selects, {}};
  {
    manual_clock clock;
    scheduler s({.driver = &clock});
    const tasklet t = spawn([&] { w.wait(); });
    yield();
    CHECK(t.blocked());
    strike(how, t, clock);
    if (how != blow::end) s.run_n(10);
  }
  const bool killed = how != blow::exception &&
                      how != blow::exception_pending && how != blow::hour;
  CHECK(w.outcome == (killed ? "k" : how == blow::hour ? "l" : "x"));
  CHECK(w.mine);
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
  CHECK(c.try_send(nullptr) == op_status::would_block);
}

// The other thread has served it, and its own does not know yet.
TEST_CASE("what comes after another thread has served a wait is too late") {
  const bool sends = GENERATE(true, false);
  const bool selects = GENERATE(true, false);
  const auto how = GENERATE(blow::kill, blow::kill_pending, blow::exception,
                            blow::exception_pending, blow::hour, blow::end);
  channel<box> c{shared};
  channel<box> other{shared};
  waiter w{c, other, sends, selects, {}};
  flag waits;
  flag served;
  const std::shared_ptr<int> watched = std::make_shared<int>(1);
  const elsewhere server([&] {
    waits.await();
    if (sends)
      expect(**c.try_receive() == 7);
    else
      expect(c.try_send(std::make_unique<int>(8)) == op_status::done);
    served.set();
  });
  {
    manual_clock clock;
    scheduler s({.driver = &clock});
    const tasklet t = spawn([&] { w.wait(); });
    yield();
    waits.set();
    served.await();
    CHECK(t.blocked());
    strike(how, t, clock);
    if (how != blow::end) s.run_n(10);
  }
  // It has got what it waited for; but something else is raised in it.
  if (how == blow::hour)
    CHECK(w.outcome == (sends ? "s" : "v"));
  else
    CHECK(
        w.outcome ==
        (how == blow::exception || how == blow::exception_pending ? "x" : "k"));
  CHECK(!w.mine == sends);
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
}

TEST_CASE("an exception that came from elsewhere precedes a kill") {
  channel<int> c{shared};
  flag waits;
  flag served;
  const elsewhere server([&] {
    waits.await();
    c.send_exception(std::make_exception_ptr('x'));
    served.set();
  });
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      c.receive();
    } catch (char) {
      trace += 'x';
    }
    yield();
    trace += '!';
  });
  yield();
  waits.set();
  served.await();
  t.kill(pending);
  run();
  CHECK(trace == "x");
}

TEST_CASE(
    "a limit of time, or a scope's end, ends a wait in a shared channel") {
  const bool sends = GENERATE(true, false);
  channel<int> c{shared};
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  CHECK_FALSE(with_timeout(1s, [&] {
    sends ? c.send(1) : static_cast<void>(c.receive());
    return 1;
  }));
  CHECK(c.balance() == 0);
}

TEST_CASE("a shield holds a kill back until another thread serves the wait") {
  channel<int> c{shared};
  const elsewhere server([&] {
    await(c, -1);
    spin_until([&] { return c.get_preference() == preference::neither; });
    c.send(7);
  });
  const scheduler s;
  int got = 0;
  const tasklet t = spawn([&] {
    {
      const shield on;
      got = *c.receive();
    }
    yield();
    got = -1;
  });
  yield();
  t.kill(pending);
  c.set_preference(preference::neither);
  run();
  CHECK(got == 7);
}

TEST_CASE("a scheduler ends, and who waits elsewhere is served by others") {
  channel<int> c{shared};
  std::atomic<int> got = 0;
  const elsewhere receiver([&] { got = *c.receive(); });
  await(c, -1);
  {
    const scheduler s;
    for (int i = 0; i != 3; ++i) spawn([&] { c.receive(); });
    yield();
    CHECK(c.balance() == -4);
  }
  CHECK(c.balance() == -1);
  c.send(5);
  spin_until([&] { return got == 5; });
}

TEST_CASE("the end of a shared channel lets its own thread's tasklets go on") {
  const scheduler s;
  std::string trace;
  auto c = std::make_unique<channel<int>>(shared);
  auto d = std::make_unique<channel<int>>(shared);
  channel<int> other{shared};
  spawn([&trace, &c = *c] { trace += c.receive() ? '!' : 'r'; });
  spawn([&, &c = *c] {
    CHECK(select(other.receive_case(), c.receive_case()) == 1);
    trace += 'R';
  });
  spawn([&trace, &d = *d] {
    CHECK_THROWS_WITH(d.send(1), Catch::Contains("destroyed"));
    trace += 's';
  });
  yield();
  c.reset();
  d.reset();
  CHECK(trace.empty());
  run();
  CHECK(trace == "rRs");
  CHECK(other.balance() == 0);
}

TEST_CASE("those who sleep get their turn after mail has woken somebody") {
  const scheduler s;
  channel<int> c(shared);
  bool slept = false;
  spawn([&] {
    sleep_for(2ms);
    slept = true;
  });
  const elsewhere sender([&] { c.send(1); });
  CHECK(c.receive() == 1);
  while (!slept) yield();
}

TEST_CASE("a partner that is always faster keeps nobody from their turn") {
  const scheduler s;
  channel<int> c(8, shared);
  channel<int> aside(1, shared);
  const bool sends = GENERATE(false, true);
  const bool selects = GENERATE(false, true);
  std::atomic<bool> enough{false};
  const elsewhere partner([&] {
    while (!enough)
      if (sends)
        static_cast<void>(c.try_receive());
      else
        c.try_send(1);
  });
  bool slept = false;
  int turns = 0;
  spawn([&] {
    sleep_for(2ms);
    slept = true;
  });
  const tasklet busy = spawn([&] {
    for (;; ++turns) {
      static_cast<void>(aside.try_send(1));  // never waits, and counts for none
      if (selects)
        sends ? select(c.send_case(1)) : select(c.receive_case());
      else if (sends)
        c.send(1);
      else
        c.receive();
      for (int i = 0; i != 50; ++i) relax();
    }
  });
  while (!slept || turns < 1000) yield();
  const elsewhere killer([&] { busy.kill(); });
  busy.join();
  enough = true;
}

TEST_CASE("a partner that is a little slower keeps nobody from their turn") {
  const scheduler s;
  channel<int> c(8, shared);
  const bool sends = GENERATE(false, true);
  std::atomic<bool> enough{false};
  const elsewhere partner([&] {
    while (!enough) {
      if (sends)
        static_cast<void>(c.try_receive());
      else
        c.try_send(1);
      for (int i = 0; i != 50; ++i) relax();
    }
  });
  const tasklet busy = spawn([&] {
    for (;;) {
      if (sends)
        c.send(1);
      else
        c.receive();
    }
  });
  for (int i = 0; i != 5; ++i) sleep_for(1ms);
  busy.kill();
  enough = true;
}

TEST_CASE("a time that has long passed is no reason to linger") {
  const scheduler s;
  channel<int> c(2, shared);
  const auto long_ago = std::chrono::steady_clock::time_point::min();
  CHECK(c.receive_until(long_ago).status() == op_status::timed_out);
  CHECK(c.receive_for(std::chrono::nanoseconds::min()).status() ==
        op_status::timed_out);
  c.send(1);
  c.send(2);
  CHECK(c.send_until(long_ago, 3) == op_status::timed_out);
  CHECK(c.send_for(-1h, 3) == op_status::timed_out);
  CHECK(c.size() == 2);
}

TEST_CASE("to destroy one while others wait there stops the program") {
  const auto end = weft_test::in_child([] {
    auto c = std::make_unique<channel<int>>(shared);
    const elsewhere receiver([&c = *c] { c.receive(); });
    await(*c, -1);
    c.reset();
  });
  CHECK(end.by_signal(SIGABRT));
  CHECK_THAT(end.said, Catch::Contains("a shared channel was destroyed while "
                                       "tasklets of other threads waited"));
}

TEST_CASE("clear() kills those of its own thread who wait") {
  const scheduler s;
  channel<int> c{shared};
  channel<int> other{shared};
  const tasklet a = spawn([&] { c.send(1); });
  const tasklet b =
      spawn([&] { select(other.receive_case(), c.send_case(1)); });
  yield();
  c.clear();
  run();
  CHECK_FALSE(a.alive());
  CHECK_FALSE(b.alive());
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
}

// ---- traps and callbacks

TEST_CASE("a block trap fails what would wait, and no more") {
  channel<int> c{shared};
  channel<int> other{shared};
  const scheduler s;
  {
    const block_trap on;
    CHECK_THROWS_AS(c.send(1), block_trap_error);
    CHECK_THROWS_AS(c.receive(), block_trap_error);
    CHECK_THROWS_AS(c.receive_for(1h), block_trap_error);
    CHECK_THROWS_AS(c.send_exception(std::make_exception_ptr(1)),
                    block_trap_error);
    CHECK_THROWS_AS(select(c.receive_case(), other.send_case(1)),
                    block_trap_error);
  }
  CHECK(c.balance() == 0);
  CHECK(other.balance() == 0);
  const elsewhere receiver([&] { expect(c.receive() == 2); });
  await(c, -1);
  const block_trap on;
  c.send(2);
}

TEST_CASE("a switch trap lets meet those of other threads only") {
  channel<int> c{shared};
  channel<int> other{shared};
  const scheduler s;
  std::string trace;
  spawn([&] {
    CHECK(c.receive() == 1);
    trace += 'r';
  });
  yield();
  {
    const switch_trap on;
    CHECK_THROWS_AS(c.send(1), switch_trap_error);
    CHECK_THROWS_AS(select(c.send_case(1), other.receive_case()),
                    switch_trap_error);
    CHECK_THROWS_AS(other.receive(), switch_trap_error);
  }
  CHECK(c.balance() == -1);
  CHECK(other.balance() == 0);
  c.send(1);
  CHECK(trace == "r");
  const elsewhere receiver([&] { expect(c.receive() == 2); });
  await(c, -1);
  const switch_trap on;
  c.send(2);
}

TEST_CASE("the callback is told of its own thread's operations") {
  channel<int> c{shared};
  const scheduler s;
  std::string trace;
  set_channel_callback(
      [&](any_channel, const tasklet&, bool sending, bool will_block) {
        trace += sending ? 's' : 'r';
        trace += will_block ? 'W' : '-';
      });
  const elsewhere other([&] {
    expect(c.receive() == 1);
    c.send(2);
  });
  await(c, -1);
  c.send(1);
  await(c, 1);
  CHECK(c.receive() == 2);
  CHECK(trace == "s-r-");
}

TEST_CASE("of a select the callback is told what happens then") {
  for (unsigned seed = 0; seed != 50; ++seed) {
    const scheduler s({.seed = seed});
    channel<int> a{1, shared};
    channel<int> b{1, shared};
    a.send(1);
    b.send(2);
    std::size_t told = 2;
    set_channel_callback([&](const any_channel& of, const tasklet&, bool,
                             bool) { told = of == a ? 0 : 1; });
    CHECK(select(a.receive_case(), b.receive_case()) == told);
  }
}

// ---- select

TEST_CASE("a select waits for channels of its own thread and of others") {
  channel<int> wide{shared};
  channel<int> answers{shared};
  const elsewhere other([&] {
    for (int i = 0; i != 100; ++i) {
      wide.send(i);
      expect(answers.receive() == i);
    }
  });
  const scheduler s;
  channel<int> local;
  event go;
  spawn([&] {
    for (int i = 0; i != 100; ++i) local.send(1000 + i);
    go.set();
  });
  int next_wide = 0;
  int next_local = 1000;
  std::optional<int> answer;
  while (next_wide != 100 || answer || !go.is_set()) {
    const int value = answer.value_or(0);
    auto in = wide.receive_case();
    auto near = local.receive_case();
    auto out = answers.send_case(value);
    in.when(!answer && next_wide != 100);
    near.when(next_local != 1100);
    out.when(answer.has_value());
    auto set = go.wait_case();
    set.when(next_local == 1100 && !go.is_set());
    switch (select(in, near, out, set)) {
      case 0:
        answer = in.value();
        CHECK(answer == next_wide++);
        break;
      case 1:
        CHECK(near.value() == next_local++);
        break;
      case 2:
        answer.reset();
        break;
      default:
        break;
    }
  }
}

TEST_CASE("whatever a select waits for besides, one thing happens") {
  channel<int> c{shared};
  manual_clock clock;
  scheduler s({.driver = &clock});
  event happened;
  mutex m;
  semaphore permits{0};
  promise<int> made;
  const future<int> later = made.get_future();
  const tasklet worker = spawn([] { suspend(); });
  m.lock();
  std::deque<channel<int>> more;
  for (int i = 0; i != 20; ++i) more.emplace_back(shared);
  std::size_t which = 100;
  const tasklet t = spawn([&] {
    auto in = c.receive_case();
    auto set = happened.wait_case();
    auto locked = m.lock_case();
    auto permit = permits.acquire_case();
    auto ready = later.wait_case();
    auto ended = worker.join_case();
    timeout_case late(1h);
    std::vector<select_case*> all{&in,    &set,   &locked, &permit,
                                  &ready, &ended, &late};
    std::deque<decltype(in)> others;
    for (auto& each : more)
      all.push_back(&others.emplace_back(each.receive_case()));
    which = select(all);
    if (which == 2) m.unlock();
  });
  s.run_n(100);
  CHECK(c.balance() == -1);
  CHECK(more.back().balance() == -1);
  const auto how = GENERATE(range(0U, 8U));
  switch (how) {
    case 0: {
      const elsewhere other([&] { c.send(1); }, elsewhere::plainly);
      break;
    }
    case 1:
      happened.set();
      break;
    case 2:
      m.unlock();
      break;
    case 3:
      permits.release();
      break;
    case 4:
      made.set_value(1);
      break;
    case 5:
      worker.kill();
      break;
    case 6:
      clock.advance(2h);
      break;
    default: {
      const elsewhere other([&] { more.back().send(1); }, elsewhere::plainly);
      break;
    }
  }
  while (t.alive()) s.run_n(100);
  CHECK(which == (how == 7 ? 26 : how));
  CHECK(c.balance() == 0);
  for (const auto& each : more) CHECK(each.balance() == 0);
  if (how != 2) m.unlock();
}

TEST_CASE("a default case, or a time that has passed, does not wait") {
  const scheduler s;
  channel<int> c{shared};
  CHECK(select(c.receive_case(), default_case()) == 1);
  CHECK(select(c.receive_case(), timeout_case(0s)) == 1);
  CHECK(select(c.send_case(1), timeout_case(1ms)) == 1);
  CHECK(c.balance() == 0);
}

TEST_CASE("selects of two threads meet, and each gets one thing") {
  constexpr int each = 5000;
  channel<int> a{shared};
  channel<int> b{shared};
  std::atomic<int> sum = 0;
  std::atomic<int> meetings = 0;
  const auto play = [&](channel<int>& from, channel<int>& to) {
    for (int i = 0; i != each; ++i) {
      auto in = from.receive_case();
      if (select(in, to.send_case(i)) == 0) {
        sum += *in.value();
        ++meetings;
      } else {
        sum -= i;
      }
    }
  };
  SECTION("in two channels") {
    const elsewhere other([&] { play(b, a); });
    const scheduler s;
    play(a, b);
  }
  SECTION("in both directions of one") {
    const elsewhere other([&] { play(a, a); });
    const scheduler s;
    play(a, a);
  }
  CHECK(sum == 0);
  CHECK(meetings == each);
  CHECK(a.balance() == 0);
  CHECK(b.balance() == 0);
}

TEST_CASE("of a partner here and one elsewhere exactly one wins") {
  constexpr int rounds = 3000;
  channel<int> wide{shared};
  std::atomic<int> round = 0;
  std::atomic<int> won_there = 0;
  std::atomic<int> answered = 0;
  const elsewhere other([&] {
    for (int i = 1; i <= rounds; ++i) {
      spin_until([&] { return round == i; });
      if (wide.try_send(i) == op_status::done) ++won_there;
      answered = i;
    }
  });
  const scheduler s;
  channel<int> local;
  local.set_preference(preference::neither);
  int won_here = 0;
  int got = 0;
  for (int i = 1; i <= rounds; ++i) {
    const tasklet t = spawn([&] {
      auto far = wide.receive_case();
      auto near = local.receive_case();
      got += (select(far, near) == 0 ? far.value() : near.value()) == i ? 1 : 0;
    });
    yield();
    round = i;
    if (local.try_send(i) == op_status::done) ++won_here;
    spin_until([&] { return answered == i; });
    while (t.alive()) yield();
  }
  CHECK(got == rounds);
  CHECK(won_here + won_there == rounds);
}

// One that selects has been served by another thread through `far`, and its own
// thread does not know yet, as it has not switched since.
class already_served {
 public:
  // `f(far)` selects; gives whether `far` was it.
  template <typename F>
  explicit already_served(F f) {
    select_ = spawn([this, f = std::move(f)] { f(far); });
    yield();
    CHECK(select_.blocked());
    waits_.set();
    served_.await();
    CHECK(select_.blocked());
  }
  already_served(const already_served&) = delete;
  already_served& operator=(const already_served&) = delete;
  ~already_served() {
    while (select_.alive()) yield();
    CHECK(far.balance() == 0);
  }

  channel<int> far{shared};

 private:
  tasklet select_;
  flag waits_;
  flag served_;
  elsewhere server_{[this] {
                      waits_.await();
                      expect(far.try_send(1) == op_status::done);
                      served_.set();
                    },
                    elsewhere::plainly};
};

TEST_CASE("who serves a line passes over those who have been served") {
  const scheduler s;
  SECTION("a value stays with its sender") {
    channel<int> local;
    const already_served one([&](channel<int>& far) {
      CHECK(select(local.receive_case(), far.receive_case()) == 1);
    });
    CHECK(local.try_send(1) == op_status::would_block);
    CHECK(local.balance() == 0);
  }
  SECTION("the next receiver gets a value") {
    channel<int> c{shared};
    int got = 0;
    const already_served one([&](channel<int>& far) {
      CHECK(select(c.receive_case(), far.receive_case()) == 1);
    });
    const tasklet t = spawn([&] { got = *c.receive(); });
    c.send(5);
    while (t.alive()) yield();
    CHECK(got == 5);
  }
  SECTION("a permit is the next one's") {
    semaphore permits{0};
    const already_served one([&](channel<int>& far) {
      CHECK(select(permits.acquire_case(), far.receive_case()) == 1);
    });
    permits.release();
    CHECK(permits.try_acquire());
  }
  SECTION("a future, an event") {
    promise<int> made;
    const future<int> later = made.get_future();
    event e;
    const already_served one([&](channel<int>& far) {
      CHECK(select(later.wait_case(), e.wait_case(), far.receive_case()) == 2);
    });
    made.set_value(1);
    e.set();
  }
}

TEST_CASE("an exception behind one that has been served is thrown") {
  const scheduler s;
  const bool is_shared = GENERATE(true, false);
  const std::size_t capacity = GENERATE(0U, 1U);
  const auto c = is_shared ? std::make_unique<channel<box>>(capacity, shared)
                           : std::make_unique<channel<box>>(capacity);
  while (c->size() != capacity) c->send(nullptr);
  {
    std::optional<tasklet> thrower;
    const already_served one([&](channel<int>& far) {
      thrower = spawn([&] { c->send_exception(std::make_exception_ptr('x')); });
      CHECK(select(c->send_case(nullptr), far.receive_case()) == 1);
    });
    CHECK(c->balance() == 1);
  }
  // This time the exception is in line, too, when the select has been served.
  flag waits;
  flag served;
  channel<int> far{shared};
  const elsewhere server(
      [&] {
        waits.await();
        expect(far.try_send(1) == op_status::done);
        served.set();
      },
      elsewhere::plainly);
  c->clear();
  yield();
  const tasklet chooser = spawn(
      [&] { CHECK(select(c->send_case(nullptr), far.receive_case()) == 1); });
  const tasklet thrower =
      spawn([&] { c->send_exception(std::make_exception_ptr('x')); });
  yield();
  CHECK(c->balance() == 2);
  waits.set();
  served.await();
  while (c->size() != 0) CHECK(c->receive());
  CHECK_THROWS_AS(c->receive(), char);
  CHECK(c->balance() == 0);
  while (chooser.alive() || thrower.alive()) yield();
}

TEST_CASE("a closed channel is drained if its last sender has been served") {
  const scheduler s;
  const bool is_shared = GENERATE(true, false);
  const auto c = is_shared ? std::make_unique<channel<int>>(shared)
                           : std::make_unique<channel<int>>();
  const already_served one([&](channel<int>& far) {
    CHECK(select(c->send_case(1), far.receive_case()) == 1);
  });
  c->close();
  CHECK_FALSE(c->receive());
}

TEST_CASE("a failure is for those who join, less one that has been served") {
  const scheduler s;
  flag served;
  channel<int> far{shared};
  const tasklet fails = spawn([&] {
    served.await();
    throw 1;
  });
  fails.remove();
  int others = 0;
  const bool somebody_else = GENERATE(true, false);
  const tasklet chooser =
      spawn([&] { CHECK(select(fails.join_case(), far.receive_case()) == 1); });
  if (somebody_else)
    spawn([&] {
      CHECK_THROWS_AS(fails.join(), int);
      ++others;
    });
  yield();
  fails.insert();
  const elsewhere server(
      [&] {
        expect(far.try_send(1) == op_status::done);
        served.set();
      },
      elsewhere::plainly);
  if (somebody_else)
    run();
  else
    CHECK_THROWS_AS(run(), int);
  run();
  CHECK(others == (somebody_else ? 1 : 0));
  CHECK_FALSE(chooser.alive());
}

// ---- whose a channel is

TEST_CASE("a local channel says in another thread what to do") {
  channel<int> c;
  const scheduler s;
  CHECK(c.try_receive().status() == op_status::would_block);
  const std::string home = this_thread_text();
  const elsewhere other([&] {
    expect(throws<wrong_scheduler>([&] { c.send(1); }));
    expect(throws("weft::shared", [&] { c.receive(); }));
    const std::string said = refused("this channel belongs to", home);
    expect(throws(said.c_str(), [&] { c.receive(); }));
    expect(throws<wrong_scheduler>([&] { select(c.receive_case()); }));
    expect(throws<wrong_scheduler>([&] { c.close(); }));
  });
  const elsewhere third(
      [&] { expect(throws<no_scheduler>([&] { c.receive(); })); },
      elsewhere::plainly);
}

TEST_CASE("a thread without a scheduler cannot select") {
  channel<int> c{1, shared};
  c.send(1);
  CHECK_THROWS_AS(select(c.receive_case()), no_scheduler);
  CHECK(c.receive() == 1);
}

TEST_CASE("a shared channel belongs to nobody, and outlives all who use it") {
  channel<int> c{2, shared};
  for (int i = 0; i != 3; ++i) {
    const elsewhere one([&] { c.send(i); });
    const elsewhere two([&] { expect(c.receive() == i); }, elsewhere::plainly);
  }
  CHECK(c.size() == 0);
}

}  // namespace
