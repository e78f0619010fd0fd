// SPDX-License-Identifier: BSL-1.0
// Tasklets that take turns.
#include <algorithm>

#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

// The clock runs from when the last of them has started.
template <int Depth>
double take_turns(long crowd, long operations) {
  const long rounds = std::max(operations / crowd, 20L);
  long started = 0;
  long turns = 0;
  bench::stopwatch watch;
  for (long i = 0; i < crowd; ++i)
    weft::spawn([&] {
      if (++started == crowd) watch.restart();
      weft::yield();
      for (long round = 0; round < rounds; ++round)
        bench::below<Depth>([] { weft::yield(); });
      turns += rounds;
    });
  weft::run();
  const double took = watch.ns();
  bench::check(turns == rounds * crowd, "a tasklet had too few turns");
  return took / static_cast<double>(turns);
}

}  // namespace

void add_yield_cases(bench::suite& all) {
  all.add("yield/2", "a yield between 2; stacks warm",
          [](const bench::work& w) { return take_turns<0>(2, w.operations); });
  all.add("yield/1000", "a yield among 1000; stacks warm",
          [](const bench::work& w) {
            return take_turns<0>(w.crowd(1000), w.operations);
          });
  all.add("yield/100000", "a yield among 100000; stacks touched before",
          [](const bench::work& w) {
            return take_turns<0>(w.crowd(100'000), w.operations);
          });
  all.add("yield/1000/depth4",
          "a yield among 1000, four calls below the body; stacks warm",
          [](const bench::work& w) {
            return take_turns<4>(w.crowd(1000), w.operations);
          });
}
