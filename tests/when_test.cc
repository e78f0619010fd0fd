// SPDX-License-Identifier: BSL-1.0
// Several futures as one, and waiting for several things.
#include "weft/structure/when.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/as_completed.h"
#include "weft/structure/future.h"
#include "weft/structure/wait_any.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::allocations;
using weft_test::counted;

std::exception_ptr failure_of(int n) { return std::make_exception_ptr(n); }

// Promises, and their futures.
struct pairs {
  explicit pairs(std::size_t n) : in(n) {
    for (promise<int>& p : in) out.push_back(p.get_future());
  }
  std::vector<promise<int>> in;
  std::vector<future<int>> out;
};

// ---- when_all

TEST_CASE("when_all() is ready when all are, whatever their order") {
  const scheduler s;
  std::vector<std::size_t> order{0, 1, 2};
  do {
    pairs p(3);
    future<std::vector<int>> all = when_all(std::move(p.out));
    for (std::size_t i : order) {
      CHECK_FALSE(all.ready());
      p.in[i].set_value(static_cast<int>(i) * 10);
    }
    CHECK(all.ready());
    CHECK(all.get() == std::vector{0, 10, 20});
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("when_all() takes futures of any kinds") {
  const scheduler s;
  int there = 1;
  auto all = when_all(async([] { return std::make_unique<int>(2); }),
                      async([&]() -> int& { return there; }), async([] {}));
  auto [unique, reference, nothing] = all.get();
  static_assert(std::is_same_v<decltype(nothing), std::monostate>);
  CHECK(*unique == 2);
  CHECK(&reference == &there);

  std::list<future<int&>> references;
  references.push_back(async([&]() -> int& { return there; }));
  CHECK(&when_all(std::move(references)).get().front().get() == &there);
  std::deque<future<void>> nothings;
  nothings.push_back(async([&] { there = 5; }));
  when_all(std::move(nothings)).get();
  CHECK(there == 5);
  CHECK(when_all().get() == std::tuple<>());
  CHECK(when_all(std::vector<future<int>>()).get().empty());
}

TEST_CASE("values are moved together by who gets them, not by who makes them") {
  counted::reset();
  const scheduler s;
  promise<counted> p;
  promise<counted> q;
  auto all = when_all(p.get_future(), q.get_future());
  p.set_value(counted(1));
  q.set_value(counted(2));
  CHECK(counted::moves == 2);
  SECTION("once") {
    const shared_future<std::tuple<counted, counted>> shared = all.share();
    CHECK(std::get<1>(shared.get()).value == 2);
    const int moves = counted::moves;
    CHECK(std::get<0>(shared.get()).value == 1);
    CHECK(counted::moves == moves);
  }
  SECTION("a move that fails is what the whole comes to") {
    counted::throw_in = 1;
    CHECK_THROWS_AS(all.get(), weft_test::move_failed);
    CHECK_FALSE(all.valid());
  }
}

TEST_CASE("when_all() fails as soon as one has failed") {
  scheduler s;
  std::string unheard;
  s.set_error_handler([&](const tasklet&, std::exception_ptr what) {
    try {
      std::rethrow_exception(std::move(what));
    } catch (int n) {
      unheard += static_cast<char>('0' + n);
    }
  });
  {
    pairs p(3);
    future<std::vector<int>> all = when_all(std::move(p.out));
    p.in[2].set_exception(failure_of(2));
    CHECK(all.ready());
    p.in[0].set_exception(failure_of(0));
    CHECK_THROWS_AS(all.get(), int);
  }
  CHECK(unheard == "0");  // Nobody has looked at that one.
  {
    pairs p(1);
    const auto all = when_all(std::move(p.out));
    p.in[0].set_exception(failure_of(7));
  }
  CHECK(unheard == "07");  // Once: what came of it was the same failure.
}

TEST_CASE("a broken promise breaks the whole") {
  const scheduler s;
  std::optional<pairs> p(std::in_place, 2);
  future<std::vector<int>> all = when_all(std::move(p->out));
  p.reset();
  CHECK_THROWS_AS(all.get(), broken_promise);
}

TEST_CASE("what is dropped drops what it waits for") {
  const scheduler s;
  const bool any = GENERATE(false, true);
  auto kept = std::make_shared<int>(1);
  promise<std::shared_ptr<int>> p;
  promise<std::shared_ptr<int>> q;
  if (any)
    static_cast<void>(when_any(p.get_future(), q.get_future()));
  else
    static_cast<void>(when_all(p.get_future(), q.get_future()));
  p.set_value(kept);
  q.set_value(kept);
  CHECK(kept.use_count() == 3);
  p = {};
  q = {};
  CHECK(kept.use_count() == 1);
}

TEST_CASE("no tasklet waits for the whole, and who waits goes on in order") {
  scheduler s;
  pairs p(2);
  shared_future<std::vector<int>> all = when_all(std::move(p.out)).share();
  CHECK(s.live() == 0);
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&, name] {
      all.wait();
      trace += name;
    });
  yield();
  p.in[0].set_value(1);
  yield();
  p.in[1].set_value(2);
  trace += 'm';
  yield();
  CHECK(trace == "mabc");
}

TEST_CASE("futures of futures of futures") {
  const scheduler s;
  pairs p(2);
  std::vector<future<int>> one;
  one.push_back(std::move(p.out[0]));
  auto whole = when_all(when_any(std::move(one)),
                        when_all(std::move(p.out[1]), async([] {})));
  p.in[1].set_value(1);
  yield();
  CHECK_FALSE(whole.ready());
  p.in[0].set_value(0);
  auto [first, rest] = whole.get();
  CHECK(first.futures[first.index].get() == 0);
  CHECK(std::get<0>(rest) == 1);
}

TEST_CASE("a future that cannot be waited for is refused") {
  const scheduler s;
  CHECK_THROWS_AS(when_all(future<int>()), error);
  CHECK_THROWS_AS(when_any(future<int>()), error);
  CHECK_THROWS_AS(when_any(std::vector<future<int>>()), std::invalid_argument);
  pairs p(1);
  std::thread([&] {
    const scheduler other;
    CHECK_THROWS_AS(as_completed(p.out), wrong_scheduler);
    CHECK_THROWS_AS(wait_any(p.out), wrong_scheduler);
  }).join();
  p.out.emplace_back();
  CHECK_THROWS_AS(as_completed(p.out), error);
  CHECK_THROWS_AS(wait_all(p.out), error);
}

TEST_CASE(
    "the whole is one allocation, for a range two more with the result's") {
  const scheduler s;
  pairs p(3);
  pairs q(2);
  const std::size_t before = allocations();
  auto all = when_all(std::move(p.out));
  CHECK(allocations() - before == 3);  // The vector of futures was there.
  auto both = when_all(std::move(q.out[0]), std::move(q.out[1]));
  CHECK(allocations() - before == 4);
}

// ---- when_any

TEST_CASE("when_any() is ready when the first is, and gives all back") {
  const scheduler s;
  const auto first = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2});
  pairs p(3);
  auto any = when_any(std::move(p.out));
  CHECK_FALSE(any.ready());
  p.in[first].set_value(6);
  auto [index, futures] = any.get();
  CHECK(index == first);
  CHECK(futures[first].get() == 6);
  const std::size_t other = (first + 1) % 3;
  CHECK_FALSE(futures[other].ready());
  p.in[other].set_value(7);
  CHECK(futures[other].get() == 7);
}

TEST_CASE("of futures that are ready when_any() takes the first") {
  const scheduler s;
  promise<int> never;
  promise<void> fails;
  promise<int> done;
  fails.set_exception(failure_of(1));
  done.set_value(1);
  auto any =
      when_any(never.get_future(), fails.get_future(), done.get_future()).get();
  CHECK(any.index == 1);
  CHECK_THROWS_AS(std::get<1>(any.futures).get(), int);
}

// ---- as_completed

TEST_CASE("as_completed() gives futures in the order in which they are ready") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  std::vector<future<int>> all;
  for (int d : {3, 1, 2, 1, 0})
    all.push_back(async([d] {
      sleep_for(std::chrono::seconds(d));
      return d;
    }));
  std::string trace;
  SECTION("of a range that stays") {
    for (future<int>& f : as_completed(all)) {
      CHECK(f.ready());
      trace += std::to_string(&f - all.data()) + std::to_string(f.get()) + ' ';
    }
    CHECK(trace == "40 11 31 22 03 ");
  }
  SECTION("of one that is given away") {
    for (future<int>& f : as_completed(std::move(all)))
      trace += std::to_string(f.get());
    CHECK(trace == "01123");
  }
  SECTION("those that are ready come first, in their order") {
    all[2].wait();
    for (const future<int>& f : as_completed(all))
      trace += std::to_string(&f - all.data());
    CHECK(trace == "12340");
  }
  SECTION("and only some of them") {
    for (future<int>& f :
         as_completed(all | std::views::take(3)) | std::views::take(2))
      trace += std::to_string(f.get());
    CHECK(trace == "12");
    CHECK(all[0].get() == 3);
  }
}

TEST_CASE("a loop over as_completed() may be left, killed and time out") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  pairs p(2);
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      const timeout limit(1s);
      for (future<int>& f : as_completed(p.out))
        trace += std::to_string(f.get());
    } catch (const timed_out&) {
      trace += 't';
    } catch (const tasklet_exit&) {
      trace += 'k';
    }
  });
  yield();
  p.in[1].set_value(1);
  const bool kills = GENERATE(false, true);
  if (kills)
    t.kill();
  else
    sleep_for(2s);
  CHECK(trace == (kills ? "k" : "1t"));
  p.in[0].set_value(0);
  CHECK(p.out[0].get() == 0);
}

TEST_CASE("futures may be moved and dropped while a loop waits for them") {
  const scheduler s;
  pairs p(2);
  auto line = as_completed(p.out);
  future<int> elsewhere = std::move(p.out[0]);
  p.out[1] = {};
  p.in[1].set_value(1);
  p.in[0].set_value(0);
  std::string trace;
  for (const future<int>& f : line)
    trace += static_cast<char>('0' + (&f - p.out.data()));
  CHECK(trace == "10");
  CHECK(elsewhere.get() == 0);
}

// ---- wait_any, wait_all

TEST_CASE("wait_any() waits for the first, and takes nothing") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  pairs p(3);
  shared_future<void> later = async([] { sleep_for(1s); });
  CHECK(wait_any(p.out[0], later) == 1);
  p.in[2].set_value(1);
  CHECK(wait_any(p.out) == 2);
  CHECK(wait_any(std::array{&later}) == 0);
  p.in[1].set_value(1);
  CHECK(wait_any(p.out) == 1);
  CHECK(p.out[1].get() == 1);
}

TEST_CASE("wait_any() may end with the time") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  pairs p(2);
  const auto start = clock.now();
  CHECK(wait_any_for(1s, p.out[0], p.out[1]) == std::nullopt);
  CHECK(wait_any_for(1s, p.out) == std::nullopt);
  CHECK(clock.now() == start + 2s);
  CHECK(wait_any_until(start, p.out) == std::nullopt);
  p.in[1].set_value(1);
  CHECK(wait_any_until(start, p.out[0], p.out[1]) == 1);
  CHECK(wait_any_for(0s, p.out) == 1);
  CHECK(clock.now() == start + 2s);
}

TEST_CASE("wait_all() waits for all, or until the time is over") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  const auto start = clock.now();
  std::vector<future<void>> all;
  for (int d : {3, 1, 2})
    all.push_back(async([d] { sleep_for(std::chrono::seconds(d)); }));
  CHECK_FALSE(wait_all_for(1s, all));
  CHECK(clock.now() == start + 1s);
  CHECK_FALSE(wait_all_until(start + 2s, all[1], all[2], all[0]));
  CHECK(clock.now() == start + 2s);
  wait_all(all);
  wait_all(all[0], all[1]);
  CHECK(clock.now() == start + 3s);
  CHECK(wait_all_for(0s, all));
  CHECK(wait_all_until(start, all[0]));
}

}  // namespace
