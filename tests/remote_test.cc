// SPDX-License-Identifier: BSL-1.0
// Law 12, of handles: what may be asked of a tasklet in other threads.
#include <any>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/tests/support/both_threads.h"
#include "weft/tests/support/sizes.h"
#include "weft/weft.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::refusal_of;
using weft_test::this_thread_text;

// A scheduler in a thread of its own, which ends when it is told to.
class abroad {
 public:
  abroad() {
    std::promise<outside> way_in;
    std::future<outside> in = way_in.get_future();
    thread_ = std::thread([this, way_in = std::move(way_in)]() mutable {
      scheduler s;
      way_in.set_value(outside());
      while (!over_) {
        try {
          run();
          over_ = true;
        } catch (const std::exception& e) {
          escaped += e.what();
        }
      }
    });
    in_.emplace(in.get());
  }
  ~abroad() { end(); }

  // What f() gives, called by a tasklet there.
  template <typename F>
  auto call(F f) const {
    using result = std::invoke_result_t<F&>;
    std::promise<result> given;
    in_->post([&] {
      if constexpr (std::is_void_v<result>) {
        f();
        given.set_value();
      } else {
        given.set_value(f());
      }
    });
    return given.get_future().get();
  }
  // A tasklet that has begun.
  template <typename F>
  tasklet spawn(F f) const {
    return call([&] {
      const tasklet t = weft::spawn(std::move(f));
      yield();
      return t;
    });
  }
  // All that was runnable there has had a turn.
  void settle() const {
    call([] {
      yield();
      yield();
    });
  }
  [[nodiscard]] std::thread::id thread() const { return thread_.get_id(); }
  void end() {
    in_.reset();
    if (thread_.joinable()) thread_.join();
  }

  std::string escaped;  // its run(), to be read after its end

 private:
  std::optional<outside> in_;
  bool over_ = false;
  std::thread thread_;
};

// Tells where it is destroyed.
struct witness {
  explicit witness(std::thread::id& where) : where_(&where) {}
  witness(witness&& other) noexcept
      : where_(std::exchange(other.where_, nullptr)) {}
  witness& operator=(witness&&) = delete;
  ~witness() {
    if (where_ != nullptr) *where_ = std::this_thread::get_id();
  }
  std::thread::id* where_;
};

// With a scheduler in this thread, and without.
template <typename F>
void with_and_without(F f) {
  std::optional<scheduler> own;
  if (GENERATE(false, true)) own.emplace();
  f();
}

std::exception_ptr oops() {
  return std::make_exception_ptr(std::runtime_error("oops"));
}

// The ways to join, each of which gives whether it has ended.
using joiner = std::function<bool(const tasklet&)>;
const std::array<joiner, 4> ways{
    [](const tasklet& t) {
      t.join();
      return true;
    },
    [](const tasklet& t) { return t.join_for(1h); },
    [](const tasklet& t) {
      return t.join_until(std::chrono::steady_clock::now() + 1h);
    },
    [](const tasklet& t) {
      return select(t.join_case(), timeout_case(1h)) == 0;
    }};
const joiner& any_way(bool with_scheduler = true) {
  const std::size_t i = GENERATE(0U, 1U, 2U, 3U);
  return ways[with_scheduler ? i : i % 3];
}

// Somebody in another thread joins `t`, which is one of here.
void await_joiner(const tasklet& t) {
  while (dispatcher::described(t)->observers == nullptr) yield();
}

// ---- what can be asked

TEST_CASE("whether a tasklet is alive can be asked in any thread") {
  abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  CHECK(t.alive());
  CHECK(t.id() == there.call([&] { return t.id(); }));
  CHECK(t != there.call([] { return current(); }));
  int done = 0;  // What it has done is done once it is dead.
  const tasklet quick = there.spawn([&] { done = 1; });
  while (quick.alive()) std::this_thread::yield();
  CHECK(done == 1);
  there.end();
  CHECK_FALSE(t.alive());
}

TEST_CASE("what else there is to ask is for its own thread") {
  const abroad there;
  const tasklet t =
      there.call([] { return spawn({.name = "t"}, [] { suspend(); }); });
  const std::string home = there.call(&this_thread_text);
  with_and_without([&] {
    CHECK_THAT(
        refusal_of([&] { static_cast<void>(t.name()); }),
        Catch::StartsWith("weft: this tasklet belongs to the scheduler of " +
                          home + ", and was used in ") &&
            Catch::Contains(this_thread_text()) &&
            Catch::Contains("whether it is alive"));
    CHECK_THROWS_AS(t.name(), wrong_scheduler);
    CHECK_THROWS_AS(t.blocked(), wrong_scheduler);
    CHECK_THROWS_AS(t.paused(), wrong_scheduler);
    CHECK_THROWS_AS(t.scheduled(), wrong_scheduler);
    CHECK_THROWS_AS(t.is_current(), wrong_scheduler);
    CHECK_THROWS_AS(t.is_main(), wrong_scheduler);
    CHECK_THROWS_AS(t.site(), wrong_scheduler);
    CHECK_THROWS_AS(t.account(), wrong_scheduler);
    CHECK_THROWS_AS(t.block_trap(), wrong_scheduler);
  });
}

// ---- kill

TEST_CASE("a kill from another thread unwinds the tasklet in its own") {
  abroad there;
  std::thread::id unwound;
  const int where = GENERATE(0, 1, 2, 3);
  const tasklet t = there.spawn([&unwound, where] {
    const witness w(unwound);
    channel<int> c;
    while (where == 0) yield();  // NOLINT: until it is killed
    if (where == 1) c.receive();
    if (where == 2) suspend();
    run();
  });
  with_and_without([&] {
    GENERATE(true, false) ? t.kill() : t.kill(pending);
    t.join();
    CHECK(!t.alive());
    CHECK(unwound == there.thread());
  });
  there.end();
  CHECK(there.escaped.empty());
}

TEST_CASE("one that has not started ends without running, in its own thread") {
  abroad there;
  bool ran = false;
  std::thread::id ended;
  const tasklet t = there.call(
      [&] { return create([&ran, w = witness(ended)] { ran = true; }); });
  t.kill();
  t.join();
  CHECK(!ran);
  CHECK(ended == there.thread());
}

TEST_CASE("one that is runnable and has not started is killed in the queue") {
  bool ran = false;
  std::thread::id ended;
  std::string told;
  tasklet t;
  const abroad there;
  there.call([&] {
    this_scheduler().set_end_callback(
        [&](const tasklet& who, const std::exception_ptr& failure) {
          if (who == t) told += failure ? 'f' : 'e';
        });
    t = spawn([&ran, w = witness(ended)] { ran = true; });
    // The letter is there before its turn has come.
    std::thread([&] { t.kill(); }).join();
    monitor m(t);
    CHECK(m.wait().why == end_reason::killed);
  });
  CHECK(!ran);
  CHECK(ended == there.thread());
  CHECK(told == "e");
}

TEST_CASE("a local kill ends one at once that was to end at its turn") {
  const abroad there;
  bool ran = false;
  there.call([&] {
    const tasklet t = create([&] { ran = true; });
    std::thread([&] { t.kill(); }).join();
    yield();  // The letter has come: it is runnable, and behind.
    t.kill();
    CHECK(!t.alive());
  });
  CHECK(!ran);
}

TEST_CASE("requests to one whose end before its start is told do nothing") {
  const scheduler s;
  bool ran = false;
  const tasklet t = create([&] { ran = true; });
  const bool throws = GENERATE(false, true);
  this_scheduler().set_end_callback(
      [&](const tasklet& who, const std::exception_ptr&) {
        if (who != t) return;
        std::thread([&] {
          if (throws) t.throw_exception(std::make_exception_ptr(1));
          t.kill();
        }).join();
        yield();
        yield();  // What the first has woken has its turn.
      });
  t.kill();
  CHECK(!t.alive());
  run();
  CHECK(!ran);
}

TEST_CASE("a schedule callback does not delay what threads hear of an end") {
  scheduler s;
  s.set_schedule_callback([](const tasklet&, const tasklet&) {});
  const tasklet t = spawn([] {});
  // Until it has heard, it may post something.
  std::thread other([t, out = outside()] { t.join(); });
  run();
  other.join();
  CHECK(!t.alive());
}

TEST_CASE("a kill from another thread is held back as any is") {
  const abroad there;
  std::string trace;
  bool open = false;
  const tasklet t = there.spawn([&] {
    {
      const shield on;
      while (!open) suspend();
      trace += 's';
    }
    yield();
    trace += 'x';
  });
  t.kill();
  there.settle();
  CHECK(trace.empty());
  there.call([&] {
    open = true;
    t.insert();
  });
  t.join();
  CHECK(trace == "s");
}

TEST_CASE("a kill of another thread's main is raised there") {
  std::promise<tasklet> given;
  bool killed = false;
  std::thread there([&] {
    const scheduler s;
    const outside wait;
    given.set_value(current());
    try {
      suspend();
    } catch (const tasklet_exit&) {
      killed = true;
    }
  });
  const tasklet main = given.get_future().get();
  main.kill();
  main.join();  // until its scheduler has ended
  CHECK(killed);
  there.join();
}

TEST_CASE("nothing happens to one that has ended, with its scheduler or not") {
  abroad there;
  const tasklet t = there.spawn([] {});
  t.join();
  const bool gone = GENERATE(false, true);
  if (gone) there.end();
  with_and_without([&] {
    t.kill();
    t.kill(pending);
    t.throw_exception(oops());
    t.throw_exception(oops(), pending);
    t.insert();
    t.insert(7);
    t.join();
    CHECK(t.join_for(1h));
  });
  there.end();
  CHECK(there.escaped.empty());
}

TEST_CASE("a request to one that ends before it comes is dropped") {
  abroad there;
  const auto payload = std::make_shared<int>();
  there.call([&] {
    const tasklet t = create([] {});
    std::thread([&] {
      t.throw_exception(std::make_exception_ptr(payload));
      t.insert(payload);
      t.kill();
    }).join();
    t.kill();
  });
  there.settle();
  there.settle();
  CHECK(payload.use_count() == 1);
  there.end();
  CHECK(there.escaped.empty());
}

TEST_CASE("what is due to the caller is raised before it asks for anything") {
  const scheduler s;
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  const tasklet me = spawn([&] {
    try {
      yield();
    } catch (const tasklet_exit&) {
    }
    t.kill();
  });
  yield();
  me.kill();
  CHECK(!me.alive());
  there.settle();
  CHECK(t.alive());
}

// ---- throw_exception

TEST_CASE("an exception from another thread is raised in the tasklet") {
  const abroad there;
  std::string got;
  const tasklet t = there.spawn([&] {
    try {
      suspend();
    } catch (const std::runtime_error& e) {
      got = e.what();
    }
    suspend();
    got += '!';
  });
  with_and_without([&] {
    t.throw_exception(oops());
    there.settle();
    CHECK(got == "oops");
    CHECK(t.alive());
  });
}

TEST_CASE("one that has not started ends as if it had thrown it") {
  const abroad there;
  bool ran = false;
  const tasklet t = there.call([&] { return create([&] { ran = true; }); });
  const scheduler s;
  spawn([&] { t.throw_exception(oops(), pending); });
  CHECK_THROWS_WITH(t.join(), "oops");
  CHECK(!ran);
  CHECK_THROWS_AS(t.throw_exception(nullptr), std::invalid_argument);
}

// ---- insert

TEST_CASE("insert from another thread hands a value over") {
  const abroad there;
  int got = 0;
  const tasklet t = there.spawn([&] { got = std::any_cast<int>(suspend()); });
  with_and_without([&] {
    t.insert(7);
    t.join();
    CHECK(got == 7);
  });
}

TEST_CASE("requests of one thread are carried out in their order") {
  const abroad there;
  std::vector<tasklet> those;
  std::vector<int> order;
  std::vector<int> expected;
  there.call([&] {
    for (int i = 0; i != 200; ++i) {
      those.push_back(create([&order, i] { order.push_back(i); }));
      expected.push_back(i);
    }
  });
  for (const tasklet& t : those) t.insert();
  for (const tasklet& t : those) t.join();
  CHECK(order == expected);
}

TEST_CASE("an insert that would be an error at home does nothing") {
  abroad there;
  const auto payload = std::make_shared<int>();
  channel<int> c;
  std::optional<int> got;
  const tasklet blocked = there.spawn([&] { got = c.receive(); });
  const tasklet unbound = there.call([] { return create(); });
  const tasklet runs = there.spawn([] { run(); });
  blocked.insert();
  blocked.insert(payload);
  unbound.insert();
  runs.insert(payload);
  there.settle();
  there.settle();
  CHECK(blocked.alive());
  CHECK(unbound.alive());
  CHECK(payload.use_count() == 1);
  there.call([&] { c.send(3); });
  there.settle();
  CHECK(got == 3);
  there.end();
  CHECK(there.escaped.empty());
}

// ---- join

TEST_CASE("join of another scheduler's parks the tasklet, not the thread") {
  const scheduler s;
  const abroad there;
  int done = 0;
  const tasklet t = there.spawn([&] {
    suspend();
    done = 1;
  });
  const joiner& join = any_way();
  std::string trace;
  const tasklet me = spawn([&] {
    trace += join(t) ? 'j' : '-';
    CHECK(done == 1);
  });
  spawn([&] { trace += 'o'; });
  yield();
  CHECK(trace == "o");
  t.insert();
  me.join();
  CHECK(trace == "oj");
}

TEST_CASE("join in a thread without a scheduler blocks it") {
  const abroad there;
  int done = 0;
  const tasklet t = there.spawn([&] {
    await_joiner(current());
    done = 1;
  });
  CHECK(any_way(false)(t));
  CHECK(done == 1);
  CHECK(any_way(false)(t));
}

TEST_CASE("what escapes the tasklet is thrown to whoever joins it elsewhere") {
  abroad there;
  const bool own = GENERATE(true, false);
  std::optional<scheduler> s;
  if (own) s.emplace();
  const tasklet t = there.spawn([] {
    await_joiner(current());
    throw std::runtime_error("oops");
  });
  CHECK_THROWS_WITH(any_way(own)(t), "oops");
  there.end();
  CHECK(there.escaped.empty());
}

TEST_CASE("all who join get what escapes, in whatever thread they are") {
  abroad there;
  constexpr int others = 3;
  std::atomic<int> caught = 0;
  const tasklet t = there.spawn([] {
    suspend();
    throw std::runtime_error("oops");
  });
  const auto join = [&] {
    try {
      t.join();
    } catch (const std::runtime_error&) {
      ++caught;
    }
  };
  there.spawn(join);
  std::latch asked(others);
  std::vector<std::thread> threads;
  for (int i = 0; i != others; ++i)
    threads.emplace_back([&, i] {
      std::optional<scheduler> own;
      if (i == 0) {
        asked.count_down();
        return join();
      }
      own.emplace();
      spawn(join);
      spawn(join);
      yield();  // Both have asked.
      asked.count_down();
      run();
    });
  asked.wait();
  there.call([&] {  // The first one has asked when there are five.
    const auto count = [&] {
      int n = 0;
      for (const end_observer* o = dispatcher::described(t)->observers;
           o != nullptr; o = o->next())
        ++n;
      return n;
    };
    while (count() != 2 * others - 1) yield();
    t.insert();
  });
  for (std::thread& each : threads) each.join();
  there.end();
  CHECK(caught == 2 * others);
  CHECK(there.escaped.empty());
}

TEST_CASE("a killed one has ended, and nothing is thrown to who joins it") {
  const scheduler s;
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  const tasklet me = spawn([&] { t.join(); });
  yield();
  t.kill();
  me.join();
  CHECK(!t.alive());
}

TEST_CASE("the end of a scheduler is the end of its tasklets, and is told") {
  const scheduler s;
  abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  const tasklet main = there.call([] { return this_scheduler().main(); });
  int joined = 0;
  for (const tasklet& each : {t, main})
    spawn([&joined, each] {
      each.join();
      ++joined;
    });
  yield();
  there.end();
  run();
  CHECK(joined == 2);
}

TEST_CASE("a join elsewhere ends with its time") {
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  with_and_without([&] {
    CHECK_FALSE(t.join_for(1ms));
    CHECK_FALSE(t.join_for(0ms));
    CHECK_FALSE(t.join_for(-1ms));
    CHECK_FALSE(t.join_until(std::chrono::steady_clock::now() + 1ms));
  });
  there.settle();
  there.settle();
  // It has left nothing behind.
  CHECK(there.call([&] { return dispatcher::described(t)->observers; }) ==
        nullptr);
}

TEST_CASE("a clock that jumps does not wait for who is joined elsewhere") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  CHECK_FALSE(t.join_for(1h));
  CHECK(select(t.join_case(), timeout_case(1h)) == 1);
  CHECK(clock.now().time_since_epoch() == 2h);
}

TEST_CASE("one that joins elsewhere may be killed, and thrown into") {
  const scheduler s;
  abroad there;
  const tasklet t = there.spawn([] {
    suspend();
    throw std::runtime_error("oops");
  });
  const joiner& join = any_way();
  std::string trace;
  const tasklet me = spawn([&] {
    try {
      join(t);
    } catch (const tasklet_exit&) {
      trace += 'k';
    } catch (int) {
      trace += 'i';
    }
  });
  yield();
  GENERATE(true, false) ? me.kill()
                        : me.throw_exception(std::make_exception_ptr(1));
  CHECK(trace.size() == 1);
  CHECK(!me.alive());
  // Nobody joins any more: what escapes goes to the run() there.
  t.insert();
  there.settle();
  there.end();
  CHECK(there.escaped == "oops");
}

TEST_CASE("a failure that has been sent is not lost when the joiner goes") {
  virtual_clock clock;
  scheduler s({.driver = &clock});
  std::string reported;
  s.set_error_handler([&](const tasklet&, const std::exception_ptr&) {
    reported += 'h';
    return std::exception_ptr();
  });
  abroad there;
  const tasklet t = there.spawn([] {
    suspend();
    throw std::runtime_error("oops");
  });
  std::string caught;
  const tasklet me = spawn([&] {
    try {
      t.join_for(1h);
    } catch (const tasklet_exit&) {
      caught = "killed";
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
  });
  yield();
  t.insert();
  // Its end has been sent when this returns, and is not read yet.
  there.settle();
  there.settle();
  const bool killed = GENERATE(true, false);
  if (killed)
    me.kill();
  else
    clock.advance(2h);
  run();
  CHECK(caught == (killed ? "killed" : "oops"));
  CHECK(reported == (killed ? "h" : ""));
  there.end();
  CHECK(there.escaped.empty());
}

TEST_CASE("a select of joins in several threads takes the first end") {
  const scheduler s;
  const abroad one;
  const abroad two;
  const auto wait = [] { suspend(); };
  const tasklet a = one.spawn(wait);
  const tasklet b = two.spawn(wait);
  const tasklet mine = create(wait);
  auto first = a.join_case();
  auto second = b.join_case();
  spawn([&] { b.insert(); });
  CHECK(select(first, second, mine.join_case()) == 1);
  CHECK(select(first, second, default_case()) == 1);
  spawn([&] { a.insert(); });
  CHECK(select(first, mine.join_case()) == 0);
  CHECK(select(in_order, first, second) == 0);
}

TEST_CASE("a case that is not waited for asks nothing") {
  const scheduler s;
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  CHECK(select(t.join_case(), default_case()) == 1);
  CHECK(there.call([&] { return dispatcher::described(t)->observers; }) ==
        nullptr);
  CHECK(run().why == run_result::drained);
}

TEST_CASE("while somebody joins elsewhere there is no deadlock") {
  const scheduler s;
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  channel<int> c;
  spawn([&] {
    t.join();
    c.send(1);
  });
  yield();
  t.insert();
  CHECK(c.receive() == 1);
  CHECK_THROWS_AS(c.receive(), deadlock_error);
}

TEST_CASE("traps forbid to join elsewhere, with nothing changed") {
  const scheduler s;
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  {
    const block_trap none;
    CHECK_THROWS_AS(t.join(), block_trap_error);
    CHECK_THROWS_AS(select(t.join_case()), block_trap_error);
  }
  {
    const switch_trap none;
    CHECK_THROWS_AS(t.join(), switch_trap_error);
    t.kill();  // switches to nobody
  }
  t.join();
  CHECK(run().why == run_result::drained);
}

TEST_CASE("reports tell of those who join elsewhere") {
  const scheduler s;
  const abroad there;
  const tasklet t = there.spawn([] { suspend(); });
  const tasklet me = spawn([&] { t.join(); });
  yield();
  std::ostringstream text;
  report(text);
  CHECK(text.str().find("waits in join of tasklet " + std::to_string(t.id()) +
                        " of another scheduler at ") != std::string::npos);
  me.kill();
}

TEST_CASE("two schedulers may wait for each other's tasklets") {
  const abroad one;
  const abroad two;
  const tasklet a = one.spawn([] { suspend(); });
  const tasklet b = two.spawn([a] { a.join(); });
  const tasklet c = one.spawn([b] { b.join(); });
  a.insert();
  c.join();
  CHECK(!a.alive());
  CHECK(!b.alive());
}

// ---- all at once

// Handles of all threads, passed round.
class pot {
 public:
  void put(const tasklet& t, std::uint64_t r) {
    const std::lock_guard lock(mutex_);
    those_[r % those_.size()] = t;
  }
  tasklet take(std::uint64_t r) {
    const std::lock_guard lock(mutex_);
    return those_[r % those_.size()];
  }

 private:
  std::mutex mutex_;
  std::array<tasklet, 64> those_;
};

TEST_CASE("threads that come and go ask anything of each other's tasklets") {
  constexpr int threads = 4;
  const int lives = weft_test::many >= 100000 ? 60 : 6;
  constexpr int operations = 420;
  static std::atomic<int> begun;
  static std::atomic<int> ended;
  begun = ended = 0;
  struct counted {
    counted() { ++begun; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { ++ended; }
  };
  pot handles;
  const auto live = [&](std::uint64_t seed, bool has_scheduler) {
    std::mt19937_64 random(seed);
    std::optional<scheduler> own;
    std::optional<outside> stay;
    if (has_scheduler) {
      own.emplace();
      own->set_error_handler([](const tasklet&, const std::exception_ptr&) {});
    }
    const auto body = [seed2 = random()]() mutable {
      const counted alive;
      std::mt19937_64 r(seed2);
      for (std::uint64_t i = r() % 8; i != 0; --i) {
        switch (r() % 3) {
          case 0:
            yield();
            break;
          case 1:
            sleep_for(std::chrono::microseconds(r() % 50));
            break;
          default:
            suspend_for(std::chrono::microseconds(r() % 200));
        }
      }
      if (r() % 4 == 0) throw std::runtime_error("stress");
    };
    const auto act = [&] {
      const tasklet t = handles.take(random());
      const auto time = std::chrono::microseconds(random() % 100);
      try {
        switch (random() % 12) {
          case 0:
            t.kill();
            break;
          case 1:
            t.kill(pending);
            break;
          case 2:
            if (t.id() != 0) t.throw_exception(oops());
            break;
          case 3:
            if (t.alive()) t.insert(std::string("some value or other"));
            break;
          case 4:
            t.join();
            break;
          case 5:
            t.join_for(time);
            break;
          case 6:
            if (own)
              select(t.join_case(), handles.take(random()).join_case(),
                     timeout_case(time));
            break;
          default:
            if (!own) break;
            handles.put(random() % 4 == 0 ? create(body) : spawn(body),
                        random());
            yield();
        }
      } catch (const std::runtime_error&) {  // Also weft::error: a dead one.
      }
    };
    if (!own) {
      for (int i = 0; i != operations; ++i) act();
      return;
    }
    std::vector<tasklet> actors;
    for (int a = 0; a != 3; ++a)
      actors.push_back(spawn([&] {
        for (int i = 0; i != operations / 3; ++i) {
          const timeout limit(5ms);
          try {
            act();
          } catch (const timed_out&) {
            continue;
          }
        }
      }));
    for (const tasklet& a : actors) a.join();
  };
  std::vector<std::thread> pool;
  for (int i = 0; i != threads; ++i)
    pool.emplace_back([&, i] {
      for (int n = 0; n != lives; ++n) {
        const auto seed = static_cast<std::uint64_t>(i) * 1000 +
                          static_cast<std::uint64_t>(n);
        std::thread([&] { live(seed, (i + n) % 5 != 0); }).join();
      }
    });
  for (std::thread& each : pool) each.join();
  CHECK(begun == ended);
}

}  // namespace
