// SPDX-License-Identifier: BSL-1.0
// weft, measured. All cases share one scheduler and its stacks.
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

int main(int argc, char** argv) {
  bench::suite all;
  add_yield_cases(all);
  add_channel_cases(all);
  add_select_cases(all);
  add_spawn_cases(all);
  add_future_cases(all);
  add_skynet_cases(all);
  add_memory_cases(all);
  add_timer_cases(all);
  add_generator_cases(all);
  add_sync_cases(all);
  add_thread_cases(all);
  all.read(argc, argv);

  const weft::scheduler scheduler;
  return all.run();
}
