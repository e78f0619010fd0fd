// SPDX-License-Identifier: BSL-1.0
// Tasklets that begin and end.
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

double joined(long n) {
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) weft::spawn([&count] { ++count; }).join();
  const double took = watch.ns();
  bench::check(count == n, "a tasklet did not run");
  return took / static_cast<double>(n);
}

double unjoined(long n) {
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) {
    weft::spawn([&count] { ++count; });
    weft::yield();
  }
  const double took = watch.ns();
  bench::check(count == n, "a tasklet did not run");
  return took / static_cast<double>(n);
}

double killed(long n) {
  struct counts_its_end {
    long& count;
    ~counts_its_end() { ++count; }
  };
  weft::channel<int> silent;
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) {
    const weft::tasklet t = weft::spawn([&] {
      const counts_its_end unwound{count};
      static_cast<void>(silent.receive());
    });
    weft::yield();
    t.kill();
  }
  const double took = watch.ns();
  bench::check(count == n, "a tasklet was not unwound");
  return took / static_cast<double>(n);
}

}  // namespace

void add_spawn_cases(bench::suite& all) {
  all.add("spawn_join", "spawn, run to the end and join; stack warm",
          [](const bench::work& w) { return joined(w.operations); });
  all.add("spawn_unjoined", "spawn and run to the end; stack warm",
          [](const bench::work& w) { return unjoined(w.operations); });
  all.add("spawn_kill", "spawn, park in a receive, kill and unwind; stack warm",
          [](const bench::work& w) { return killed(w.operations); });
}
