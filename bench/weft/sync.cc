// SPDX-License-Identifier: BSL-1.0
// What two tasklets hand each other without a value.
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

// Two take turns: each unlock hands the mutex over, each lock waits for it.
double mutex_turns(long n) {
  weft::mutex m;
  long inside = 0;
  const auto take_turns = [&] {
    for (long i = 0; i < n / 2; ++i) {
      m.lock();
      ++inside;
      m.unlock();
    }
  };
  const bench::stopwatch watch;
  weft::spawn([&] {
    m.lock();
    weft::yield();  // the other waits now
    m.unlock();
    take_turns();
  });
  weft::spawn(take_turns);
  weft::run();
  const double took = watch.ns();
  bench::check(inside == n / 2 * 2, "the turns");
  return took / static_cast<double>(n);
}

// Two wake each other, each by a permit.
double semaphore_turns(long n) {
  weft::semaphore here(0);
  weft::semaphore there(0);
  const bench::stopwatch watch;
  weft::spawn([&] {
    for (long i = 0; i < n / 2; ++i) {
      there.release();
      here.acquire();
    }
  });
  weft::spawn([&] {
    for (long i = 0; i < n / 2; ++i) {
      there.acquire();
      here.release();
    }
  });
  const auto end = weft::run();
  const double took = watch.ns();
  bench::check(end.blocked == 0, "somebody waits for a permit");
  return took / static_cast<double>(n);
}

}  // namespace

void add_sync_cases(bench::suite& all) {
  all.add("sync/mutex", "a mutex handed over between 2; stacks warm",
          [](const bench::work& w) { return mutex_turns(w.operations); });
  all.add("sync/semaphore", "a permit handed over between 2; stacks warm",
          [](const bench::work& w) { return semaphore_turns(w.operations); });
}
