// SPDX-License-Identifier: BSL-1.0
// Aborts three calls deep in a tasklet, on a stack of the given class (0: the
// scheduler's): a subject for debuggers.
//   aborts_in_tasklet STACK_SIZE
#include <cstdio>
#include <cstdlib>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/context.h"

extern "C" {
// NOLINTBEGIN(misc-use-internal-linkage): a backtrace shows their names.
[[gnu::noinline]] void innermost() {
  weft::yield();
  std::abort();
}
[[gnu::noinline]] void middle() {
  innermost();
  asm volatile("" : : : "memory");  // no tail call
}
[[gnu::noinline]] void outermost() {
  middle();
  asm volatile("" : : : "memory");
}
// NOLINTEND(misc-use-internal-linkage)
}

int main(int argc, char** argv) {
#ifndef WEFT_INLINE_SWITCH
  std::puts("skipped: only the inline switch tells debuggers of its entry");
  std::exit(0);
#endif
  const std::size_t size = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0;
  const weft::scheduler s;
  weft::spawn({.stack_size = size}, [] { outermost(); });
  weft::spawn([] {});
  weft::run();
}
