// SPDX-License-Identifier: BSL-1.0
// Calls that would block the thread, made by another one.
#include "weft/threads/offload.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "weft/tasklet/context.h"
#include "weft/tests/support/in_child.h"
#include "weft/weft.h"

namespace weft {
namespace {

using namespace std::chrono_literals;

// A call that goes on when it is told to.
struct held_call {
  std::binary_semaphore begun{0};
  std::binary_semaphore may_end{0};
  void operator()() {
    begun.release();
    may_end.acquire();
  }
};

TEST_CASE("an offloaded call gives what it gives, from another thread") {
  const scheduler s;
  const auto here = std::this_thread::get_id();
  CHECK(offload([] { return 7; }) == 7);
  CHECK(offload([] { return std::this_thread::get_id(); }) != here);
  CHECK(*offload([] { return std::make_unique<int>(3); }) == 3);
  bool called = false;
  offload([&] { called = true; });
  CHECK(called);
}

TEST_CASE("what it throws comes out of offload()") {
  const scheduler s;
  CHECK_THROWS_WITH(offload([] { throw std::runtime_error("disk"); }), "disk");
}

TEST_CASE("only the caller waits for it") {
  const scheduler s;
  std::string trace;
  held_call call;
  spawn([&] {
    trace += 'a';
    offload(call);
    trace += 'd';
  });
  spawn([&] {
    trace += 'b';
    yield();
    trace += 'c';
    call.may_end.release();
  });
  CHECK(run().blocked == 0);
  CHECK(trace == "abcd");
}

TEST_CASE("there is no deadlock while a call is under way") {
  const scheduler s;
  channel<int> results;
  spawn([&] {
    results.send(offload([] {
      std::this_thread::sleep_for(20ms);
      return 1;
    }));
  });
  CHECK(results.receive() == 1);
}

TEST_CASE("a virtual clock does not jump while a call is under way") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  spawn([] { sleep_for(1h); });
  offload([] { std::this_thread::sleep_for(10ms); });
  CHECK(clock.now().time_since_epoch() == 0s);
  run();
  CHECK(clock.now().time_since_epoch() == 1h);
}

TEST_CASE("a call that has begun is waited for when its tasklet is killed") {
  const scheduler s;
  held_call call;
  bool went_on = false;
  const tasklet t = spawn([&] {
    offload(call);
    went_on = true;
  });
  yield();
  call.begun.acquire();
  t.kill();
  CHECK(t.alive());
  t.kill();
  CHECK(t.alive());
  call.may_end.release();
  t.join();
  CHECK_FALSE(went_on);
}

TEST_CASE("one that takes a stop_token is asked to stop") {
  manual_clock clock;
  const scheduler s({.driver = &clock});
  std::binary_semaphore begun{0};
  std::atomic<bool> stopped = false;
  const tasklet t = spawn([&] {
    with_timeout(1h, [&] {
      offload([&](const std::stop_token& stop) {
        begun.release();
        while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
        stopped = true;
      });
    });
  });
  yield();
  begun.acquire();
  SECTION("by a kill") { t.kill(); }
  SECTION("by an exception") {
    t.throw_exception(std::make_exception_ptr(tasklet_exit()));
  }
  SECTION("by a time-out") { clock.advance(1h); }
  t.join();
  CHECK(stopped);
}

TEST_CASE("what a call gives that its tasklet cannot take is destroyed") {
  const scheduler s;
  auto result = std::make_shared<int>();
  held_call call;
  const tasklet t = spawn([&] {
    offload([&] {
      call();
      return result;
    });
  });
  yield();
  call.begun.acquire();
  t.kill();
  call.may_end.release();
  t.join();
  CHECK(result.use_count() == 1);
}

TEST_CASE(
    "an exception thrown into the caller is raised when it has returned") {
  const scheduler s;
  held_call call;
  std::string trace;
  const tasklet t = spawn([&] {
    try {
      offload(call);
    } catch (const std::runtime_error& e) {
      trace += e.what();
    }
  });
  yield();
  call.begun.acquire();
  t.throw_exception(std::make_exception_ptr(std::runtime_error("b")));
  trace += 'a';
  call.may_end.release();
  t.join();
  CHECK(trace == "ab");
}

TEST_CASE("a shield holds a kill back: the call is not even asked to stop") {
  const scheduler s;
  held_call call;
  bool stopped = true;
  const tasklet t = spawn([&] {
    const shield held;
    offload([&](const std::stop_token& stop) {
      call();
      stopped = stop.stop_requested();
    });
  });
  yield();
  call.begun.acquire();
  t.kill();
  call.may_end.release();
  t.join();
  CHECK_FALSE(stopped);
}

TEST_CASE(
    "traps that are set while a killed call goes on do not end the wait") {
  const scheduler s;
  held_call call;
  const tasklet t = spawn([&] { offload(call); });
  yield();
  call.begun.acquire();
  std::optional<switch_trap> here;
  const bool on_block = GENERATE(true, false);
  if (on_block)
    t.set_block_trap(true);
  else
    spawn([&] { here.emplace(); });
  std::thread later([&] {
    std::this_thread::sleep_for(10ms);
    call.may_end.release();
  });
  if (on_block)
    t.kill();
  else
    t.kill(pending);
  here.reset();
  t.join();
  later.join();
}

TEST_CASE("a call that has not begun is withdrawn") {
  const scheduler s;
  set_offload_limit(1);
  held_call call;
  bool called = false;
  const tasklet first = spawn([&] { offload(call); });
  yield();
  call.begun.acquire();
  const tasklet second = spawn([&] { offload([&] { called = true; }); });
  const tasklet third = spawn([&] { offload([&] { called = true; }); });
  yield();
  third.kill();
  CHECK_FALSE(third.alive());
  second.kill();
  CHECK_FALSE(second.alive());
  call.may_end.release();
  first.join();
  CHECK_FALSE(called);
  CHECK(offload([] { return 2; }) == 2);
  set_offload_limit(16);
}

TEST_CASE("no more calls are under way than there may be helpers") {
  const scheduler s;
  set_offload_limit(3);
  std::atomic<int> under_way = 0;
  std::atomic<int> most = 0;
  for (int i = 0; i != 20; ++i)
    spawn([&] {
      offload([&] {
        const int now = ++under_way;
        int before = most;
        while (before < now && !most.compare_exchange_weak(before, now)) {
        }
        std::this_thread::sleep_for(1ms);
        --under_way;
      });
    });
  CHECK(run().blocked == 0);
  CHECK(most <= 3);
  set_offload_limit(16);
  CHECK_THROWS_AS(set_offload_limit(0), std::invalid_argument);
}

TEST_CASE("many tasklets offload many calls") {
  const scheduler s;
  long sum = 0;
  for (int i = 0; i != 100; ++i)
    spawn([&sum, i] {
      for (int k = 0; k != 20; ++k) sum += offload([=] { return i * k; });
    });
  CHECK(run().blocked == 0);
  CHECK(sum == 4950L * 190);
}

TEST_CASE("a scheduler that ends waits for calls that have begun") {
  std::atomic<bool> ended = false;
  {
    const scheduler s;
    std::binary_semaphore begun{0};
    spawn([&] {
      offload([&] {
        begun.release();
        std::this_thread::sleep_for(20ms);
        ended = true;
      });
    });
    yield();
    begun.acquire();
  }
  CHECK(ended);
}

TEST_CASE("two schedulers share the helpers") {
  const auto sum = [](int times) {
    const scheduler s;
    int all = 0;
    for (int i = 0; i != 200; ++i) all += offload([i] { return i; });
    return all * times;
  };
  int other = 0;
  std::thread t([&] { other = sum(-1); });
  const int mine = sum(1);
  t.join();
  CHECK(mine == 19900);
  CHECK(other == -19900);
}

TEST_CASE("a trap keeps it from being called") {
  const scheduler s;
  bool called = false;
  const auto call = [&] { offload([&] { called = true; }); };
  SECTION("block") {
    const block_trap here;
    CHECK_THROWS_AS(call(), block_trap_error);
  }
  SECTION("switch") {
    spawn([] {});
    const switch_trap here;
    CHECK_THROWS_AS(call(), switch_trap_error);
  }
  CHECK_FALSE(called);
}

TEST_CASE("a helper gets no signals but those of faults") {
  const scheduler s;
  const auto blocked = offload([] {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return std::array{sigismember(&now, SIGTERM), sigismember(&now, SIGCHLD),
                      sigismember(&now, SIGSEGV)};
  });
  CHECK(blocked == std::array{1, 1, 0});
}

TEST_CASE("a helper has a name") {
  const scheduler s;
  const std::string name = offload([] {
    std::string line;
    std::getline(std::ifstream("/proc/thread-self/comm"), line);
    return line;
  });
  CHECK(name == "weft/offload");
}

// ThreadSanitizer and qemu allow no thread in the child of a process that has
// some, and valgrind's leak check finds there what the lost ones had.
#if !defined(WEFT_TSAN) && !defined(WEFT_VALGRIND) && !defined(WEFT_EMULATED)

TEST_CASE("where no helper can be made, and there is none, it throws") {
  const auto end = weft_test::in_child([] {
    const scheduler s;
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    pthread_setattr_default_np(&huge);
    bool called = false;
    try {
      offload([&] { called = true; });
    } catch (const std::system_error&) {
      _exit(called ? 1 : 0);
    }
    _exit(2);
  });
  CHECK(end.status == 0);
}

TEST_CASE("a child of fork() loses calls, and may offload others") {
  const scheduler s;
  held_call call;
  int lost = 0;
  const tasklet t = spawn([&] {
    try {
      offload(call);
    } catch (const error&) {
      ++lost;
    }
  });
  yield();
  call.begun.acquire();
  const auto end = weft_test::in_child([&] {
    t.join();
    _exit(lost == 1 && offload([] { return 3; }) == 3 ? 0 : 1);
  });
  CHECK(end.status == 0);
  call.may_end.release();
  t.join();
  CHECK(lost == 0);
}

#endif

TEST_CASE("it needs a scheduler, and a helper has none") {
  CHECK_THROWS_AS(offload([] {}), no_scheduler);
  const scheduler s;
  CHECK_THROWS_AS(offload([] { yield(); }), no_scheduler);
}

}  // namespace
}  // namespace weft
