// SPDX-License-Identifier: BSL-1.0
// Law 21, what it takes of the heap, and what happens where that has none.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/yield.h"
#include "weft/structure/scope.h"
#include "weft/tests/support/allocations.h"

namespace {

using namespace weft;
using weft_test::allocations;
using weft_test::until_failure;
using namespace std::chrono_literals;

TEST_CASE("a limit of time allocates nothing") {
  const scheduler s;
  const std::size_t before = allocations();
  for (int i = 0; i < 100; ++i) {
    const timeout limit(1h);
    const deadline other(1h);
    yield();
  }
  CHECK(allocations() == before);
}

TEST_CASE("a scope allocates twice, and nothing for those that come and go") {
  const scheduler s;
  spawn([] {}).join();
  const std::size_t before = allocations();
  {
    scope all;
    for (int i = 0; i < 1000; ++i) {
      all.spawn([] {});
      yield();
    }
  }
  CHECK(allocations() == before + 2);
}

TEST_CASE("where a deadline cannot be inherited there is no tasklet") {
  scheduler s;
  const auto watched = std::make_shared<int>(0);
  const deadline outer(1h);
  const deadline inner(1h);
  for (std::size_t room : {0U, 1U}) {
    bool failed = false;
    until_failure = room;
    try {
      spawn([watched] { ++*watched; });
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    until_failure = ~std::size_t{0};
    CHECK(failed);
    CHECK(s.live() == 0);
    CHECK(watched.use_count() == 1);
  }
  spawn([watched] { ++*watched; }).join();
  CHECK(*watched == 1);
}

}  // namespace
