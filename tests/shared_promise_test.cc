// SPDX-License-Identifier: BSL-1.0
// Promises that are kept in another thread: law 23.
#include <catch2/catch.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/future.h"
#include "weft/structure/when.h"
#include "weft/threads/scheduler_pool.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

std::exception_ptr an_int(int i) { return std::make_exception_ptr(i); }

// Does it in a thread that has a scheduler, or none.
std::thread elsewhere(bool scheduled, std::function<void()> f) {
  return std::thread([scheduled, f = std::move(f)] {
    std::optional<scheduler> s;
    if (scheduled) s.emplace();
    f();
  });
}

}  // namespace

TEST_CASE("a shared promise is kept in another thread") {
  const bool scheduled = GENERATE(true, false);
  const scheduler s;
  promise<std::string> p(shared);
  future<std::string> f = p.get_future();
  std::thread other;
  SECTION("before anybody waits") {
    elsewhere(scheduled, [&] { p.set_value("yes"); }).join();
  }
  SECTION("while somebody waits") {
    other = elsewhere(scheduled, [&] {
      std::this_thread::sleep_for(5ms);
      p.set_value("yes");
    });
  }
  SECTION("and destroyed there") {
    auto own = std::make_shared<promise<std::string>>(std::move(p));
    other = elsewhere(scheduled, [own = std::move(own)]() mutable {
      own->set_value("yes");
      own.reset();
    });
  }
  CHECK(f.get() == "yes");
  if (other.joinable()) other.join();
}

TEST_CASE("or failed there, or broken") {
  const bool scheduled = GENERATE(true, false);
  const scheduler s;
  std::optional<promise<int>> p(shared);
  future<int> f = p->get_future();
  std::thread other;
  SECTION("failed") {
    other = elsewhere(scheduled, [&] { p->set_exception(an_int(7)); });
    CHECK_THROWS_AS(f.get(), int);
    other.join();
  }
  SECTION("broken") {
    other = elsewhere(scheduled, [&] { p.reset(); });
    CHECK_THROWS_AS(f.get(), broken_promise);
    other.join();
  }
}

TEST_CASE("it is kept at home, too") {
  const scheduler s;
  promise<int> p(shared);
  future<int> f = p.get_future();
  spawn([&] { p.set_value(3); });
  CHECK(f.get() == 3);
}

TEST_CASE("its future is for its own thread, and given once") {
  const scheduler s;
  promise<void> p(shared);
  SECTION("given there") {
    elsewhere(true, [&] {
      CHECK_THROWS_AS(p.get_future(), wrong_scheduler);
    }).join();
    elsewhere(false, [&] {
      CHECK_THROWS_AS(p.get_future(), no_scheduler);
    }).join();
    CHECK(p.get_future().valid());
  }
  SECTION("used there") {
    future<void> f = p.get_future();
    CHECK_THROWS_AS(p.get_future(), error);
    elsewhere(true, [&] {
      CHECK_THROWS_AS(f.wait(), wrong_scheduler);
      CHECK_THROWS_AS(f.try_get(), wrong_scheduler);
      CHECK_THROWS_AS(select(f.wait_case()), wrong_scheduler);
    }).join();
    p.set_value();
    f.get();
  }
}

TEST_CASE("it is kept once, and only if its value could be made") {
  struct reluctant {
    explicit reluctant(bool throws) {
      if (throws) throw std::runtime_error("no");
    }
  };
  const scheduler s;
  promise<reluctant> p(shared);
  future<reluctant> f = p.get_future();
  elsewhere(false, [&] {
    CHECK_THROWS_AS(p.set_value(true), std::runtime_error);
    p.set_value(false);
    CHECK_THROWS_AS(p.set_value(false), error);
    CHECK_THROWS_AS(p.set_exception(an_int(1)), error);
  }).join();
  f.get();
}

TEST_CASE("whoever waits for it may be killed, time out, or select") {
  const scheduler s;
  promise<int> p(shared);
  future<int> f = p.get_future();
  const tasklet t = spawn([&] { f.wait(); });
  yield();
  t.kill();
  CHECK(!f.wait_for(1ms));
  CHECK(select(f.wait_case(), timeout_case(1ms)) == 1);
  auto other = elsewhere(false, [&] { p.set_value(1); });
  CHECK(select(f.wait_case(), timeout_case(1h)) == 0);
  CHECK(f.get() == 1);
  other.join();
}

TEST_CASE("futures of several threads are one") {
  const scheduler s;
  promise<int> near;
  promise<int> far(shared);
  future<std::vector<int>> all = [&] {
    std::vector<future<int>> each;
    each.push_back(near.get_future());
    each.push_back(far.get_future());
    return when_all(std::move(each));
  }();
  auto other = elsewhere(true, [&] { far.set_value(2); });
  spawn([&] { near.set_value(1); });
  CHECK(all.get() == std::vector{1, 2});
  other.join();
}

TEST_CASE("run() waits until it is kept") {
  const scheduler s;
  promise<int> p(shared);
  const future<int> f = p.get_future();
  auto other = elsewhere(false, [&] {
    std::this_thread::sleep_for(5ms);
    p.set_value(1);
  });
  run();
  CHECK(f.ready());
  other.join();
}

TEST_CASE("a failure that nobody looks at is reported once") {
  scheduler s;
  std::vector<int> reported;
  s.set_error_handler([&](const tasklet&, const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (int i) {
      reported.push_back(i);
    }
    return std::exception_ptr();
  });
  std::optional<promise<int>> p(shared);
  const auto fail = [&] {
    elsewhere(false, [&] { p->set_exception(an_int(4)); }).join();
    run();
  };
  SECTION("where the future has gone before") {
    static_cast<void>(p->get_future());
    fail();
  }
  SECTION("where that goes later") {
    const future<int> f = p->get_future();
    fail();
    CHECK(f.ready());
    CHECK(reported.empty());
  }
  SECTION("where the promise had it to the end") {
    fail();
    CHECK(reported.empty());
    elsewhere(true, [&] { p.reset(); }).join();
    run();
  }
  SECTION("where the promise gives it after that") {
    fail();
    CHECK(reported.empty());
    CHECK(p->get_future().ready());
  }
  CHECK(reported == std::vector{4});
}

TEST_CASE("nothing is left behind, whoever goes first") {
  const auto payload = std::make_shared<int>();
  std::optional<scheduler> s(std::in_place);
  std::optional<promise<std::shared_ptr<int>>> p(shared);
  std::optional<future<std::shared_ptr<int>>> f(p->get_future());
  const auto keep = [&] {
    elsewhere(false, [&] { p->set_value(payload); }).join();
  };
  const auto drop = [&] { elsewhere(false, [&] { p.reset(); }).join(); };
  SECTION("the future") {
    f.reset();
    keep();
    drop();
  }
  SECTION("the promise") {
    keep();
    drop();
    CHECK(payload.use_count() == 2);
    f->wait();
    f.reset();
    CHECK(payload.use_count() == 1);
  }
  SECTION("the scheduler, before it is kept") {
    s.reset();
    keep();
    CHECK(!f->ready());
    drop();
    f.reset();
  }
  SECTION("the scheduler, before it hears of it") {
    keep();
    s.reset();
    drop();
    f.reset();
  }
  SECTION("the scheduler, and the future") {
    s.reset();
    f.reset();
    keep();
    drop();
  }
  s.reset();
  CHECK(payload.use_count() == 1);
}

TEST_CASE("nobody but its scheduler has to do with its arrival") {
  scheduler s;
  promise<int> p(shared);
  future<int> f = p.get_future();
  s.set_schedule_callback([&](const tasklet&, const tasklet& to) {
    if (to.alive() && !to.is_main()) to.kill(pending);
  });
  auto other = elsewhere(false, [&] { p.set_value(1); });
  CHECK(f.get() == 1);
  s.set_schedule_callback(nullptr);
  other.join();
}

TEST_CASE(
    "whoever waits for it inside a shield is told when the scheduler ends") {
  bool told = false;
  promise<int> p = [&] {
    const scheduler s;
    promise<int> its(shared);
    spawn([&told, f = its.get_future()]() mutable {
      const shield on;
      try {
        f.get();
      } catch (const deadlock_error&) {
        told = true;
      }
    });
    yield();
    return its;
  }();
  CHECK(told);
  p.set_value(3);
}

TEST_CASE("a time-out of another scheduler is not that of a limit here") {
  const scheduler s;
  scheduler_pool pool{{.threads = 1}};
  const timeout limit(1h);
  auto f = pool.async([] {
    const timeout short_one(0s);
    sleep_for(1h);
  });
  try {
    f.get();
    FAIL("it came back");
  } catch (const timed_out& e) {
    CHECK_FALSE(e.by(limit));
  }
}

TEST_CASE("the callable of a pool's future has ended when that is ready") {
  const scheduler s;
  scheduler_pool pool{{.threads = 2}};
  const auto payload = std::make_shared<int>();
  for (int i = 0; i != 200; ++i) {
    pool.async([payload] {}).get();
    CHECK(payload.use_count() == 1);
  }
}

TEST_CASE("a pool gives futures") {
  const scheduler s;
  std::optional<scheduler_pool> pool(scheduler_pool_options{.threads = 2});
  int here = 0;
  CHECK(pool->async([] { return std::make_unique<int>(3); }).get() != nullptr);
  CHECK(&pool->async([&]() -> int& { return here; }).get() == &here);
  pool->async([] { yield(); }).get();
  CHECK_THROWS_AS(pool->async({.name = "seven"}, [] { throw 7; }).get(), int);
  const future<void> killed = pool->async([] { suspend(); });
  pool.reset();
  killed.wait();
  CHECK_THROWS_AS(std::rethrow_exception(killed.failure()), broken_promise);
}

TEST_CASE("many of them cross at once") {
  constexpr int many = 2000;
  const scheduler s;
  scheduler_pool pool{{.threads = 2}};
  std::vector<future<int>> all;
  for (int i = 0; i != many; ++i) {
    promise<int> p(shared);
    all.push_back(p.get_future());
    pool.spawn([p = std::move(p), i]() mutable {
      if (i % 3 == 0) yield();
      if (i % 7 != 0) p.set_value(i);
    });
  }
  long sum = 0;
  int broken = 0;
  for (int i = 0; i != many; ++i) {
    try {
      sum += all[static_cast<std::size_t>(i)].get() - i;
    } catch (const broken_promise&) {
      ++broken;
    }
  }
  CHECK(sum == 0);
  CHECK(broken == (many + 6) / 7);
  pool.join();
}
