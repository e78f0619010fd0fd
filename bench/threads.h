// SPDX-License-Identifier: BSL-1.0
// Two threads on two cores, and what the process spends.
#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <latch>
#include <thread>

#include "weft/bench/harness.h"

namespace bench {

// Keeps this thread on the first or second of the cores it may run on. Does
// nothing where there is one only.
inline void pin(int which) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  if (CPU_COUNT(&allowed) < 2) return;
  std::size_t core = 0;
  for (int before = which;; ++core)
    if (CPU_ISSET(core, &allowed) && before-- == 0) break;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  static_cast<void>(sched_setaffinity(0, sizeof one, &one));
}

enum class cores {
  one_each,  // each thread on a core of its own
  any        // where the kernel puts them, which may be the same
};

// first() and second(), each in a thread of its own. Gives the nanoseconds from
// when both threads are there until both have returned.
template <typename F, typename G>
double on_two_threads(cores where, const F& first, const G& second) {
  std::latch there(2);
  const auto time = [&there, where](int which, const auto& f, double& took) {
    if (where == cores::one_each) pin(which);
    there.arrive_and_wait();
    const stopwatch watch;
    f();
    took = watch.ns();
  };
  double took_first = 0;
  double took_second = 0;
  std::thread one([&] { time(0, first, took_first); });
  std::thread other([&] { time(1, second, took_second); });
  one.join();
  other.join();
  return std::max(took_first, took_second);
}

// What all threads of the process together spend while f() lasts, in
// microseconds a second.
template <typename F>
double cpu_while(const F& f) {
  const auto spent = [] {
    std::timespec t{};
    check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "a clock");
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
  };
  const double before = spent();
  const stopwatch watch;
  f();
  const double took = watch.ns();
  return (spent() - before) / took * 1e6;
}

// How long the idle cases wait.
inline std::chrono::milliseconds idle_time(const work& w) {
  return std::chrono::milliseconds(w.smoke ? 10 : 1000);
}

}  // namespace bench
