// SPDX-License-Identifier: BSL-1.0
// What LeakSanitizer sees of tasklets, where it watches.
#include <catch2/catch.hpp>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/context.h"

#ifdef WEFT_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace {

using namespace weft;

// Overwrites what calls have left behind below the stack pointer.
[[gnu::noinline]] void wipe() {
  volatile char room[8192];
  for (volatile char& byte : room) byte = 0;
}

TEST_CASE("what only a parked stack points to is no leak") {
  const scheduler s;
  channel<int> c;
  int got = 0;
  spawn([&] {
    int* const alone = new int[100]{1};
    c.receive();
    got += alone[0];
    delete[] alone;
  });
  spawn([&] {
    const std::vector<int> numbers(1000, 2);
    c.receive();
    got += numbers.back();
  });
  yield();
  wipe();
#ifdef WEFT_ASAN
  CHECK(__lsan_do_recoverable_leak_check() == 0);
#endif
  c.close();
  run();
  CHECK(got == 3);
}

}  // namespace
