// SPDX-License-Identifier: BSL-1.0
// Stacks: how deep they are used, and how their memory goes back.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tests/support/sizes.h"

namespace {

using namespace weft;

// Writes to that much stack.
[[gnu::noinline]] void use(std::size_t bytes) {
  auto* room = static_cast<char*>(__builtin_alloca(bytes));
  std::memset(room, 1, bytes);
  asm volatile("" : : "r"(room) : "memory");
}

// The stack of this class that `at` lies in.
stack around(const void* at, std::uint32_t size_class) {
  const auto size = std::uintptr_t{1} << size_class;
  const auto from_end = reinterpret_cast<std::uintptr_t>(at) & (size - 1);
  auto* top = const_cast<char*>(static_cast<const char*>(at)) - from_end + size;
  return {top, size_class};
}

std::size_t resident_pages(stack s) {
  const std::size_t page = stack_guard::size();
  std::vector<unsigned char> pages(s.size() / page);
  REQUIRE(mincore(s.end(), s.size(), pages.data()) == 0);
  std::size_t resident = 0;
  for (unsigned char p : pages) resident += p & 1U;
  return resident;
}

TEST_CASE("a stack that was given back is the next to be taken") {
  stack_pool pool;
  const std::uint32_t c = stack_pool::class_of(default_stack);
  const stack a = pool.take(c);
  const stack b = pool.take(c);
  CHECK(a.end() != b.end());
  CHECK(pool.taken() == 2);
  pool.give(a);
  pool.give(b);
  CHECK(pool.take(c).top == b.top);
  CHECK(pool.take(c).top == a.top);
  pool.give(a);
  pool.give(b);
}

TEST_CASE("stacks differ in their tops, and by little") {
  stack_pool pool;
  const std::uint32_t c = stack_pool::class_of(default_stack);
  const stack a = pool.take(c);
  const stack b = pool.take(c);
  CHECK(a.end() + a.size() - a.top != b.end() + b.size() - b.top);
  for (const stack& s : {a, b}) {
    CHECK(reinterpret_cast<std::uintptr_t>(s.top) % 64 == 0);
    CHECK(s.end() + s.size() - s.top <= std::ptrdiff_t(s.size() / 32));
    pool.give(s);
  }
}

TEST_CASE("guards of any number of stacks take no mappings of their own") {
  const auto mappings = [] {
    std::ifstream maps("/proc/self/maps");
    return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
  };
  stack_pool pool;
  const std::uint32_t c = stack_pool::class_of(default_stack);
  std::vector<stack> taken{pool.take(c)};
  const auto before = mappings();
  while (taken.size() != weft_test::many) taken.push_back(pool.take(c));
  if (pool.guard().must_be_asked())
    WARN("this kernel has no MADV_GUARD_INSTALL");
  else
    CHECK(mappings() - before < weft_test::many / 10);
  for (const stack& s : taken) pool.give(s);
}

TEST_CASE("guards that take mappings leave most of them to the program") {
  setenv("WEFT_STACK_GUARD", "mprotect", 1);
  stack_pool pool;
  unsetenv("WEFT_STACK_GUARD");
  const std::uint32_t c = stack_pool::class_of(default_stack);
  std::vector<stack> taken;
  while (taken.size() != 10'000) taken.push_back(pool.take(c));
  CHECK(pool.guard().must_be_asked());
  CHECK(pool.guard().intact(taken.back().end()));
  taken.back().end()[7] = 1;
  CHECK_FALSE(pool.guard().intact(taken.back().end()));
  for (const stack& s : taken) pool.give(s);
}

TEST_CASE("trim gives the memory of free stacks back, less the warmest") {
  stack_pool pool;
  const std::uint32_t c = stack_pool::class_of(default_stack);
  std::vector<stack> taken;
  for (int i = 0; i != 4; ++i) {
    taken.push_back(pool.take(c));
    std::memset(taken.back().low(), 1, 3 * stack_guard::size());
  }
  for (const stack& s : taken) pool.give(s);
  CHECK(resident_pages(taken[0]) >= 3);

  CHECK(pool.trim(1, 2));  // More is left to be done,
  CHECK(resident_pages(taken[0]) == 0);
  CHECK(resident_pages(taken[1]) == 0);
  CHECK(resident_pages(taken[2]) >= 3);
  CHECK_FALSE(pool.trim(1, 2));  // and now no more.
  CHECK(resident_pages(taken[2]) == 0);
  CHECK(resident_pages(taken[3]) >= 3);

  const stack again = pool.take(c);
  std::memset(again.low(), 1, again.size() - 2 * stack_guard::size());
  pool.give(again);
  CHECK_FALSE(pool.trim(0, 1));
  CHECK(resident_pages(again) == 0);
}

TEST_CASE("trim gives back what parked tasklets no longer need") {
  scheduler s;
  channel<int> c;
  int got = 0;
  const void* inside = nullptr;
  const std::uint32_t size = stack_pool::class_of(256 << 10);
  spawn({.stack_size = 256 << 10}, [&] {
    int local = 41;
    inside = &local;
    use(200 << 10);
    got = local + *c.receive();
  });
  yield();
  const stack ground = around(inside, size);
  CHECK(resident_pages(ground) >= 50);
  s.trim();
  CHECK(resident_pages(ground) <= 16);
  c.send(1);
  run();
  CHECK(got == 42);
}

TEST_CASE("a scheduler that goes to sleep gives back what nobody needs") {
  virtual_clock clock;
  scheduler s{{.driver = &clock}};
  const void* inside = nullptr;
  for (int i = 0; i != 500; ++i)
    spawn([&, i] {
      char here = 0;
      if (i == 0) inside = &here;
      yield();
    });
  run();
  const stack ground = around(inside, stack_pool::class_of(default_stack));
  CHECK(resident_pages(ground) != 0);
  sleep_for(std::chrono::milliseconds(1));
  CHECK(resident_pages(ground) != 0);
  sleep_for(std::chrono::seconds(1));
  CHECK(resident_pages(ground) == 0);
}

#if !defined(WEFT_ASAN)
TEST_CASE("measured stacks tell how deep each spawn site goes") {
  scheduler s{{.measure_stacks = true}};
  channel<int> c;
  for (int i = 0; i != 3; ++i) spawn([] { use(20 << 10); });
  spawn({.stack_size = 1 << 20}, [&] {
    use(300 << 10);
    c.receive();
  });
  yield();
  const auto uses = s.stack_uses();
  REQUIRE(uses.size() == 2);
  CHECK(uses[0].deepest > 300 << 10);
  CHECK(uses[0].deepest < 310 << 10);
  CHECK(uses[0].tasklets == 1);
  CHECK(uses[0].recommended == 512 << 10);
  CHECK(uses[1].deepest > 20 << 10);
  CHECK(uses[1].deepest < 30 << 10);
  CHECK(uses[1].tasklets == 3);
  CHECK(uses[1].recommended == 64 << 10);
  CHECK(uses[1].site.find("stack_test.cc:") != std::string::npos);

  std::ostringstream table;
  report(table, uses);
  CHECK(table.str().find("524288         1") != std::string::npos);
  c.close();
  run();
  CHECK(s.stack_uses()[0].tasklets == 1);
}
#endif

TEST_CASE("what is not measured tells nothing") {
  scheduler s;
  spawn([] {});
  run();
  CHECK(s.stack_uses().empty());
  CHECK_FALSE(scheduler_options{}.measure_stacks);
}

}  // namespace
