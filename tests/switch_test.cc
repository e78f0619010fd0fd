// SPDX-License-Identifier: BSL-1.0
// What a switch keeps: frames, registers, and what is the thread's.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/flow.h"
#include "weft/tests/support/registers.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

// Trashes the registers at each of its turns, until it is killed.
void vandalize() {
  for (;;) {
    weft_test::trash_registers();
    yield();
  }
}

// Calls test(block) for every way to block, in a tasklet, among vandals.
template <typename Test>
void for_each_way_to_block(Test test) {
  const scheduler s;
  channel<int> requests;
  channel<int> answers;
  spawn(vandalize);
  spawn([&] {
    for (const int i : requests) {
      weft_test::trash_registers();
      answers.send(i);
    }
  });
  const tasklet t = spawn([&] {
    test([] { yield(); });
    test([&] {
      requests.send(1);
      answers.receive();
    });
    test([] { spawn([] { weft_test::trash_registers(); }).join(); });
    test([] { sleep_for(1ns); });
  });
  spawn(vandalize);
  t.join();
}

TEMPLATE_TEST_CASE("values in registers are the same after a blocking call", "",
                   std::uint64_t, double, long double) {
  for_each_way_to_block(
      [](auto block) { CHECK(weft_test::values_survive<TestType>(block)); });
}

TEST_CASE("vectors in registers are the same after a blocking call") {
  using floats = float __attribute__((vector_size(16)));
  for_each_way_to_block(
      [](auto block) { CHECK(weft_test::values_survive<floats>(block)); });
}

// A frame that is found through a base pointer: its size is known only at run
// time, and its place is aligned more than the stack is.
template <typename Block>
[[gnu::noinline]] bool frame_survives(std::size_t n, Block block) {
  alignas(128) std::array<std::uint64_t, 32> fixed;
  auto* const grown = static_cast<unsigned char*>(__builtin_alloca(n));
  const auto fixed_at = reinterpret_cast<std::uintptr_t>(&fixed);
  std::uint64_t* first = fixed.data();
  asm volatile("" : "+r"(first) : "r"(grown) : "memory");
  std::iota(fixed.begin(), fixed.end(), 1);
  std::fill_n(grown, n, static_cast<unsigned char>(7));
  block();
  std::uint64_t sum =
      std::accumulate(fixed.begin(), fixed.end(), std::uint64_t{0});
  sum = std::accumulate(grown, grown + n, sum);
  block();
  sum = std::accumulate(first, first + fixed.size(), sum);
  return sum == std::uint64_t{33} * 32 + 7 * n && fixed_at % 128 == 0;
}

TEST_CASE("a frame of unknown size and large alignment survives") {
  for_each_way_to_block([](auto block) {
    for (const std::size_t n : {1U, 37U, 1000U})
      CHECK(frame_survives(n, block));
  });
}

TEST_CASE("an exception on its way passes frames that have blocked") {
  for_each_way_to_block([](auto block) {
    struct blocks {
      decltype(block)& b;
      bool& right;
      ~blocks() { right = right && weft_test::values_survive<double>(b); }
    };
    bool right = true;
    std::string what;
    try {
      const blocks outer{block, right};
      const blocks inner{block, right};
      block();
      throw std::runtime_error("x");
    } catch (const std::runtime_error& e) {
      block();
      what = e.what();
    }
    CHECK(what == "x");
    CHECK(right);
  });
}

// ---- what is the thread's

TEST_CASE("errno is the thread's: what another tasklet sets is seen") {
  const scheduler s;
  spawn([] { errno = ERANGE; });
  errno = 0;
  yield();
  CHECK(errno == ERANGE);
}

TEST_CASE("an operation that succeeds leaves errno as it was") {
  const auto leaves_errno = [](const char* what, auto operation) {
    INFO(what);
    errno = ENOTTY;
    operation();
    const int after = errno;
    CHECK(after == ENOTTY);
  };
  virtual_clock clock;
  std::optional<scheduler> s;
  leaves_errno("scheduler",
               [&] { s.emplace(scheduler_options{.driver = &clock}); });
  {
    channel<int> c;
    channel<int> buffered(8);
    leaves_errno("spawn and start", [&] {
      for (int i = 0; i < 300; ++i) spawn([] { yield(); });
      for (int i = 0; i < 300; ++i)
        spawn({.name = "own", .stack_size = std::size_t{128} << 10}, [] {});
      run();
    });
    leaves_errno("rendezvous", [&] {
      spawn([&] { c.send(1); });
      c.receive();
      spawn([&] { c.receive(); });
      c.send(1);
    });
    leaves_errno("buffer", [&] {
      for (int i = 0; i < 8; ++i) buffered.send(i);
      for (int i = 0; i < 8; ++i) buffered.receive();
    });
    leaves_errno("sleep", [&] {
      spawn([] { sleep_for(1h); });
      sleep_for(2h);
    });
    leaves_errno("join", [] { spawn([] { yield(); }).join(); });
    leaves_errno("kill", [&] {
      const tasklet t = spawn([&] { c.receive(); });
      yield();
      t.kill();
    });
    leaves_errno("an exception", [] {
      spawn([] { throw 1; });
      CHECK_THROWS_AS(run(), int);
    });
  }
  leaves_errno("the end", [&] { s.reset(); });
}

TEST_CASE("a wait in the kernel leaves errno as it was") {
  const scheduler s;
  errno = ENOTTY;
  sleep_for(1us);
  const int after = errno;
  CHECK(after == ENOTTY);
}

#if defined(WEFT_INLINE_SWITCH) || !defined(__x86_64__)
constexpr bool keeps_rounding_mode = false;
#else
constexpr bool keeps_rounding_mode = true;
#endif

TEST_CASE(
    "the rounding mode is the thread's, with fcontext on x86-64 its own") {
  const scheduler s;
  int seen = -1;
  const int mine = std::fegetround();
  spawn([&] { seen = std::fegetround(); });
  spawn([] { std::fesetround(FE_UPWARD); });
  spawn([] { yield(); });
  std::fesetround(FE_DOWNWARD);
  yield();
  const int after = std::fegetround();
  std::fesetround(mine);
  run();
  CHECK(seen == FE_DOWNWARD);
  CHECK(after == (keeps_rounding_mode ? FE_DOWNWARD : FE_UPWARD));
}

// ---- the switch by itself

// A flow that goes back to whoever comes, until it is told to end.
struct side : flow {};
struct visit {
  side* from;
  bool last;
};

void go_back(visit* v, side& me) {
  for (;;) {
    weft_test::trash_registers();
    side* to = v->from;
    if (v->last) flow::leave(v, &me, to);
    flow::switch_to(v, &me, to);
  }
}

class neighbour {
 public:
  neighbour() {
    forget_frames(ground.data(), ground.data() + ground.size());
    adopt(here);
    there.prepare<visit, side, &go_back>(ground.data(),
                                         ground.data() + ground.size());
  }
  neighbour(const neighbour&) = delete;
  neighbour& operator=(const neighbour&) = delete;
  ~neighbour() {
    v.last = true;
    call();
    there.discard();
  }

  [[gnu::always_inline]] void call() {
    visit* carried = &v;
    side* to = &there;
    flow::switch_to(carried, &here, to);
  }

  side here, there;
  visit v{&here, false};

 private:
  alignas(64) static inline std::array<char, 256 << 10> ground;
};

// A leaf function: its locals lie below its stack pointer.
[[gnu::noinline]] std::uint64_t sum_in_red_zone(neighbour& n) {
  std::array<volatile std::uint64_t, 8> local;
  for (std::size_t i = 0; i < local.size(); ++i) local[i] = i;
  n.call();
  std::uint64_t sum = 0;
  for (const auto& v : local) sum += v;
  return sum;
}

TEST_CASE("a switch writes nothing below the stack pointer") {
  neighbour n;
  for (int i = 0; i < 3; ++i) CHECK(sum_in_red_zone(n) == 28);
}

TEST_CASE("a switch by itself keeps values and frames") {
  neighbour n;
  const auto block = [&n] { n.call(); };
  CHECK(weft_test::values_survive<std::uint64_t>(block));
  CHECK(weft_test::values_survive<double>(block));
  CHECK(weft_test::values_survive<long double>(block));
  CHECK(frame_survives(100, block));
}

TEST_CASE("a switch finds what was carried and who was meant") {
  neighbour n;
  visit* carried = &n.v;
  side* to = &n.there;
  flow::switch_to(carried, &n.here, to);
  CHECK(carried == &n.v);
  CHECK(to == &n.here);
}

}  // namespace
