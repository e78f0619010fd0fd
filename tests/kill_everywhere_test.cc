// SPDX-License-Identifier: BSL-1.0
// Law 7 at every place where a tasklet is suspended: whatever ends it there,
// nothing is lost, left over or destroyed twice.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <utility>

#include "weft/tests/support/counted.h"
#include "weft/tests/support/performer.h"
#include "weft/tests/support/random_program.h"

namespace {

using namespace weft_test;

enum class blow { none, now, pending, exception, pending_exception };

void strike(const weft::tasklet& t, blow how) {
  const auto what = [] { return std::make_exception_ptr(boom(9999)); };
  if (how == blow::now) t.kill();
  if (how == blow::pending) t.kill(weft::pending);
  if (how == blow::exception) t.throw_exception(what());
  if (how == blow::pending_exception) t.throw_exception(what(), weft::pending);
}

// It is blocked, and says that it is on that channel.
bool waits_on_channel(const program& p, const performer<counted>& by_weft,
                      std::size_t me, std::size_t channel) {
  if (!by_weft.tasklets[me].blocked()) return false;
  const op o = p.bodies[me][by_weft.steps[me]];
  return o.what != verb::join && o.on == channel;
}

// Every line holds those who say that they wait there, and nobody else.
bool lines_are_whole(const program& p, const performer<counted>& by_weft) {
  for (std::size_t c = 0; c < by_weft.channels.size(); ++c) {
    int waiting = 0;
    for (std::size_t i = 0; i < by_weft.tasklets.size(); ++i)
      waiting += waits_on_channel(p, by_weft, i, c) ? 1 : 0;
    if (std::abs(by_weft.channels[c].balance()) != waiting) return false;
  }
  return true;
}

// Runs `p`, and strikes the tasklet that was left at the k-th of the places
// where another goes on. Gives the number of places.
std::size_t run_and_strike(const program& p, std::size_t k, blow how) {
  counted::reset();
  std::size_t places = 0;
  bool whole = true;
  bool even = true;
  {
    performer<counted> by_weft(p);
    std::size_t last = 0;
    by_weft.before_each = [&](std::size_t me) {
      whole = whole && lines_are_whole(p, by_weft);
      const std::size_t left = std::exchange(last, me);
      if (left == me || !by_weft.tasklets[left].alive()) return;
      if (++places == k) strike(by_weft.tasklets[left], how);
    };
    by_weft.run();
    for (const auto& c : by_weft.channels) even = even && c.balance() == 0;
    for (const auto& t : by_weft.tasklets) even = even && !t.alive();
  }
  INFO("place " << k << ", blow " << static_cast<int>(how));
  if (!whole || !even || counted::alive != 0 || boom::alive != 0) {
    INFO(describe(p));
    CHECK(whole);
    CHECK(even);
    CHECK(counted::alive == 0);
    CHECK(boom::alive == 0);
  }
  return places;
}

TEST_CASE("a tasklet may be ended wherever it is suspended") {
  const blow how = GENERATE(blow::now, blow::pending, blow::exception,
                            blow::pending_exception);
  for (unsigned seed = 1; seed <= 150; ++seed) {
    const program p = random_program(seed);
    INFO("seed " << seed);
    const std::size_t places = run_and_strike(p, 0, blow::none);
    for (std::size_t k = 1; k <= places; ++k) run_and_strike(p, k, how);
  }
  SUCCEED();
}

}  // namespace
