// SPDX-License-Identifier: BSL-1.0
// The laws all at once: random programs, run by weft and by a small model that
// is written after the laws alone; both must leave the same trace.
#include "weft/tests/support/model.h"

#include <catch2/catch.hpp>
#include <string>

#include "weft/tests/support/performer.h"
#include "weft/tests/support/random_program.h"
#include "weft/tests/support/sizes.h"

namespace {

using namespace weft_test;

TEST_CASE("random programs leave the trace that the laws give") {
  for (unsigned seed = 1; seed <= 5000; ++seed) {
    const program p = random_program(seed);
    const std::string expected = model(p).run();
    performer<int> by_weft(p);
    by_weft.run();
    if (by_weft.trace != expected) {
      INFO("seed " << seed << "\n" << describe(p));
      CHECK(by_weft.trace == expected);
      return;
    }
  }
  SUCCEED();
}

}  // namespace
