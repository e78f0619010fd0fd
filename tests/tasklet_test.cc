// SPDX-License-Identifier: BSL-1.0
// Law 5, and what a handle and spawn() promise.
#include "weft/tasklet/tasklet.h"

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::counted;

static_assert(std::is_trivially_copyable_v<tasklet>);
static_assert(sizeof(tasklet) == 2 * sizeof(void*));
static_assert(sizeof(control_block) <= 64 || sizeof(context) > 32);

TEST_CASE("a handle tells the state of its tasklet") {
  scheduler s;
  channel<int> c;
  const tasklet none;
  CHECK(!none.alive());
  CHECK(none.id() == 0);

  const tasklet t = spawn({.name = "waiter"}, [&] { c.receive(); });
  CHECK(t.alive());
  CHECK(t.scheduled());
  CHECK(!t.blocked());
  CHECK(t.name() == "waiter");
  run();
  CHECK(t.blocked());
  CHECK(!t.scheduled());
  c.send(1);
  run();
  CHECK(!t.alive());
  CHECK(!t.blocked());
  CHECK(t.name().empty());
  CHECK(t.id() != 0);
}

TEST_CASE(
    "a handle stays safe after its tasklet and its scheduler have ended") {
  tasklet a;
  tasklet b;
  {
    const scheduler s;
    a = spawn([] {});
    run();
    b = spawn([] {});
  }
  CHECK(!a.alive());
  CHECK(!b.alive());
  a.kill();
  b.join();
  const scheduler s;
  std::vector<tasklet> later;
  for (int i = 0; i < 100; ++i) later.push_back(spawn([] {}));
  for (const tasklet& t : later) {
    CHECK(t != a);
    CHECK(t != b);
  }
  CHECK(!a.alive());
  CHECK(!b.alive());
}

TEST_CASE("ids count up") {
  const scheduler s;
  const tasklet a = spawn([] {});
  run();
  const tasklet b = spawn([] {});
  CHECK(b.id() == a.id() + 1);
}

TEST_CASE("spawn decays its arguments as std::thread does") {
  const scheduler s;
  std::string got;
  std::string text = "one";
  const auto append = [](std::string& to, const std::string& what, int times) {
    while (times-- > 0) to += what;
  };
  spawn(append, std::ref(got), text, 2);
  text = "changed";
  spawn([&](std::unique_ptr<int> p) { got += std::to_string(*p); },
        std::make_unique<int>(5));
  spawn({.name = "n"}, append, std::ref(got), "!", 1);
  run();
  CHECK(got == "oneone5!");
}

TEST_CASE("a callable of any size and alignment runs and is destroyed once") {
  const scheduler s;
  counted::reset();
  bool aligned = false;
  struct alignas(128) wide {
    char bytes[256] = {};
  };
  spawn([c = counted(1), w = wide(), &aligned] {
    aligned = reinterpret_cast<std::uintptr_t>(&w) % 128 == 0 && c.value == 1;
  });
  spawn([c = counted(2)] { CHECK(c.value == 2); });
  CHECK(counted::alive == 2);
  run();
  CHECK(counted::alive == 0);
  CHECK(aligned);
}

TEST_CASE("a callable's destructor runs on its tasklet and may block") {
  const scheduler s;
  channel<int> c;
  struct closer {
    channel<int>* to;
    explicit closer(channel<int>& ch) : to(&ch) {}
    closer(closer&& o) noexcept : to(std::exchange(o.to, nullptr)) {}
    ~closer() {
      if (to == nullptr) return;
      const shield on;
      to->send(9);
    }
  };
  spawn([k = closer(c)] {});
  CHECK(c.receive() == 9);
  run();
}

TEST_CASE("a spawn that fails leaves nothing behind") {
  const scheduler s;
  struct refuses {
    refuses() = default;
    refuses(const refuses&) { throw std::runtime_error("no copy"); }
    void operator()() const {}
  };
  const refuses r;
  CHECK_THROWS_WITH(spawn(r), "no copy");
  CHECK_THROWS_AS(spawn({.stack_size = std::size_t{1} << 40}, [] {}),
                  std::invalid_argument);
  CHECK_THROWS(spawn({.name = "ghost"}, r));
  CHECK(spawn([] {}).name().empty());
  run();
  CHECK(s.live() == 0);
  CHECK(run().why == run_result::drained);
}

TEST_CASE("to copy a callable may spawn and switch") {
  const scheduler s;
  struct slow {
    int* ran;
    explicit slow(int* r) : ran(r) {}
    slow(const slow& o) : ran(o.ran) { yield(); }
    void operator()() const { ++*ran; }
  };
  int ran = 0;
  for (int i = 0; i != 300; ++i)
    spawn([&ran] {
      const slow f(&ran);
      spawn(f);
      yield();
    });
  run();
  CHECK(ran == 300);
}

TEST_CASE("a move that throws at the start of a tasklet is its failure") {
  const scheduler s;
  counted::reset();
  spawn([c = counted(1)] {});
  counted::throw_in = 0;
  CHECK_THROWS_AS(run(), weft_test::move_failed);
  CHECK(counted::alive == 0);
  counted::reset();
}

TEST_CASE("a tasklet has the stack that it asked for") {
  const scheduler s;
  int sum = 0;
  const auto use = [&](std::size_t bytes) {
    volatile char* room = static_cast<char*>(__builtin_alloca(bytes));
    for (std::size_t i = 0; i < bytes; i += 512) room[i] = 1;
    sum += room[0];
  };
  spawn({.stack_size = 1 << 20}, use, std::size_t{900} << 10);
  spawn({.stack_size = 100'000}, use, std::size_t{80} << 10);
  spawn(use, std::size_t{40} << 10);
  spawn({.stack_size = 1}, use, std::size_t{256});
  run();
  CHECK(sum == 4);
}

TEST_CASE("the smallest stack has room for a kill, wherever it lies") {
  const scheduler s;
  channel<int> c;
  std::vector<tasklet> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(spawn({.stack_size = 1}, [&] { c.receive(); }));
  run();
  for (const tasklet& t : all) t.kill();
  CHECK(c.balance() == 0);
}

TEST_CASE("join parks until the tasklet has ended") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([&] {
    trace += 'a';
    yield();
    trace += 'b';
  });
  spawn([&] { trace += 'x'; });
  t.join();
  trace += 'j';
  CHECK(trace == "axbj");
  t.join();
}

TEST_CASE("all who join are woken, in the order in which they came") {
  const scheduler s;
  std::string trace;
  const tasklet t = spawn([] { yield(); });
  for (char name : {'a', 'b', 'c'})
    spawn([&trace, name, t] {
      t.join();
      trace += name;
    });
  run();
  CHECK(trace == "abc");
}

TEST_CASE("a tasklet cannot join itself") {
  const scheduler s;
  CHECK_THROWS_AS(current().join(), error);
  spawn([] { CHECK_THROWS_AS(current().join(), error); });
  run();
}

TEST_CASE(
    "run puts the caller in front, and it goes on when the target yields") {
  const scheduler s;
  std::string trace;
  spawn([&] { trace += '1'; });
  const tasklet t = spawn([&] {
    trace += 'a';
    yield();
    trace += 'b';
  });
  spawn([&] { trace += '3'; });
  t.run();
  trace += 'm';
  run();
  CHECK(trace == "am13b");
}

TEST_CASE(
    "run of the current tasklet does nothing; of a blocked or dead one "
    "throws") {
  const scheduler s;
  channel<int> c;
  current().run();
  const tasklet t = spawn([&] { c.receive(); });
  run();
  CHECK_THROWS_AS(t.run(), error);
  CHECK(c.balance() == -1);
  c.send(1);
  run();
  CHECK_THROWS_AS(t.run(), error);
}

TEST_CASE("stacks and descriptors are used again") {
  const scheduler s;
  const void* seen = nullptr;
  int same = 0;
  for (int i = 0; i < 10; ++i) {
    spawn([&] {
      const int here = 0;
      same += seen == &here;
      if (i % 2 == 0) seen = &here;
    });
    run();
  }
  CHECK(same >= 4);
}

TEST_CASE("a switch_trap holds where only a run or main would come back") {
  const scheduler s;
  const bool in_run = GENERATE(true, false);
  channel<int> c;
  std::string trace;
  spawn([&] {
    const switch_trap none;
    CHECK_THROWS_AS(c.receive(), switch_trap_error);
    CHECK_THROWS_AS(suspend(), switch_trap_error);
    CHECK(c.balance() == 0);
    trace += 't';
  });
  in_run ? static_cast<void>(run()) : static_cast<void>(suspend());
  CHECK(trace == "t");
}

TEST_CASE("a run that a switch_trap forbids ends no other run") {
  const scheduler s;
  std::string trace;
  spawn([&] {
    run();
    trace += 'r';
  });
  const tasklet t = spawn([&] { trace += 't'; });
  t.remove();
  yield();
  {
    t.insert();
    const switch_trap none;
    CHECK_THROWS_AS(run(), switch_trap_error);
  }
  CHECK(s.runnable() == 1);
  run();
  CHECK(trace == "tr");
}

}  // namespace
