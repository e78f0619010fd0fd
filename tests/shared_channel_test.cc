// SPDX-License-Identifier: BSL-1.0
// Channels between threads.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/spawn.h"

TEST_CASE("A value goes from a tasklet of one thread to one of another") {
  weft::channel<int> c{weft::shared};
  std::thread other([&] {
    weft::scheduler s;
    for (int i = 0; i != 100000; ++i) c.send(i);
    c.close();
  });
  weft::scheduler s;
  long sum = 0;
  for (int v : c) sum += v;
  other.join();
  CHECK(sum == 100000L * 99999 / 2);
}
