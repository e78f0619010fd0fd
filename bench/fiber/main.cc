// SPDX-License-Identifier: BSL-1.0
// Boost.Fiber, measured: one thread, its default scheduler, round_robin.
#include "weft/bench/fiber/cases.h"

int main(int argc, char** argv) {
  bench::suite all;
  add_yield_cases(all);
  add_channel_cases(all);
  add_spawn_cases(all);
  add_future_cases(all);
  add_sync_cases(all);
  add_skynet_cases(all);
  add_memory_cases(all);
  add_thread_cases(all);
  all.read(argc, argv);
  return all.run();
}
