// SPDX-License-Identifier: BSL-1.0
// What happens when a tasklet runs out of stack, and on other faults.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/generator.h"
#include "weft/tasklet/greenlet.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;
using Catch::Contains;
using weft_test::ending;
using weft_test::in_child;

// Uses up a kilobyte of stack a call.
[[gnu::noinline]] int deeper(int calls) {
  volatile char room[1024];
  for (std::size_t i = 0; i < sizeof room; i += 64)
    room[i] = static_cast<char>(calls);
  if (calls == 0) return room[0];
  return deeper(calls - 1) + room[64];
}

// A guard of the given kind for the schedulers of this process from now on.
void guard_by(const char* kind) { setenv("WEFT_STACK_GUARD", kind, 1); }

void fault() { *static_cast<volatile int*>(nullptr) = 1; }

TEST_CASE("an overflow names the tasklet, its spawn site and its stack") {
  const auto* guard = GENERATE("madvise", "mprotect");
  const std::size_t size = GENERATE(16U << 10, 64U << 10);
  const ending e = in_child([&] {
    guard_by(guard);
    const scheduler s;
    spawn({.name = "deep", .stack_size = size}, [] { deeper(100000); });
    spawn([] {});
    run();
  });
  CAPTURE(guard, size, e.said);
  CHECK_FALSE(e.returned);
  CHECK_THAT(e.said, Contains("weft: stack overflow in tasklet 2 'deep' "
                              "(spawned at "));
  CHECK_THAT(e.said, Contains("overflow_test.cc:"));
  CHECK_THAT(e.said, Contains("spawn_options::stack_size"));
}

TEST_CASE("an overflow is told of one whose stack was parked before") {
  const ending e = in_child([] {
    const scheduler s;
    channel<int> c;
    spawn([&] { deeper(*c.receive()); });
    yield();
    c.send(100000);
  });
  CHECK_FALSE(e.returned);
  CHECK_THAT(e.said, Contains("weft: stack overflow in tasklet 2 (spawned at"));
}

TEST_CASE("an overflow inside a generator or a greenlet is told of as theirs") {
  const bool of_generator = GENERATE(true, false);
  const bool in_main = GENERATE(true, false);
  const ending e = in_child([&] {
    const scheduler s;
    const auto dive = [&] {
      if (of_generator) {
        generator<int> g([](yielder<int>&) { deeper(100000); });
        g.next();
      } else {
        const greenlet g([] { deeper(100000); });
        g.switch_to();
      }
    };
    if (in_main) return dive();
    spawn({.name = "diver"}, dive);
    run();
  });
  CAPTURE(of_generator, in_main, e.said);
  CHECK_FALSE(e.returned);
  CHECK_THAT(e.said, Contains("weft: stack overflow in a generator or greenlet "
                              "of "));
  CHECK_THAT(e.said,
             Contains(in_main ? "of main: its" : "'diver' (spawned at"));
}

TEST_CASE("without guard pages an overflow is told when the tasklet ends") {
  const ending e = in_child([] {
    guard_by("zeros");
    const scheduler s;
    spawn({.stack_size = 16 << 10}, [] {
      // Over the guard page only: there is nothing below it to be damaged.
      auto* here = static_cast<volatile char*>(__builtin_frame_address(0));
      const auto size = std::uintptr_t{1} << stack_pool::class_of(16 << 10);
      auto* end = here - (reinterpret_cast<std::uintptr_t>(here) & (size - 1));
      end[100] = 1;
    });
    run();
  });
  CHECK(e.by_signal(SIGABRT));
  CHECK_THAT(e.said, Contains("weft: stack overflow in tasklet 2"));
}

TEST_CASE("every kind of guard lets good tasklets be") {
  const auto* guard = GENERATE("madvise", "mprotect", "zeros");
  const ending e = in_child([&] {
    guard_by(guard);
    const scheduler s;
    int ended = 0;
    for (int i = 0; i != 100; ++i)
      spawn([&ended] {
        yield();
        ++ended;
      });
    run();
    if (ended != 100) std::abort();
  });
  CAPTURE(guard, e.said);
  CHECK(e.returned);
  CHECK(e.said.empty());
}

TEST_CASE("a guard that does not exist is refused") {
  guard_by("moat");
  CHECK_THROWS_WITH(scheduler(), Contains("WEFT_STACK_GUARD is 'moat'"));
  unsetenv("WEFT_STACK_GUARD");
}

void say_and_leave(int) {
  static_cast<void>(!write(STDERR_FILENO, "theirs", 6));
  _exit(5);
}

TEST_CASE("other faults go where they went before") {
  SECTION("to the handler that was there") {
    const ending e = in_child([] {
      std::signal(SIGSEGV, &say_and_leave);
      const scheduler s;
      spawn(fault);
      run();
    });
    CHECK(e.said == "theirs");
  }
#if !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
  SECTION("to nobody, and the process ends by the signal") {
    const ending e = in_child([] {
      const scheduler s;
      spawn(fault);
      run();
    });
    CHECK(e.by_signal(SIGSEGV));
    CHECK(e.said.empty());
  }
#endif
  SECTION("also when they were only sent") {
    const ending e = in_child([] {
      std::signal(SIGSEGV, &say_and_leave);
      const scheduler s;
      std::raise(SIGSEGV);
    });
    CHECK(e.said == "theirs");
  }
}

TEST_CASE("a handler that asked to be called once is called once") {
  const ending e = in_child([] {
    struct sigaction once{};
    once.sa_handler = [](int) { static_cast<void>(!write(2, "once ", 5)); };
    once.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGSEGV, &once, nullptr);
    const scheduler s;
    spawn(fault);
    run();
  });
  CHECK(e.by_signal(SIGSEGV));
  CHECK(e.said == "once ");
}

TEST_CASE("an overflow is named whatever became of the handler before") {
  const auto overflow = [] {
    spawn([] { deeper(100000); });
    run();
  };
  SECTION("another one came, and went with the first scheduler") {
    const ending e = in_child([&] {
      {
        const scheduler s;
        std::signal(SIGSEGV, &say_and_leave);
      }
      std::signal(SIGSEGV, SIG_DFL);
      const scheduler s;
      overflow();
    });
    CHECK_THAT(e.said, Contains("weft: stack overflow in tasklet "));
  }
  SECTION("a signal was sent that is ignored") {
    const ending e = in_child([&] {
      std::signal(SIGSEGV, SIG_IGN);
      const scheduler s;
      kill(getpid(), SIGSEGV);
      overflow();
    });
    CHECK_THAT(e.said, Contains("weft: stack overflow in tasklet "));
  }
  SECTION("the scheduler is another thread's") {
    const ending e = in_child([&] {
      const scheduler s;
      std::thread([&] {
        const scheduler theirs;
        overflow();
      }).join();
    });
    CHECK_THAT(e.said, Contains("weft: stack overflow in tasklet "));
  }
}

TEST_CASE("the handler goes when the last scheduler has ended") {
  const auto handler = [] {
    struct sigaction now{};
    sigaction(SIGSEGV, nullptr, &now);
    return now.sa_sigaction;
  };
  const auto before = handler();
  {
    const scheduler s;
    CHECK(handler() != before);
  }
  CHECK(handler() == before);
  {
    const scheduler s{{.report_overflow = false}};
    CHECK(handler() == before);
  }
}

}  // namespace
