// SPDX-License-Identifier: BSL-1.0
// A million tasklets that wait.
#include "weft/bench/resident.h"
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

struct cost {
  double bytes;
  double ns;
};

// Of each of them.
cost park(long crowd) {
  weft::channel<int> silent;
  long ended = 0;
  const double before = bench::resident_bytes();
  const bench::stopwatch watch;
  for (long i = 0; i < crowd; ++i)
    weft::spawn([&] {
      if (!silent.receive()) ++ended;
    });
  weft::run();
  const double took = watch.ns();
  const double after = bench::resident_bytes();
  bench::check(silent.balance() == -crowd, "not all are parked");
  silent.close();
  weft::run();
  bench::check(ended == crowd, "not all went on");
  const auto each = static_cast<double>(crowd);
  return {(after - before) / each, took / each};
}

}  // namespace

void add_memory_cases(bench::suite& all) {
  all.add_once(
      "memory/parked_1m", "B",
      "resident bytes of each of a million parked in a receive",
      [](const bench::work& w) { return park(w.crowd(1'000'000)).bytes; });
  all.add_once(
      "memory/parked_1m/make", "ns",
      "making and parking each of them; every stack cold",
      [](const bench::work& w) { return park(w.crowd(1'000'000)).ns; });
}
