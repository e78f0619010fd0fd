// SPDX-License-Identifier: BSL-1.0
// Law 22: mutexes of all kinds.
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <string>
#include <utility>

#include "weft/weft.h"

namespace {

using namespace weft;
using std::chrono::seconds;

TEMPLATE_TEST_CASE("one tasklet at a time, in the order in which they came", "",
                   mutex, recursive_mutex, weft::shared_mutex) {
  const scheduler s;
  TestType m;
  std::string trace;
  for (const char name : {'a', 'b', 'c'})
    spawn([&, name] {
      const std::scoped_lock mine(m);
      trace += name;
      yield();
      trace += name;
    });
  run();
  CHECK(trace == "aabbcc");
  CHECK_FALSE(m.owner().alive());
}

TEMPLATE_TEST_CASE("unlock hands it over, and nobody overtakes", "", mutex,
                   recursive_mutex, weft::shared_mutex) {
  const scheduler s;
  TestType m;
  std::string trace;
  m.lock();
  CHECK(m.owner().is_main());
  const tasklet first = spawn([&] {
    m.lock();
    trace += 'f';
    m.unlock();
  });
  yield();
  m.unlock();
  // It is handed over, and that one has not gone on yet.
  CHECK(m.owner() == first);
  CHECK_FALSE(m.try_lock());
  m.lock();
  CHECK(trace == "f");
  m.unlock();
}

TEMPLATE_TEST_CASE("a timed lock says whether it was had in time", "", mutex,
                   recursive_mutex, weft::shared_mutex) {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  TestType m;
  spawn([&] {
    const std::scoped_lock mine(m);
    sleep_for(seconds(5));
  });
  yield();
  CHECK_FALSE(m.try_lock());
  CHECK_FALSE(m.try_lock_for(seconds(1)));
  CHECK_FALSE(m.try_lock_until(clock.now() + seconds(1)));
  CHECK(m.waiters() == 0);
  CHECK(clock.now().time_since_epoch() == seconds(2));
  const std::unique_lock mine(m, seconds(5));
  CHECK(mine.owns_lock());
  CHECK(clock.now().time_since_epoch() == seconds(5));
}

TEMPLATE_TEST_CASE("only the owner unlocks", "", mutex, recursive_mutex,
                   weft::shared_mutex) {
  const scheduler s;
  TestType m;
  CHECK_THROWS_AS(m.unlock(), error);
  const tasklet other = spawn([&] {
    m.lock();
    suspend();
    m.unlock();
  });
  yield();
  CHECK_THROWS_AS(m.unlock(), error);
  CHECK(m.owner() == other);
  other.insert();
  run();
}

TEMPLATE_TEST_CASE("to lock one's own is an error, and try_lock fails", "",
                   mutex, weft::shared_mutex) {
  const scheduler s;
  TestType m;
  const std::scoped_lock mine(m);
  CHECK_THROWS_AS(m.lock(), error);
  CHECK_THROWS_AS(m.try_lock_for(seconds(1)), error);
  CHECK_THROWS_AS(select(m.lock_case()), error);
  CHECK_FALSE(m.try_lock());
}

TEMPLATE_TEST_CASE("what a tasklet leaves locked is an error to lock", "",
                   mutex, recursive_mutex, weft::shared_mutex) {
  const scheduler s;
  TestType m;
  spawn([&] { m.lock(); });
  run();
  CHECK_FALSE(m.owner().alive());
  CHECK_FALSE(m.try_lock());
  CHECK_THROWS_AS(m.lock(), error);
  CHECK_THROWS_AS(m.unlock(), error);
  // Its place in memory may be another tasklet's now.
  spawn([&] { CHECK_THROWS_AS(m.unlock(), error); });
  run();
}

TEMPLATE_TEST_CASE("those who wait go on with an error when it is destroyed",
                   "", mutex, recursive_mutex, weft::shared_mutex) {
  const scheduler s;
  std::string trace;
  {
    TestType m;
    m.lock();
    spawn([&] {
      try {
        m.lock();
      } catch (const error&) {
        trace += 'e';
      }
    });
    run();
  }
  run();
  CHECK(trace == "e");
}

TEMPLATE_TEST_CASE("a lock case that loses leaves no trace", "", mutex,
                   recursive_mutex, weft::shared_mutex) {
  const scheduler s;
  TestType m;
  channel<int> c;
  std::string trace;
  m.lock();
  spawn([&] {
    select(m.lock_case([&] { trace += 'l'; }),
           c.receive_case([&](int) { trace += 'r'; }));
  });
  yield();
  CHECK(m.waiters() == 1);
  c.send(1);
  CHECK(trace == "r");
  CHECK(m.waiters() == 0);
  m.unlock();
  CHECK(m.try_lock());
  m.unlock();
}

TEMPLATE_TEST_CASE("a lock case that happens is the caller's to unlock", "",
                   mutex, recursive_mutex, weft::shared_mutex) {
  const scheduler s;
  TestType m;
  channel<int> c;
  const bool waits = GENERATE(false, true);
  if (waits) m.lock();
  const tasklet t = spawn([&] {
    CHECK(select(c.receive_case(), m.lock_case()) == 1);
    CHECK(m.owner() == current());
    CHECK(c.balance() == 0);
    suspend();
    m.unlock();
  });
  yield();
  if (waits) m.unlock();
  yield();
  CHECK(m.owner() == t);
  t.insert();
  run();
  CHECK(m.try_lock());
  m.unlock();
}

TEST_CASE("std's locks work, of several at once, too") {
  const scheduler s;
  mutex a;
  recursive_mutex b;
  weft::shared_mutex c;
  int inside = 0;
  for (int i = 0; i != 4; ++i)
    spawn([&] {
      std::lock(a, b);
      const std::lock_guard first(a, std::adopt_lock);
      const std::unique_lock second(b, std::adopt_lock);
      const std::scoped_lock third(c);
      CHECK(++inside == 1);
      yield();
      --inside;
    });
  run();
  CHECK(inside == 0);
  const std::shared_lock reading(c);
  CHECK(c.readers() == 1);
}

TEST_CASE("lock_all() locks in one order, whatever order it is given") {
  const scheduler s;
  mutex a;
  mutex b;
  recursive_mutex c;
  int inside = 0;
  int turns = 0;
  for (int i = 0; i != 12; ++i)
    spawn([&, i] {
      for (int n = 0; n != 5; ++n) {
        if (i % 3 == 0) lock_all(a, b, c);
        if (i % 3 == 1) lock_all(c, b, a);
        if (i % 3 == 2) lock_all(b, c, a);
        const std::scoped_lock all(std::adopt_lock, a, b, c);
        CHECK(++inside == 1);
        yield();
        --inside;
        ++turns;
      }
    });
  CHECK(run().blocked == 0);
  CHECK(turns == 60);
}

TEST_CASE("lock_all() of locks locks in the order of their mutexes") {
  const scheduler s;
  mutex a;
  mutex b;
  mutex& first = GENERATE(false, true) ? a : b;
  const auto both = [](mutex& x, mutex& y) {
    std::unique_lock one(x, std::defer_lock);
    std::unique_lock other(y, std::defer_lock);
    lock_all(one, other);
    yield();
  };
  first.lock();
  const tasklet t = spawn([&] { both(a, b); });
  const tasklet u = spawn([&] { both(b, a); });
  yield();
  first.unlock();
  t.join();
  u.join();
}

TEST_CASE("a lock_all() that fails leaves nothing locked") {
  const scheduler s;
  std::array<mutex, 3> all;
  const tasklet holder = spawn([&] {
    const std::scoped_lock last(all[2]);
    suspend();
  });
  yield();
  const tasklet t = spawn([&] { lock_all(all[2], all[0], all[1]); });
  yield();
  CHECK(all[0].owner() == t);
  t.kill();
  CHECK(!t.alive());
  CHECK(all[0].try_lock());
  CHECK(all[1].try_lock());
  all[0].unlock();
  all[1].unlock();
  holder.insert();
  run();
}

TEST_CASE("a recursive mutex is unlocked as often as it was locked") {
  const scheduler s;
  recursive_mutex m;
  std::string trace;
  m.lock();
  spawn([&] {
    m.lock();
    trace += 'o';
    m.unlock();
  });
  yield();
  m.lock();  // overtakes
  CHECK(m.try_lock());
  CHECK(select(m.lock_case()) == 0);
  for (int i = 0; i != 4; ++i) {
    run();
    CHECK(trace.empty());
    m.unlock();
  }
  run();
  CHECK(trace == "o");
}

TEST_CASE("readers that stand next to each other go together, in line") {
  const scheduler s;
  weft::shared_mutex m;
  std::string trace;
  const auto reader = [&](char name) {
    const std::shared_lock reading(m);
    trace += name;
    yield();
    trace += name;
  };
  const auto writer = [&](char name) {
    const std::scoped_lock writing(m);
    trace += name;
    yield();
    trace += name;
  };
  spawn(reader, 'a');
  spawn(reader, 'b');
  spawn(writer, 'W');
  spawn(reader, 'c');  // behind the writer, though others read
  spawn(reader, 'd');
  spawn(writer, 'X');
  run();
  CHECK(trace == "ababWWcdcdXX");
  CHECK_THROWS_AS(m.unlock_shared(), error);
}

TEST_CASE("readers go on when the writer before them leaves the line") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  weft::shared_mutex m;
  const bool killed = GENERATE(false, true);
  m.lock_shared();
  const tasklet writer =
      spawn([&] { static_cast<void>(m.try_lock_for(seconds(1))); });
  const tasklet reader = spawn([&] {
    m.lock_shared();
    m.unlock_shared();
  });
  yield();
  CHECK_FALSE(m.try_lock_shared());
  if (killed) writer.kill();
  reader.join();
  CHECK(clock.now().time_since_epoch() == seconds(killed ? 0 : 1));
  m.unlock_shared();
}

TEST_CASE("the deadlock report names mutexes and the cycle of owners") {
  const scheduler s;
  mutex a;
  mutex b;
  a.set_name("a");
  b.set_name("accounts");
  const auto both = [](mutex& first, mutex& second) {
    const std::scoped_lock mine(first);
    yield();
    second.lock();
  };
  const tasklet x = spawn({.name = "x"}, both, std::ref(a), std::ref(b));
  const tasklet y = spawn({.name = "y"}, both, std::ref(b), std::ref(a));
  run();
  std::ostringstream text;
  report(text);
  const auto says = [&](const std::string& what) {
    INFO(text.str());
    CHECK(text.str().find(what) != std::string::npos);
  };
  says("waits in lock on mutex 'accounts'");
  const auto id = [](const tasklet& t) { return std::to_string(t.id()); };
  says("a cycle: tasklet " + id(x) +
       " 'x' waits for mutex 'accounts' of tasklet " + id(y) +
       " 'y' waits for mutex 'a' of tasklet " + id(x) + " 'x'");
  CHECK_THROWS_AS(y.join(), deadlock_error);
  y.kill();
  run();
}

TEST_CASE("call_once is done once, by the first whose call does not throw") {
  const scheduler s;
  once_flag flag;
  std::string trace;
  int calls = 0;
  for (const char name : {'a', 'b', 'c', 'd'})
    spawn([&, name] {
      try {
        call_once(flag, [&] {
          trace += name;
          yield();
          if (++calls < 2) throw 1;
        });
        trace += '.';
      } catch (int) {
        trace += '!';
      }
    });
  run();
  CHECK(trace == "a!b...");
  CHECK(flag.done());
  call_once(flag, [&] { trace += 'x'; });
  CHECK(trace == "a!b...");
  once_flag other;
  call_once(other, [&] { CHECK_THROWS_AS(call_once(other, [] {}), error); });
  CHECK(other.done());
}

TEST_CASE("a select for both kinds of a lock leaves the line whole") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  weft::shared_mutex m;
  m.lock();
  spawn([&] {
    const std::shared_lock reading(m);
    sleep_for(std::chrono::seconds(5));
  });
  std::size_t happened = 9;
  spawn([&] {
    happened =
        select(m.lock_case(), m.lock_shared_case(), timeout_case(seconds(1)));
  });
  yield();
  m.unlock();
  CHECK(run().blocked == 0);
  CHECK(happened == 2);
  CHECK(m.try_lock());
  m.unlock();
}

}  // namespace
