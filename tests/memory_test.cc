// SPDX-License-Identifier: BSL-1.0
// Where there is no memory for a stack.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/scope.h"
#include "weft/tasklet/context.h"

// The sanitizers' own mappings leave no limit to set.
#if !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
namespace {

using namespace weft;

constexpr std::size_t larger_than_life = 1 << 30;

// While it lives the process can map little more than it has.
class scarcity {
 public:
  scarcity() {
    getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit now = before_;
    now.rlim_cur = pages * stack_guard::size() + (std::size_t{32} << 20);
    setrlimit(RLIMIT_AS, &now);
  }
  scarcity(const scarcity&) = delete;
  scarcity& operator=(const scarcity&) = delete;
  ~scarcity() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

// Does something when it is destroyed, wherever it was moved.
template <typename F>
struct at_end {
  F f;
  bool armed = true;
  explicit at_end(F g) : f(std::move(g)) {}
  at_end(at_end&& o) noexcept
      : f(std::move(o.f)), armed(std::exchange(o.armed, false)) {}
  at_end& operator=(at_end&&) = delete;
  ~at_end() {
    if (armed) f();
  }
  void operator()() const {}
};

TEST_CASE("a tasklet that gets no stack ends as if it had thrown bad_alloc") {
  const scheduler s;
  const scarcity little;
  std::string trace;
  const tasklet t =
      spawn({.stack_size = larger_than_life}, at_end([&] { trace += 'd'; }));
  spawn([&] { trace += 'n'; });
  CHECK_THROWS_AS(t.join(), std::bad_alloc);
  CHECK(!t.alive());
  run();
  CHECK(trace == "dn");
}

TEST_CASE("the callable of one that gets no stack may block as it ends") {
  const scheduler s;
  const scarcity little;
  std::string trace;
  channel<int> mine;
  channel<int> c;
  spawn({.stack_size = larger_than_life}, at_end([&] {
          const shield whole;
          trace += current().is_main() ? 'm' : 't';
          trace += static_cast<char>('0' + *c.receive());
          yield();
        }));
  spawn([&] {
    c.send(1);
    trace += 's';
    yield();
    mine.send(2);
  });
  try {
    trace += static_cast<char>('0' + *mine.receive());
  } catch (const std::bad_alloc&) {
    trace += 'b';
  }
  CHECK(mine.balance() == 0);
  while (s.live() != 0) {
    try {
      if (mine.balance() > 0) mine.receive();
      yield();
    } catch (const std::bad_alloc&) {
      trace += 'b';
    }
  }
  CHECK(trace.substr(0, 3) == "t1s");
  CHECK(trace.find('b') != std::string::npos);
}

TEST_CASE("a scheduler for which there is no memory is not made") {
  {
    const scarcity little;
    std::vector<char> most(std::size_t{24} << 20);  // no room for a slab
    CHECK_THROWS_AS(scheduler(), std::bad_alloc);
  }
  const scheduler s;
  bool ran = false;
  spawn([&] { ran = true; });
  run();
  CHECK(ran);
}

TEST_CASE("many that get no stack end one after the other") {
  const scheduler s;
  const scarcity little;
  int ended = 0;
  int failed = 0;
  for (int i = 0; i != 50; ++i)
    spawn({.stack_size = larger_than_life}, at_end([&] { ++ended; }));
  while (s.live() != 0) {
    try {
      run();
    } catch (const std::bad_alloc&) {
      ++failed;
    }
  }
  CHECK(ended == 50);
  CHECK(failed == 50);
}

TEST_CASE("a scope hears of a member that gets no stack") {
  const scheduler s;
  const scarcity little;
  scope all;
  all.spawn({.stack_size = larger_than_life}, [] {});
  CHECK_THROWS_AS(all.join(), std::bad_alloc);
}

}  // namespace
#endif
