// SPDX-License-Identifier: BSL-1.0
// Shared channels under random programs of several threads: whatever happens to
// those who use them, each value is received once, or is still with its sender,
// or was destroyed with a receiver that something else was raised in; whoever
// raises it, in that thread or by letter from another.
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "weft/weft.h"

#ifndef WEFT_STRESS_OPERATIONS
#if defined(__SANITIZE_ADDRESS__)
#define WEFT_STRESS_OPERATIONS 100000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_STRESS_OPERATIONS 100000
#endif
#endif
#endif
#ifndef WEFT_STRESS_OPERATIONS
#define WEFT_STRESS_OPERATIONS 1000000
#endif

namespace {

using namespace weft;
using namespace std::chrono_literals;

constexpr int operations = WEFT_STRESS_OPERATIONS;
constexpr int rounds = 100;

// What became of each value, by its number.
class ledger {
 public:
  enum what : std::uint8_t {
    kept = 1,  // by its sender
    received = 2,
    destroyed = 4,
    thrown = 8,  // it is an exception, which nobody keeps
    sent = 16,   // and that has been received
  };

  int open() {
    const int id = count_.fetch_add(1, std::memory_order_relaxed);
    if (id == most) std::terminate();
    return id;
  }
  void note(int id, what w) {
    if ((of(id).fetch_or(w, std::memory_order_relaxed) & w) != 0) ++twice_;
  }
  // Something was raised in one who may have been given a value.
  void interrupt() { ++interrupted_; }

  void check() {
    int lost = 0;
    int strange = 0;
    for (int id = 0; id != count_; ++id) {
      const unsigned is = of(id);
      const bool arrived = (is & received) != 0;
      if ((is & thrown) != 0) {
        if ((is & sent) != 0 && !arrived) ++strange;
        continue;
      }
      if ((is & kept) == 0 && !arrived) ++lost;
      if ((is & kept) != 0 && arrived) ++strange;
      if ((is & destroyed) == 0) ++strange;
    }
    CHECK(twice_ == 0);
    CHECK(strange == 0);
    CHECK(lost <= interrupted_);
  }

 private:
  static constexpr int most = 8 * operations / rounds + 1000;
  std::atomic<std::uint8_t>& of(int id) {
    return notes_[static_cast<std::size_t>(id)];
  }

  std::vector<std::atomic<std::uint8_t>> notes_ =
      std::vector<std::atomic<std::uint8_t>>(most);
  std::atomic<int> count_{0};
  std::atomic<int> twice_{0};
  std::atomic<int> interrupted_{0};
};

struct move_failed {};

// One in so many moves within a channel throws.
thread_local int moves_left = -1;

class value {
 public:
  explicit value(ledger& l) : of_(&l), id_(l.open()) {}
  value(value&& other) : of_(other.of_) {  // NOLINT: it throws on purpose
    if (moves_left > 0) {
      if (--moves_left == 0) throw move_failed();
    }
    id_ = std::exchange(other.id_, -1);
  }
  value& operator=(value&&) = delete;
  ~value() { note(ledger::destroyed); }

  void note(ledger::what w) const {
    if (id_ >= 0) of_->note(id_, w);
  }
  [[nodiscard]] bool here() const { return id_ >= 0; }

 private:
  ledger* of_;
  int id_;
};

// What send_exception() sends.
struct flying {
  ledger* of;
  int id;
};

using random = std::minstd_rand;

// Some tasklets of all threads.
class directory {
 public:
  void enter(const tasklet& t, unsigned at) {
    const std::lock_guard lock(mutex_);
    those_[at % those_.size()] = t;
  }
  tasklet look_up(unsigned at) {
    const std::lock_guard lock(mutex_);
    return those_[at % those_.size()];
  }

 private:
  std::mutex mutex_;
  std::array<tasklet, 16> those_;
};

struct arena {
  explicit arena(unsigned s) : seed(s) {
    random r(s);
    for (std::size_t i = 0; i != 4; ++i) {
      const std::size_t capacity = r() % 4;
      if (capacity == 0)
        channels.emplace_back(shared);
      else
        channels.emplace_back(capacity, shared);
      channels.back().set_preference(static_cast<preference>(r() % 3));
    }
    moves_fail = r() % 2 == 0;
    closes = r() % 2 == 0;
    for (std::size_t i = 0; i != operations / rounds / 50; ++i) {
      const int id = values.open();
      values.note(id, ledger::thrown);
      exceptions.push_back(std::make_exception_ptr(flying{&values, id}));
    }
  }

  channel<value>& any(random& r) { return channels[r() % channels.size()]; }
  // Whoever makes one operation more.
  [[nodiscard]] bool over() const {
    return done.load(std::memory_order_relaxed) >= operations / rounds;
  }
  void count() { done.fetch_add(1, std::memory_order_relaxed); }

  unsigned seed;
  bool moves_fail;
  bool closes;
  ledger values;
  std::deque<channel<value>> channels;
  directory tasklets;
  // Made here, and kept: the sanitizer of threads does not see how the library
  // of the compiler counts those who have one.
  std::vector<std::exception_ptr> exceptions;
  std::atomic<std::size_t> exceptions_sent{0};
  std::atomic<int> done{0};
};

// Makes random operations; of any thread.
class actor {
 public:
  actor(arena& a, unsigned seed) : a_(a), r_(seed) {}
  actor(const actor&) = delete;
  actor& operator=(const actor&) = delete;
  virtual ~actor() = default;

  // Something may be raised in it: tasklet_exit goes on.
  void operate() {
    a_.count();
    if (a_.moves_fail) moves_left = static_cast<int>(r_() % 64);
    try {
      act();
    } catch (const flying& f) {
      f.of->note(f.id, ledger::received);
    } catch (const move_failed&) {     // NOLINT: the value stays where it was
    } catch (const channel_closed&) {  // NOLINT: as good an end as any
    }
    moves_left = -1;
  }

 protected:
  virtual void act() {
    switch (r_() % 32) {
      case 0:
        return maybe_close();
      case 1:
        return send_exception();
      case 2:
        return interrupt_anybody();
      default:
        return r_() % 2 == 0 ? send() : receive();
    }
  }

  arena& a_;
  random r_;

  static void got(std::optional<value>& v) {
    if (v) v->note(ledger::received);
  }

  void interrupt(const tasklet& t) {
    if (!t.alive()) return;
    switch (r_() % 8) {
      case 0:
        return t.kill();
      case 1:
        return t.kill(pending);
      case 2:
        return t.throw_exception(std::make_exception_ptr(1));
      default:
        return t.throw_exception(std::make_exception_ptr(1), pending);
    }
  }
  // The same one until it has ended: the lock of the directory is to order as
  // little as it can of what the threads do.
  void interrupt_anybody() {
    if (!victim_.alive())
      victim_ = a_.tasklets.look_up(static_cast<unsigned>(r_()));
    interrupt(victim_);
  }

 private:
  std::chrono::microseconds some_time() {
    return std::chrono::microseconds(r_() % 100);
  }

  void send() {
    channel<value>& c = a_.any(r_);
    value v(a_.values);
    const int way = static_cast<int>(r_() % 3);
    op_status status = op_status::done;
    const struct scope {
      ~scope() { v.note(ledger::kept); }  // if it is here still
      const value& v;
    } at_the_end{v};
    if (way == 0)
      c.send(std::move(v));
    else
      status = way == 1 ? c.try_send(std::move(v))
                        : c.send_for(some_time(), std::move(v));
    if ((status == op_status::done) == v.here()) std::terminate();
  }

  void receive() {
    channel<value>& c = a_.any(r_);
    const int way = static_cast<int>(r_() % 3);
    try {
      if (way == 0) {
        auto v = c.receive();
        got(v);
      } else {
        auto v = way == 1 ? c.try_receive() : c.receive_for(some_time());
        got(v);
      }
    } catch (const flying&) {
      throw;
    } catch (const move_failed&) {
      throw;
    } catch (...) {
      a_.values.interrupt();
      throw;
    }
  }

  void send_exception() {
    const auto next = a_.exceptions_sent.fetch_add(1);
    if (next >= a_.exceptions.size()) return;
    a_.any(r_).send_exception(a_.exceptions[next]);
    a_.values.note(static_cast<int>(next), ledger::sent);
  }

  void maybe_close() {
    if (a_.closes && r_() % 64 == 0) a_.any(r_).close();
  }

  tasklet victim_;  // of interrupt_anybody()
};

// What the tasklets of a scheduler have in common.
struct crew {
  std::vector<tasklet> members;
  channel<value> local;
  event happened;
  semaphore permits{1};
  int holders = 0;
};

class member : public actor {
 public:
  member(arena& a, unsigned seed, std::shared_ptr<crew> c)
      : actor(a, seed), c_(std::move(c)) {}

  void operate() {
    try {
      actor::operate();
    } catch (int) {               // NOLINT: what interrupt() throws
    } catch (const timed_out&) {  // NOLINT: as good an end as any
    }
  }

 private:
  void act() override {
    switch (r_() % 16) {
      case 0:
        return interrupt_somebody();
      case 1:
        return yield();
      case 2: {
        const weft::timeout limit(std::chrono::microseconds(r_() % 50));
        return actor::act();
      }
      case 3:
        return meet_locally();
      case 4:
        return c_->happened.set();
      case 5:
        return c_->happened.clear();
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        return choose();
      default:
        return actor::act();
    }
  }

  void interrupt_somebody() {
    if (r_() % 2 == 0) return interrupt_anybody();
    if (c_->members.empty()) return;
    interrupt(tasklet(c_->members[r_() % c_->members.size()]));
  }

  void meet_locally() {
    if (r_() % 2 == 0) {
      value v(a_.values);
      static_cast<void>(c_->local.try_send(std::move(v)));
      v.note(ledger::kept);
    } else {
      auto v = c_->local.try_receive();
      got(v);
    }
  }

  void choose() {
    value first(a_.values);
    value second(a_.values);
    const struct scope {
      ~scope() {
        for (const value* v : all) v->note(ledger::kept);
      }
      std::array<const value*, 2> all;
    } at_the_end{{&first, &second}};
    channel<value>& a = a_.any(r_);
    channel<value>& b = a_.any(r_);
    const auto flip = [this] { return r_() % 2 == 0; };
    auto in_a = a.receive_case();
    auto in_b = b.receive_case();
    auto in_local = c_->local.receive_case();
    auto out_a = a.send_case(std::move(first));
    auto out_local = c_->local.send_case(std::move(second));
    auto happened = c_->happened.wait_case();
    auto permit = c_->permits.acquire_case();
    const tasklet other = c_->members.empty() || !flip()
                              ? tasklet()
                              : c_->members[r_() % c_->members.size()];
    auto ended = other.join_case();
    timeout_case late(std::chrono::microseconds(r_() % 100));
    default_case nothing;
    in_local.when(flip());
    out_local.when(flip());
    happened.when(flip());
    permit.when(flip());
    ended.when(other.alive() && other != current() && flip());
    late.when(flip());
    nothing.when(r_() % 16 == 0);
    in_b.when(flip());
    std::vector<select_case*> cases{&in_a,      &in_b,     &in_local, &out_a,
                                    &out_local, &happened, &permit,   &ended,
                                    &late,      &nothing};
    // More than sixteen now and then.
    std::deque<decltype(in_a)> more;
    if (r_() % 8 == 0)
      for (int i = 0; i != 10; ++i)
        cases.push_back(&more.emplace_back(a_.any(r_).receive_case()));
    std::size_t which = 0;
    try {
      which = flip() ? select(cases) : select(in_order, cases);
    } catch (const flying&) {
      throw;
    } catch (const move_failed&) {
      throw;
    } catch (...) {
      a_.values.interrupt();
      throw;
    }
    moves_left = -1;  // What has been received is not in the channel's hands.
    receive_case_of<value>* from = nullptr;
    if (which == 0) from = &in_a;
    if (which == 1) from = &in_b;
    if (which == 2) from = &in_local;
    if (which > 9) from = &more[which - 10];
    if (from != nullptr) {
      auto v = from->value();
      got(v);
    }
    if (which == 3 && first.here()) std::terminate();
    if (which == 4 && second.here()) std::terminate();
    if (which == 6) hold();
  }

  // One at a time has the permit.
  void hold() {
    const struct scope {
      explicit scope(crew& c) : of(c) {
        if (of.holders++ != 0) std::terminate();
      }
      scope(const scope&) = delete;
      scope& operator=(const scope&) = delete;
      ~scope() {
        --of.holders;
        of.permits.release();
      }
      crew& of;
    } holding(*c_);
    yield();
  }

  std::shared_ptr<crew> c_;
};

// Schedulers come and go in it.
void run_schedulers(arena& a, unsigned seed) {
  random r(seed);
  const auto draw = [&r] { return static_cast<unsigned>(r()); };
  while (!a.over()) {
    const scheduler s({.seed = static_cast<std::uint64_t>(r())});
    const auto all = std::make_shared<crew>();
    const std::size_t n = 1 + r() % 6;
    const auto add = [&] {
      const tasklet t = spawn([&a, all, seed = draw()] {
        member m(a, seed, all);
        while (!a.over()) m.operate();
      });
      a.tasklets.enter(t, draw());
      return t;
    };
    for (std::size_t i = 0; i != n; ++i) all->members.push_back(add());
    member main(a, draw(), all);
    for (unsigned left = draw() % 500; left != 0 && !a.over(); --left) {
      main.operate();
      tasklet& one = all->members[r() % n];
      if (!one.alive()) one = add();
    }
    // The others end where they are.
  }
}

void run_plainly(arena& a, unsigned seed) {
  actor one(a, seed);
  while (!a.over()) one.operate();
}

void play(unsigned seed) {
  INFO("seed " << seed);
  arena a(seed);
  random r(seed);
  {
    std::optional<value> mine;
    std::atomic<int> running{0};
    std::vector<std::thread> threads;
    const std::size_t n = 2 + r() % 3;
    for (std::size_t i = 0; i != n; ++i) {
      ++running;
      const bool plain = i != 0 && r() % 3 == 0;
      const auto its = static_cast<unsigned>(r());
      threads.emplace_back([&a, &running, plain, its] {
        plain ? run_plainly(a, its) : run_schedulers(a, its);
        --running;
      });
    }
    // Who waits for ever otherwise meets this thread, which never waits.
    const auto take = [](channel<value>& c) {
      try {
        auto got = c.try_receive();
        if (got) got->note(ledger::received);
        return got.has_value();
      } catch (const flying& f) {
        f.of->note(f.id, ledger::received);
        return true;
      }
    };
    while (running != 0) {
      for (channel<value>& c : a.channels) {
        if (a.over()) c.close();
        if (!mine || !mine->here()) mine.emplace(a.values);
        if (c.try_send(std::move(*mine)) == op_status::done) a.count();
        static_cast<void>(take(c));
      }
      std::this_thread::yield();
    }
    for (std::thread& t : threads) t.join();
    for (channel<value>& c : a.channels)
      while (take(c)) {
      }
    if (mine) mine->note(ledger::kept);
  }
  for (const channel<value>& c : a.channels) CHECK(c.balance() == 0);
  a.channels.clear();
  a.values.check();
}

TEST_CASE("between random threads no value is lost, and none is doubled") {
  const unsigned first = 1;
  for (unsigned i = 0; i != rounds; ++i) play(first + i);
}

// ---- one parks, and two other threads serve and strike it in the same instant

// Counts how many there are.
class counted_value {
 public:
  explicit counted_value(std::atomic<int>& count) : of_(&count) { ++*of_; }
  counted_value(counted_value&& other) noexcept
      : of_(std::exchange(other.of_, nullptr)) {}
  counted_value& operator=(counted_value&&) = delete;
  ~counted_value() {
    if (of_ != nullptr) --*of_;
  }
  [[nodiscard]] bool here() const { return of_ != nullptr; }

 private:
  std::atomic<int>* of_;
};

// The round that one thread has come to, which others wait for.
class milestone {
 public:
  void reach(int n) { at_.store(n, std::memory_order_release); }
  void await(int n) const {
    while (at_.load(std::memory_order_acquire) != n) std::this_thread::yield();
  }

 private:
  std::atomic<int> at_{0};
};

void dawdle(random& r) {
  for (auto n = r() % 256; n != 0; --n) relax();
}

// In the thread of a scheduler one sends to a full channel, or receives from an
// empty one, each time in another way.
struct collision {
  collision(std::size_t capacity, bool does_send)
      : c(capacity, shared), sends(does_send) {}

  channel<counted_value> c;
  channel<counted_value> other{shared};
  bool sends;
  std::atomic<int> alive{0};
  tasklet target;
  bool served = false;  // The partner says so.
  bool got = false;     // The target does.
  bool unsent = true;   // Whoever sends still has the value.
  bool struck = false;
  milestone waits;
  milestone has_served;
  milestone has_struck;

  void wait(unsigned way) {
    try {
      sends ? send(way) : receive(way);
      suspend();  // until it is struck
    } catch (int) {
      struck = true;
    } catch (const tasklet_exit&) {
      struck = true;
      throw;
    }
  }

  void serve(int round, random& r) {
    waits.await(round);
    std::optional<counted_value> mine;
    if (!sends) mine.emplace(alive);
    dawdle(r);
    if (sends) {
      served = c.try_receive().status() == op_status::done;
    } else {
      served = c.try_send(std::move(*mine)) == op_status::done;
      unsent = mine->here();
      mine.reset();
    }
    has_served.reach(round);
  }

  void strike(int round, random& r) {
    waits.await(round);
    dawdle(r);
    switch (r() % 4) {
      case 0:
        target.kill();
        break;
      case 1:
        target.kill(pending);
        break;
      case 2:
        target.throw_exception(std::make_exception_ptr(1));
        break;
      default:
        target.throw_exception(std::make_exception_ptr(1), pending);
    }
    has_struck.reach(round);
  }

 private:
  void send(unsigned way) {
    counted_value mine(alive);
    const struct scope {
      ~scope() { unsent = mine.here(); }
      const counted_value& mine;
      bool& unsent;
    } at_the_end{mine, unsent};
    if (way == 0) {
      c.send(std::move(mine));
      got = true;
    } else if (way == 1) {
      got = c.send_for(1h, std::move(mine)) == op_status::done;
    } else {
      got = select(other.receive_case(), c.send_case(std::move(mine)),
                   timeout_case(1h)) == 1;
    }
  }
  void receive(unsigned way) {
    if (way == 0) {
      got = c.receive().has_value();
    } else if (way == 1) {
      got = c.receive_for(1h).has_value();
    } else {
      auto in = c.receive_case();
      got = select(other.receive_case(), in, timeout_case(1h)) == 1 &&
            in.value().has_value();
    }
  }
};

TEST_CASE("one that is served and struck in one instant is served, or is not") {
  const std::size_t capacity = GENERATE(0U, 2U);
  const bool sends = GENERATE(true, false);
  constexpr int times = operations / 400;
  const std::size_t at_rest = sends ? capacity : 0;

  collision all(capacity, sends);
  const scheduler s;
  const outside strikers;  // as long as there is one there is no deadlock
  std::thread server([&all] {
    random r(1);
    for (int i = 1; i <= times; ++i) all.serve(i, r);
  });
  std::thread striker([&all] {
    random r(2);
    for (int i = 1; i <= times; ++i) all.strike(i, r);
  });
  int strange = 0;
  for (int i = 1; i <= times; ++i) {
    while (all.c.size() != at_rest) {
      if (sends)
        all.c.send(counted_value(all.alive));
      else
        all.c.receive();
    }
    all.served = all.got = all.struck = false;
    all.unsent = true;
    all.target =
        spawn([&, way = static_cast<unsigned>(i % 3)] { all.wait(way); });
    yield();
    if (!all.target.blocked()) ++strange;
    all.waits.reach(i);
    all.target.join();
    all.has_served.await(i);
    all.has_struck.await(i);

    // With a buffer the partner gets on in any case, and that has as many values
    // as before if it has met somebody.
    const bool met = capacity == 0 ? all.served : all.c.size() == at_rest;
    if (capacity != 0 && !all.served) ++strange;
    if (all.unsent != (sends ? !met : !all.served)) ++strange;
    if (all.got && !met) ++strange;
    if (!all.struck) ++strange;
    if (all.c.balance() != 0 || all.other.balance() != 0) ++strange;
    // What the other two have held they have left before they said so.
    if (all.alive != static_cast<int>(all.c.size())) ++strange;
  }
  server.join();
  striker.join();
  CHECK(strange == 0);
}

}  // namespace
