// SPDX-License-Identifier: BSL-1.0
// Fibers that have a result.
#include <boost/fiber/future.hpp>

#include "weft/bench/fiber/cases.h"

namespace {

double taken(long n) {
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i)
    sum += boost::fibers::async(boost::fibers::launch::post, std::allocator_arg,
                                stacks(), [] { return 1L; })
               .get();
  const double took = watch.ns();
  bench::check(sum == n, "a result is missing");
  return took / static_cast<double>(n);
}

}  // namespace

void add_future_cases(bench::suite& all) {
  all.add("future", "async, run to the end and get the result; stack warm",
          [](const bench::work& w) { return taken(w.operations); });
}
