// SPDX-License-Identifier: BSL-1.0
// Laws 1, 2 and 12: round robin, main is a tasklet, one scheduler a thread.
#include "weft/scheduler/scheduler.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>

#include "weft/channel/channel.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/both_threads.h"
#include "weft/tests/support/in_child.h"
#include "weft/tests/support/sizes.h"

namespace {

using namespace weft;
using weft_test::refusal_of;
using weft_test::refused;
using weft_test::this_thread_text;

static_assert(!std::is_copy_constructible_v<scheduler>);
static_assert(!std::is_move_constructible_v<scheduler>);

TEST_CASE("spawn appends to the tail and does not switch") {
  scheduler s;
  std::string trace;
  spawn([&] { trace += 'a'; });
  spawn([&] { trace += 'b'; });
  trace += 'm';
  run();
  CHECK(trace == "mab");
}

TEST_CASE("yield moves the caller to the tail") {
  scheduler s;
  std::string trace;
  for (char name : {'a', 'b', 'c'})
    spawn([&trace, name] {
      for (int i = 0; i < 3; ++i) {
        trace += name;
        yield();
      }
    });
  run();
  CHECK(trace == "abcabcabc");
}

TEST_CASE("yield returns at once when nobody else is runnable") {
  scheduler s;
  yield();
  CHECK(current().is_main());
}

TEST_CASE("a tasklet spawned by a tasklet runs after those that wait already") {
  scheduler s;
  std::string trace;
  spawn([&] {
    trace += 'a';
    spawn([&] { trace += 'c'; });
  });
  spawn([&] { trace += 'b'; });
  run();
  CHECK(trace == "abc");
}

TEST_CASE("main takes its turn like any tasklet when it yields") {
  scheduler s;
  std::string trace;
  spawn([&] {
    trace += 'a';
    yield();
    trace += 'b';
  });
  trace += '1';
  yield();
  trace += '2';
  yield();
  trace += '3';
  CHECK(trace == "1a2b3");
}

TEST_CASE("main may block in a channel while the others run") {
  scheduler s;
  channel<int> c;
  spawn([&] {
    yield();
    c.send(7);
  });
  CHECK(c.receive() == 7);
}

TEST_CASE("run returns at once when nothing is runnable") {
  scheduler s;
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(r.runnable == 0);
  CHECK(r.blocked == 0);
}

TEST_CASE("run tells how many tasklets are still blocked") {
  scheduler s;
  channel<int> c;
  for (int i = 0; i < 3; ++i) spawn([&] { c.receive(); });
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(r.blocked == 3);
  CHECK(c.balance() == -3);
  c.close();
  CHECK(run().blocked == 0);
}

TEST_CASE("runs nest, and the innermost returns first") {
  scheduler s;
  std::string trace;
  spawn([&] {
    spawn([&] { trace += 'i'; });
    run();
    trace += 't';
  });
  run();
  trace += 'm';
  CHECK(trace == "itm");
}

TEST_CASE("current is the one that runs") {
  scheduler s;
  CHECK(current() == s.main());
  CHECK(current().is_main());
  tasklet t = spawn([&] {
    CHECK(current() == t);
    CHECK(t.is_current());
    CHECK(!t.is_main());
  });
  CHECK(!t.is_current());
  run();
}

TEST_CASE("a thread without a scheduler gets no_scheduler") {
  std::string got;
  const auto expect = [&](auto f) {
    try {
      f();
    } catch (const no_scheduler&) {
      got += 'n';
    }
  };
  channel<int> c;
  expect([] { yield(); });
  expect([] { spawn([] {}); });
  expect([] { run(); });
  expect([] { static_cast<void>(current()); });
  expect([&] { c.send(1); });
  expect([&] { c.receive(); });
  expect([&] { static_cast<void>(c.try_receive()); });
  expect([&] { c.close(); });
  expect([] { sleep_for(std::chrono::seconds(1)); });
  CHECK(got == "nnnnnnnnn");
}

TEST_CASE("a thread has one scheduler at a time") {
  std::optional<scheduler> s(std::in_place);
  CHECK_THROWS_AS(scheduler(), error);
  CHECK(current().is_main());
  s.reset();
  const scheduler again;
  CHECK(current().is_main());
}

TEST_CASE("another thread's scheduler and channels are refused") {
  scheduler s;
  channel<int> c;
  tasklet t = spawn([&] { c.receive(); });
  run();
  std::string got;
  std::thread([&] {
    const auto expect = [&](auto f) {
      try {
        f();
      } catch (const wrong_scheduler&) {
        got += 'w';
      } catch (const no_scheduler&) {
        got += 'n';
      }
    };
    expect([&] { c.send(1); });
    expect([&] { t.run(); });
    expect([&] { s.run(); });
    const scheduler mine;
    expect([&] { c.send(1); });
    expect([&] { c.close(); });
    expect([&] { t.run(); });
    expect([&] { s.run(); });
  }).join();
  CHECK(got == "nnwwwww");
  CHECK(c.balance() == -1);
  CHECK(!c.closed());
  CHECK(t.blocked());
}

TEST_CASE("what is refused names both threads") {
  scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] { c.receive(); });
  run();
  const std::string home = this_thread_text();
  std::thread([&] {
    pthread_setname_np(pthread_self(), "robots/1");
    const std::string alone =
        "weft: this tasklet belongs to the scheduler of " + home +
        ", and was used in " + this_thread_text() + ", which has none; ";
    CHECK_THAT(refusal_of([&] { static_cast<void>(t.name()); }),
               Catch::StartsWith(alone));
    const scheduler mine;
    CHECK_THAT(refusal_of([&] { c.close(); }),
               Catch::StartsWith(refused("this channel belongs to", home)) &&
                   Catch::Contains(" (robots/1); "));
    CHECK_THAT(refusal_of([&] { t.run(); }),
               Catch::StartsWith(refused("this tasklet belongs to", home)));
    CHECK_THAT(refusal_of([&] { s.run(); }),
               Catch::StartsWith(refused("this is", home)));
  }).join();
  c.send(1);
}

TEST_CASE("what is of a scheduler that has ended names one thread") {
  const scheduler s;
  channel<int> c;
  std::thread([&] {
    const scheduler its;
    static_cast<void>(c.try_receive());
  }).join();
  CHECK_THAT(
      refusal_of([&] { c.close(); }),
      Catch::StartsWith("weft: this channel belongs to a scheduler that has "
                        "ended, and was used in that of " +
                        this_thread_text() + "; "));
}

TEST_CASE("it is refused while its scheduler ends") {
  for (int i = 0; i != 50; ++i) {
    const scheduler s;
    channel<int> c;
    std::atomic<bool> bound = false;
    std::atomic<bool> refused_once = false;
    std::thread owner([&] {
      const scheduler its;
      c.close();
      bound = true;
      while (!refused_once) std::this_thread::yield();
    });
    while (!bound) std::this_thread::yield();
    std::string said;
    do {
      said = refusal_of([&] { c.close(); });
      refused_once = true;
    } while (said.find("the scheduler of thread ") != std::string::npos);
    CHECK_THAT(said, Catch::Contains("a scheduler that has ended"));
    owner.join();
  }
}

TEST_CASE("in the child of a fork() its thread has the number of that") {
  const scheduler s;
  channel<int> c;
  static_cast<void>(c.try_receive());
  const auto end = weft_test::in_child([&] {
    const std::string home = this_thread_text();
    bool named = false;
    std::thread([&] {
      const scheduler other;
      named = refusal_of([&] {
                c.close();
              }).starts_with(refused("this channel belongs to", home));
    }).join();
    _exit(named ? 0 : 1);
  });
  CHECK(end.status == 0);
}

TEST_CASE("many tasklets take their turns in order") {
  scheduler s;
  int next = 0;
  bool ordered = true;
  for (int i = 0; i < weft_test::many; ++i)
    spawn([&, i] {
      ordered &= next++ == i;
      yield();
      ordered &= next++ == i + weft_test::many;
    });
  CHECK(s.live() == static_cast<std::size_t>(weft_test::many));
  run();
  CHECK(ordered);
  CHECK(next == 2 * weft_test::many);
  CHECK(s.live() == 0);
}

}  // namespace
