// SPDX-License-Identifier: BSL-1.0
// The way in for threads that have no scheduler.
#include "weft/scheduler/outside.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/weft.h"

namespace weft {
namespace {

using namespace std::chrono_literals;

TEST_CASE("what another thread posts runs as a tasklet, in its order") {
  const scheduler s;
  std::vector<int> got;
  std::thread poster([out = outside(), &got] {
    for (int i = 0; i != 5000; ++i)
      CHECK(out.post([&got, i] { got.push_back(i); }));
  });
  run();
  poster.join();
  std::vector<int> all(5000);
  std::iota(all.begin(), all.end(), 0);
  CHECK(got == all);
}

TEST_CASE("while somebody is outside, run() waits, and there is no deadlock") {
  const scheduler s;
  channel<int> numbers;
  std::thread poster([out = outside(), &numbers] {
    std::this_thread::sleep_for(20ms);
    out.post([&numbers] { numbers.send(7); });
    std::this_thread::sleep_for(20ms);
  });
  SECTION("in main") { CHECK(numbers.receive() == 7); }
  SECTION("in a worker") {
    std::optional<int> got;
    spawn([&] { got = numbers.receive(); });
    CHECK(run().blocked == 0);
    CHECK(got == 7);
  }
  poster.join();
  CHECK_THROWS_AS(numbers.receive(), deadlock_error);
}

TEST_CASE("the last one outside may go while the scheduler sleeps") {
  const scheduler s;
  channel<int> numbers;
  std::thread poster([out = outside()]() mutable {
    const outside copy = out;
    const outside moved = std::move(out);
    std::this_thread::sleep_for(20ms);
  });
  CHECK_THROWS_AS(numbers.receive(), deadlock_error);
  CHECK(run().why == run_result::drained);
  poster.join();
}

TEST_CASE("a scheduler that is busy sees what is posted") {
  const scheduler s;
  std::atomic<bool> posted = false;
  bool seen = false;
  spawn([&] {
    while (!seen) yield();
  });
  std::thread poster([out = outside(), &seen, &posted] {
    out.post([&seen] { seen = true; });
    posted = true;
  });
  run();
  poster.join();
  CHECK(posted);
}

TEST_CASE("many threads post at once, and each in its order") {
  const scheduler s;
  constexpr int threads = 4;
  constexpr int each = 5000;
  std::vector<int> last(threads, -1);
  int count = 0;
  bool in_order = true;
  std::vector<std::thread> posters;
  for (int t = 0; t != threads; ++t)
    posters.emplace_back([&, out = outside(), t] {
      for (int i = 0; i != each; ++i)
        out.post([&, t, i] {
          in_order = in_order && last[static_cast<std::size_t>(t)] == i - 1;
          last[static_cast<std::size_t>(t)] = i;
          ++count;
        });
    });
  // Nothing is read meanwhile.
  for (auto& p : posters) p.join();
  run();
  CHECK(count == threads * each);
  CHECK(in_order);
}

TEST_CASE("what is posted to a scheduler that has ended is destroyed") {
  const auto payload = std::make_shared<int>();
  std::optional<outside> out;
  {
    const scheduler s;
    out.emplace();
    CHECK(out->post([payload] {}));
  }
  CHECK_FALSE(out->post([payload] {}));
  CHECK(payload.use_count() == 1);
}

TEST_CASE("what was posted and has not run ends with the scheduler") {
  bool ran = false;
  const auto payload = std::make_shared<int>();
  {
    const scheduler s;
    const outside out;
    for (int i = 0; i != 3000; ++i) out.post([&ran, payload] { ran = true; });
  }
  CHECK_FALSE(ran);
  CHECK(payload.use_count() == 1);
}

TEST_CASE("a scheduler may end while others post to it") {
  const auto payload = std::make_shared<int>();
  std::atomic<int> refused = 0;
  std::atomic<bool> end = false;
  std::vector<std::thread> posters;
  {
    const scheduler s;
    for (int t = 0; t != 3; ++t)
      posters.emplace_back([out = outside(), payload, &end, &refused] {
        for (int i = 0; i < 20000 || !end; ++i) {
          if (!out.post([payload] {})) ++refused;
          if (i > 20000) std::this_thread::sleep_for(1ms);
        }
      });
    for (int i = 0; i != 100; ++i) {
      spawn([] {});
      yield();
    }
  }
  while (refused == 0) std::this_thread::yield();
  end = true;
  for (auto& p : posters) p.join();
  posters.clear();
  CHECK(payload.use_count() == 1);
}

TEST_CASE("what is posted inherits nothing, and is told to the callback") {
  scheduler s;
  tasklet_local<int> mine(inheritance::copy);
  *mine = 5;
  std::vector<std::string> told;
  s.set_spawn_callback([&](const tasklet& t) { told.emplace_back(t.name()); });
  int seen = -1;
  const deadline limit(1h);
  const outside out;
  out.post([&] {
    seen = *mine;
    CHECK(!earliest_limit());
  });
  yield();  // it is runnable now
  yield();
  CHECK(seen == 0);
  CHECK(told.size() == 1);
}

TEST_CASE("what escapes a posted one goes to run(), as of any tasklet") {
  const scheduler s;
  {
    const outside out;
    out.post([] { throw std::runtime_error("posted"); });
  }
  CHECK_THROWS_WITH(run(), "posted");
}

TEST_CASE("a clock that stands still, or jumps, waits for who is outside") {
  virtual_clock jumping;
  manual_clock still;
  const bool jumps = GENERATE(true, false);
  const scheduler s(
      {.driver = jumps ? static_cast<idle_driver*>(&jumping) : &still});
  channel<int> numbers;
  std::thread poster([out = outside(), &numbers] {
    std::this_thread::sleep_for(10ms);
    out.post([&numbers] { numbers.send(1); });
  });
  CHECK(numbers.receive() == 1);
  poster.join();
}

TEST_CASE("run_for() does not wait for who is outside") {
  scheduler s;
  const outside out;
  CHECK(s.run_for(1ms).why == run_result::idle);
}

TEST_CASE("a thread without a scheduler has no way into one") {
  CHECK_THROWS_AS(outside(), no_scheduler);
}

}  // namespace
}  // namespace weft
