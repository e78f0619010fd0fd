// SPDX-License-Identifier: BSL-1.0
// Fibers that take turns.
#include <algorithm>
#include <boost/fiber/operations.hpp>
#include <vector>

#include "weft/bench/fiber/cases.h"

namespace {

// The clock runs from when the last of them has started.
template <int Depth>
double take_turns(long crowd, long operations) {
  const long rounds = std::max(operations / crowd, 20L);
  long started = 0;
  long turns = 0;
  bench::stopwatch watch;
  std::vector<boost::fibers::fiber> fibers;
  fibers.reserve(static_cast<std::size_t>(crowd));
  for (long i = 0; i < crowd; ++i)
    fibers.push_back(spawn([&] {
      if (++started == crowd) watch.restart();
      boost::this_fiber::yield();
      for (long round = 0; round < rounds; ++round)
        bench::below<Depth>([] { boost::this_fiber::yield(); });
      turns += rounds;
    }));
  for (boost::fibers::fiber& each : fibers) each.join();
  const double took = watch.ns();
  bench::check(turns == rounds * crowd, "a fiber had too few turns");
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
