// SPDX-License-Identifier: BSL-1.0
// A million fibers that wait.
#include <boost/fiber/channel_op_status.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/unbuffered_channel.hpp>

#include "weft/bench/fiber/cases.h"
#include "weft/bench/resident.h"

namespace {

struct cost {
  double bytes;
  double ns;
};

// Of each of them.
cost park(long crowd) {
  boost::fibers::unbuffered_channel<int> silent;
  long parked = 0;
  long ended = 0;
  const double before = bench::resident_bytes();
  const bench::stopwatch watch;
  for (long i = 0; i < crowd; ++i)
    spawn([&] {
      ++parked;
      int v = 0;
      if (silent.pop(v) == boost::fibers::channel_op_status::closed) ++ended;
    }).detach();
  boost::this_fiber::yield();  // the caller's turn comes after all of theirs
  const double took = watch.ns();
  const double after = bench::resident_bytes();
  bench::check(parked == crowd, "not all are parked");
  silent.close();
  while (ended < crowd) boost::this_fiber::yield();
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
