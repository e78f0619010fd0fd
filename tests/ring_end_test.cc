// SPDX-License-Identifier: BSL-1.0
// Ends of shared buffers that one thread owns, and others take away.
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "weft/channel/shared_ring.h"
#include "weft/tests/support/in_child.h"
#include "weft/weft.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

constexpr int for_long = 1200;  // claims, until the end is owned

bool can_own() {
  if (claimant::of_this_thread() != nullptr) return true;
  WARN("the system has no far fence: nothing is owned");
  return false;
}

template <typename F>
void elsewhere(F f) {
  std::thread(f).join();
}

claimed put(shared_ring<int>& r, int value) { return r.try_put(value); }
claimed take(shared_ring<int>& r, int& value) {
  return r.try_take([&value](int&& v) { value = v; });
}
void use(shared_ring<int>& r, int times) {
  for (int i = 0; i != times; ++i) {
    int got = -1;
    REQUIRE(put(r, i) == claimed::yes);
    REQUIRE(take(r, got) == claimed::yes);
    REQUIRE(got == i);
  }
}
// What another thread finds.
bool owned(shared_ring<int>& r) {
  claimed in{};
  claimed out{};
  elsewhere([&] {
    int v;
    in = put(r, 0);
    out = take(r, v);
  });
  CHECK((in == claimed::barred) == (out == claimed::barred));
  return in == claimed::barred;
}
void interrupt(shared_ring<int>& r) {
  r.stop();
  r.flow();
}

}  // namespace

TEST_CASE(
    "who is alone at the ends for long owns them, until they are stopped") {
  if (!can_own()) return;
  shared_ring<int> r(8);
  use(r, for_long);
  CHECK(owned(r));
  use(r, for_long);
  CHECK(owned(r));

  SECTION("here") { interrupt(r); }
  SECTION("elsewhere") {
    elsewhere([&] { interrupt(r); });
  }
  CHECK_FALSE(owned(r));
  use(r, 10);
}

TEST_CASE("those who take turns own nothing, however they do") {
  shared_ring<int> r(8);
  for (const int each : {1, 67, 500})
    for (int turn = 0; turn != 30; ++turn) {
      use(r, each);
      elsewhere([&] {
        for (int i = 0; i != each; ++i) {
          int v;
          if (put(r, i) != claimed::yes || take(r, v) != claimed::yes) return;
        }
      });
    }
  CHECK_FALSE(owned(r));
}

TEST_CASE("after a stop one has to be alone for long again") {
  shared_ring<int> r(8);
  for (int turn = 0; turn != 10; ++turn) {
    use(r, for_long * 3 / 4);
    interrupt(r);
  }
  CHECK_FALSE(owned(r));
}

TEST_CASE("who had to give it up soon must be alone for longer") {
  if (!can_own()) return;
  shared_ring<int> r(8);
  use(r, for_long);
  CHECK(owned(r));
  interrupt(r);
  use(r, for_long);
  CHECK_FALSE(owned(r));
  use(r, for_long);
  CHECK(owned(r));

  use(r, 10 * for_long);  // It is worth it.
  interrupt(r);
  use(r, for_long);
  CHECK(owned(r));
}

TEST_CASE("a full or an empty buffer that is owned says so") {
  shared_ring<int> r(3);
  use(r, for_long);
  int v = 0;
  CHECK(take(r, v) == claimed::none);
  for (int i = 0; i != 3; ++i) CHECK(put(r, i) == claimed::yes);
  CHECK(put(r, 3) == claimed::none);
  CHECK(r.full());
  r.stop();
  CHECK(put(r, 3) == claimed::barred);
  CHECK(take(r, v) == claimed::barred);
  CHECK(r.take([&v](int&& first) { v = first; }));
  CHECK(v == 0);
  r.put(4);
  r.flow();
  for (const int i : {1, 2, 4}) {
    CHECK(take(r, v) == claimed::yes);
    CHECK(v == i);
  }
}

TEST_CASE("a stream whose ends are taken away again and again loses nothing") {
  constexpr int n = 300000;
  constexpr int strange = -1;
  shared_ring<int> r(64);
  std::mutex lock;
  std::atomic<bool> over{false};
  int expected = 0;
  long strangers_in = 0;
  long strangers_out = 0;
  const auto seen = [&](int v) {
    if (v == strange)
      ++strangers_out;
    else if (v == expected)
      ++expected;
    else
      over = true;  // One has been lost, or come twice.
  };
  // What it is to be barred: with the guard they do it all the same.
  const auto guarded = [&](auto what) {
    const std::lock_guard held(lock);
    r.stop();
    what();
    r.flow();
  };
  std::thread sender([&] {
    for (int i = 0; i != n && !over;) {
      const claimed got = put(r, i);
      if (got == claimed::yes) {
        ++i;
      } else if (got == claimed::barred) {
        guarded([&] {
          if (!r.full()) r.put(i++);
        });
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::thread disturber([&] {
    std::minstd_rand random(1);
    while (!over) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 400));
      guarded([&] {
        if (random() % 2 != 0 && !r.full()) {
          r.put(int{strange});
          ++strangers_in;
        }
      });
    }
  });
  while (expected != n && !over) {
    int v = strange - 1;
    const claimed got = take(r, v);
    if (got == claimed::yes) {
      seen(v);
    } else if (got == claimed::barred) {
      guarded([&] { r.take([&](int&& first) { seen(first); }); });
    } else {
      std::this_thread::yield();
    }
  }
  over = true;
  sender.join();
  disturber.join();
  r.stop();
  while (r.take([&](int&& v) { seen(v); })) {
  }
  CHECK(expected == n);
  CHECK(strangers_in == strangers_out);
}

TEST_CASE("threads that come and go hand the ends of a channel on") {
  constexpr int senders_in_turn = 12;
  constexpr int each = 5000;
  channel<int> c(256, shared);
  std::thread senders([&] {
    for (int t = 0; t != senders_in_turn; ++t)
      elsewhere([&, t] {
        std::optional<scheduler> s;
        if (t % 2 != 0) s.emplace();
        for (int i = 0; i != each; ++i) c.send(t * each + i);
      });
  });
  std::vector<int> got;
  for (int t = 0; t != senders_in_turn / 2; ++t)
    elsewhere([&, t] {
      std::optional<scheduler> s;
      if (t % 2 == 0) s.emplace();
      for (int i = 0; i != 2 * each; ++i) got.push_back(*c.receive());
    });
  senders.join();
  constexpr int all = senders_in_turn * each;
  bool ordered = got.size() == all;
  for (std::size_t i = 0; i != got.size(); ++i)
    ordered &= got[i] == static_cast<int>(i);
  CHECK(ordered);
  CHECK(c.size() == 0);
}

TEST_CASE("threads that end give back what it takes to own") {
  if (!can_own()) return;
  // Made before that, so it ends after it.
  struct late {
    late() = default;
    late(const late&) = delete;
    late& operator=(const late&) = delete;
    ~late() {
      shared_ring<int> r(4);
      for (int i = 0; i != 2 * for_long; ++i) {
        int v;
        put(r, i);
        take(r, v);
      }
    }
    int touched = 0;
  };
  for (int i = 0; i != 300; ++i)
    elsewhere([] {
      static thread_local late here;
      ++here.touched;
      claimant::of_this_thread();
    });
  elsewhere([] { CHECK(can_own()); });
}

TEST_CASE("of two that send and then look, one at least finds something") {
  constexpr int rounds = 300;
  struct pair {
    std::array<channel<int>, 2> to{channel<int>{2048, shared},
                                   channel<int>{2048, shared}};
    std::array<bool, 2> found{};
    std::atomic<int> there{0};

    void meet(int times) {
      ++there;
      while (there < 2 * times) std::this_thread::yield();
    }
    void play(std::size_t me) {
      channel<int>& out = to[1 - me];
      for (int i = 0; i != for_long; ++i) out.send(i);
      meet(1);
      for (int i = 0; i != for_long; ++i) (void)to[me].receive();
      meet(2);
      out.send(0);
      found[me] = to[me].try_receive().has_value();
    }
  };
  std::deque<pair> all(rounds);
  std::thread other([&] {
    for (pair& p : all) p.play(1);
  });
  for (pair& p : all) p.play(0);
  other.join();
  int neither = 0;
  for (const pair& p : all) neither += p.found[0] || p.found[1] ? 0 : 1;
  CHECK(neither == 0);
}

TEST_CASE("what disturbs or ends a stream loses nothing of it") {
  enum class what { close, kill_of_sender, kill_of_receiver, select };
  const what comes = GENERATE(what::close, what::kill_of_sender,
                              what::kill_of_receiver, what::select);
  for (int turn = 0; turn != 20; ++turn) {
    channel<int> c(512, shared);
    std::promise<tasklet> sender;
    std::promise<tasklet> receiver;
    std::atomic<int> sent{0};
    std::atomic<int> received{0};
    std::atomic<long> sum{0};
    const auto record = [&](int v) {
      sum += v;
      ++received;
    };
    std::thread sends([&] {
      const scheduler s;
      sender.set_value(spawn([&] {
        while (c.send_for(1h, int{sent}) == op_status::done) ++sent;
      }));
      run();
    });
    std::thread receives([&] {
      const scheduler s;
      receiver.set_value(spawn([&] {
        while (const std::optional<int> v = c.receive()) record(*v);
      }));
      run();
    });
    const tasklet by = sender.get_future().get();
    const tasklet to = receiver.get_future().get();
    while (received < 4 * for_long) std::this_thread::yield();
    {
      const scheduler s;
      if (comes == what::kill_of_sender) by.kill();
      if (comes == what::kill_of_receiver) to.kill();
      if (comes == what::select)
        for (int i = 0; i != 100; ++i)
          select(c.receive_case([&](int v) { record(v); }), default_case());
    }
    c.close();
    receives.join();
    while (const std::optional<int> v = c.receive()) record(*v);
    sends.join();
    // The kill may have come when the last one had just been passed on.
    if (comes == what::kill_of_sender && received == sent + 1) ++sent;
    if (comes == what::kill_of_receiver && received == sent - 1) continue;
    CHECK(received == sent);
    CHECK(sum == long{sent} * (sent - 1) / 2);
  }
}

TEST_CASE("the child of a fork() takes what a lost thread owned") {
  if (!can_own()) return;
  const scheduler s;
  channel<int> c(16, shared);
  std::atomic<bool> amid{false};
  std::atomic<bool> over{false};
  std::thread other([&] {
    for (int i = 0; i != for_long; ++i) {
      c.send(i);
      (void)c.receive();
    }
    claimant::current()->enter();
    amid = true;
    while (!over) std::this_thread::yield();
    claimant::current()->leave();
  });
  while (!amid) std::this_thread::yield();
  const weft_test::ending e = weft_test::in_child([&] {
    ::alarm(30);
    for (int i = 0; i != 2 * for_long; ++i) {
      c.send(i);
      if (c.receive() != i) return;
    }
    std::fputs("as ever", stderr);
  });
  over = true;
  other.join();
  // Not how it ended: valgrind misses what the lost thread had.
  CHECK_THAT(e.said, Catch::Matchers::Contains("as ever"));
}
