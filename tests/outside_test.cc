// SPDX-License-Identifier: BSL-1.0
// The way in for threads that have no scheduler.
#include "weft/scheduler/outside.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
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

// Sleeps until it is let go, however often it is woken meanwhile.
class held_driver : public idle_driver {
 public:
  void wait(std::optional<clock::time_point>) noexcept override {
    const int mine = ++sleeps_;
    while (let_go_ < mine) std::this_thread::yield();
  }
  void wake() noexcept override { ++wakes_; }

  // Until it sleeps for the nth time.
  void await_sleep(int n) const {
    while (sleeps_ < n) std::this_thread::yield();
  }
  void let_go() { ++let_go_; }
  [[nodiscard]] int wakes() const { return wakes_; }

 private:
  std::atomic<int> sleeps_{0};
  std::atomic<int> let_go_{0};
  std::atomic<int> wakes_{0};
};

TEST_CASE(
    "a scheduler that sleeps is woken once for all that comes meanwhile") {
  held_driver driver;
  const scheduler s({.driver = &driver});
  constexpr int bursts = 20;
  constexpr int each = 100;
  const int threads = GENERATE(1, 3);
  int ran = 0;
  std::vector<int> wakes;
  std::thread poster(
      [&, out = std::optional<outside>(std::in_place)]() mutable {
        const auto during_a_sleep = [&](const std::function<void()>& f) {
          driver.await_sleep(static_cast<int>(wakes.size()) + 1);
          const int before = driver.wakes();
          f();
          wakes.push_back(driver.wakes() - before);
          driver.let_go();
        };
        const auto burst = [&] {
          for (int i = 0; i != each; ++i) out->post([&ran] { ++ran; });
        };
        for (int i = 0; i != bursts; ++i)
          during_a_sleep([&] {
            std::vector<std::thread> others;
            for (int t = 1; t != threads; ++t) others.emplace_back(burst);
            burst();
            for (std::thread& t : others) t.join();
          });
        // For the end of the last one outside, too.
        during_a_sleep([&] { out.reset(); });
      });
  run();
  poster.join();
  CHECK(wakes == std::vector<int>(bursts + 1, 1));
  CHECK(ran == bursts * threads * each);
}

TEST_CASE("a scheduler that is awake is not woken for what comes") {
  held_driver driver;
  const scheduler s({.driver = &driver});
  int ran = 0;
  std::thread([&, out = outside()] {
    for (int i = 0; i != 100; ++i) out.post([&ran] { ++ran; });
  }).join();
  CHECK(run().why == run_result::drained);
  CHECK(ran == 100);
  CHECK(driver.wakes() == 0);
}

// What is read of the mail at every switch, at most: inbox::at_once.
constexpr std::size_t at_once = 64;

// Whoever has a turn looks whether more than that have come since the last one.
class watcher {
 public:
  void look() {
    const std::size_t now = this_scheduler().live();
    bounded_ = bounded_ && now <= live_ + at_once;
    live_ = now;
  }
  [[nodiscard]] bool bounded() const { return bounded_; }

 private:
  std::size_t live_ = this_scheduler().live();
  bool bounded_ = true;
};

TEST_CASE("a flood from another thread keeps nobody here from his turn") {
  const scheduler s;
  constexpr int yielders = 3;
  constexpr int turns = 200;
  constexpr int most_under_way = 1000;
  std::atomic<int> begun = 0;
  std::atomic<bool> enough = false;
  std::thread flood([&, out = outside()] {
    for (int posted = 0; !enough;) {
      if (posted - begun == most_under_way) {
        std::this_thread::yield();
        continue;
      }
      out.post([&begun] { ++begun; });
      ++posted;
    }
  });
  int next = 0;
  bool in_turn = true;
  bool fair = true;
  for (int me = 0; me != yielders; ++me)
    spawn([&, me] {
      for (int turn = 1; !enough; ++turn) {
        in_turn = in_turn && next == me;
        next = (me + 1) % yielders;
        // Nor does it end before many posted ones have had theirs.
        if (me == yielders - 1 && turn >= turns && begun >= 20 * most_under_way)
          enough = true;
        const std::size_t ahead = this_scheduler().runnable();
        const int before = begun;
        yield();
        // Whoever is runnable already, and once what had come.
        fair =
            fair && static_cast<std::size_t>(begun - before) <= ahead + at_once;
      }
    });
  run();
  flood.join();
  CHECK(in_turn);
  CHECK(fair);
}

TEST_CASE("a flood from another thread does not keep run_until from its time") {
  std::atomic<int> under_way = 0;
  std::atomic<bool> enough = false;
  scheduler s;
  std::thread flood([&, out = outside()] {
    while (!enough) {
      if (under_way == 1000) {
        std::this_thread::yield();
        continue;
      }
      ++under_way;
      out.post([&under_way] { --under_way; });
    }
  });
  if (GENERATE(true, false)) spawn([] { sleep_for(1h); });
  for (int frame = 0; frame != 5; ++frame) {
    const auto end = weft::clock::now() + 2ms;
    CHECK(s.run_until(end).why == run_result::budget);
    CHECK(weft::clock::now() >= end);
  }
  enough = true;
  flood.join();
}

TEST_CASE(
    "those who yield for ever keep nothing that was posted from its turn") {
  const scheduler s;
  constexpr int yielders = 3;
  const int posted = GENERATE(1, 64, 65, 1000);
  int begun = 0;
  int turns = 0;
  std::optional<watcher> each;
  for (int i = 0; i != yielders; ++i)
    spawn([&] {
      while (begun != posted) {
        each->look();
        ++turns;
        yield();
      }
    });
  std::thread([&, out = outside()] {
    for (int i = 0; i != posted; ++i)
      out.post([&] {
        each->look();
        ++begun;
      });
  }).join();
  each.emplace();
  run();
  CHECK(each->bounded());
  CHECK(begun == posted);
  CHECK(turns <= yielders * (posted / static_cast<int>(at_once) + 2));
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

TEST_CASE("a run may end at any time while somebody is outside") {
  scheduler s;
  const outside out;
  const auto when = GENERATE(std::chrono::steady_clock::time_point::min(),
                             std::chrono::steady_clock::time_point());
  CHECK(s.run_until(when).why == run_result::budget);
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
