// SPDX-License-Identifier: BSL-1.0
// Fibers that begin and end.
#include <boost/fiber/operations.hpp>

#include "weft/bench/fiber/cases.h"

namespace {

double joined(long n) {
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) spawn([&count] { ++count; }).join();
  const double took = watch.ns();
  bench::check(count == n, "a fiber did not run");
  return took / static_cast<double>(n);
}

double unjoined(long n) {
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) {
    spawn([&count] { ++count; }).detach();
    boost::this_fiber::yield();
  }
  const double took = watch.ns();
  bench::check(count == n, "a fiber did not run");
  return took / static_cast<double>(n);
}

}  // namespace

void add_spawn_cases(bench::suite& all) {
  all.add("spawn_join", "spawn, run to the end and join; stack warm",
          [](const bench::work& w) { return joined(w.operations); });
  all.add("spawn_unjoined", "spawn and run to the end; stack warm",
          [](const bench::work& w) { return unjoined(w.operations); });
}
