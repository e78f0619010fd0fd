// SPDX-License-Identifier: BSL-1.0
// Schedulers on several threads, and work for them.
#include "weft/threads/scheduler_pool.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "weft/tasklet/context.h"
#include "weft/tests/support/in_child.h"
#include "weft/threads/processors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using namespace std::chrono_literals;

// Who waits for a pool: a thread without a scheduler, or main.
class waiter {
 public:
  explicit waiter(bool is_tasklet) {
    if (is_tasklet) s_.emplace();
  }

 private:
  std::optional<scheduler> s_;
};

// ---- spawn

TEST_CASE("what is spawned runs as a tasklet on one of the pool's threads") {
  const waiter me(GENERATE(true, false));
  scheduler_pool pool{{.threads = 2}};
  CHECK(pool.size() == 2);
  CHECK_FALSE(pool.here());
  std::thread::id there;
  std::optional<std::size_t> number;
  pool.spawn([&] {
    yield();
    there = std::this_thread::get_id();
    number = pool.here();
  });
  pool.join();
  CHECK(there != std::this_thread::get_id());
  CHECK(number.value() < 2);
}

TEST_CASE("what one thread spawns on a scheduler begins there in its order") {
  scheduler_pool pool{{.threads = 2}};
  std::array<std::vector<int>, 2> got;
  for (int i = 0; i != 1000; ++i)
    for (std::size_t n = 0; n != 2; ++n)
      pool.spawn_on(n, [&, i] { got[pool.here().value()].push_back(i); });
  pool.join();
  std::vector<int> all(1000);
  std::iota(all.begin(), all.end(), 0);
  CHECK(got[0] == all);
  CHECK(got[1] == all);
  CHECK_THROWS_AS(pool.spawn_on(2, [] {}), std::out_of_range);
}

TEST_CASE("a broadcast runs a copy once in each scheduler, in order") {
  scheduler_pool pool{{.threads = 3}};
  std::array<std::string, 3> traces;
  const auto says = [&](char c) {
    return [&, c] { traces[pool.here().value()] += c; };
  };
  pool.spawn_on(1, says('a'));
  pool.broadcast(says('b'));
  pool.spawn_on(1, says('c'));
  pool.join();
  CHECK(traces == std::array<std::string, 3>{"b", "abc", "b"});
}

TEST_CASE("a scheduler with nothing to run takes what another has not begun") {
  scheduler_pool pool{{.threads = 2}};
  std::latch both(2);
  // Each needs a thread of its own, whoever was asked first.
  for (int i = 0; i != 2; ++i) pool.spawn([&] { both.arrive_and_wait(); });
  pool.join();
  // One is kept busy; the other does all the rest.
  std::latch kept(1);
  std::atomic<int> done = 0;
  pool.spawn([&] { kept.wait(); });
  for (int i = 0; i != 100; ++i)
    pool.spawn([&] {
      if (++done == 100) kept.count_down();
    });
  pool.join();
  CHECK(done == 100);
}

TEST_CASE("what takes long is shared out, even if one came to it first") {
  scheduler_pool pool{{.threads = 2}};
  std::counting_semaphore<> begun(0);
  std::latch go(1);
  // They are all there when the first of the two looks.
  pool.broadcast([&] {
    begun.release();
    go.wait();
  });
  begun.acquire();
  begun.acquire();
  std::array<std::atomic<int>, 2> done{};
  for (int i = 0; i != 40; ++i)
    pool.spawn([&] {
      std::this_thread::sleep_for(2ms);
      ++done[pool.here().value()];
    });
  go.count_down();
  pool.join();
  CHECK(done[0] + done[1] == 40);
  CHECK(std::min<int>(done[0], done[1]) >= 5);
}

TEST_CASE("a busy scheduler begins what is spawned all the same") {
  scheduler_pool pool{{.threads = 1}};
  std::atomic<bool> seen = false;
  const int busy = GENERATE(1, 200);
  for (int i = 0; i != busy; ++i)
    pool.spawn([&] {
      while (!seen) yield();
    });
  pool.spawn([&] { seen = true; });
  pool.join();
  CHECK(seen);
}

TEST_CASE("work does not wait for a busy scheduler while another one yields") {
  scheduler_pool pool{{.threads = 2}};
  std::latch both(3);
  std::latch kept(1);
  std::atomic<bool> seen = false;
  pool.spawn_on(0, [&] {
    both.arrive_and_wait();
    kept.wait();
  });
  pool.spawn_on(1, [&] {
    both.arrive_and_wait();
    while (!seen) yield();
  });
  both.arrive_and_wait();
  std::this_thread::sleep_for(1ms);
  pool.spawn([&] {
    seen = true;
    kept.count_down();
  });
  pool.join();
  CHECK(seen);
}

TEST_CASE("work that waits is no tasklet yet") {
  scheduler_pool pool{{.threads = 1}};
  std::size_t most = 0;
  constexpr int all = 100000;
  int count = 0;
  for (int i = 0; i != all; ++i)
    pool.spawn([&] {
      ++count;
      most = std::max(most, this_scheduler().live());
    });
  pool.join();
  CHECK(count == all);
  CHECK(most == 1);
}

TEST_CASE("many threads spawn at once") {
  scheduler_pool pool{{.threads = 2}};
  std::atomic<int> count = 0;
  std::vector<std::thread> outsiders;
  for (int t = 0; t != 3; ++t)
    outsiders.emplace_back([&] {
      for (int i = 0; i != 2000; ++i)
        pool.spawn([&] {
          yield();
          ++count;
        });
    });
  pool.spawn([&] {
    for (int i = 0; i != 2000; ++i) pool.spawn([&] { ++count; });
  });
  for (auto& t : outsiders) t.join();
  pool.join();
  CHECK(count == 8000);
}

TEST_CASE("what is spawned owns its callable, which is destroyed there") {
  scheduler_pool pool{{.threads = 1}};
  std::thread::id where;
  std::thread::id ended;
  struct on_end {
    std::thread::id* at;
    explicit on_end(std::thread::id* id) : at(id) {}
    on_end(on_end&& other) noexcept : at(std::exchange(other.at, nullptr)) {}
    on_end& operator=(on_end&&) = delete;
    ~on_end() {
      if (at != nullptr) *at = std::this_thread::get_id();
    }
  };
  pool.spawn(
      [&, last = on_end(&ended)] { where = std::this_thread::get_id(); });
  pool.join();
  CHECK(where == ended);
}

// ---- join

TEST_CASE("join() waits for all that is there, and what that has spawned") {
  const waiter me(GENERATE(true, false));
  scheduler_pool pool{{.threads = 2}};
  pool.join();
  std::atomic<int> count = 0;
  struct tree {
    static void grow(scheduler_pool& p, std::atomic<int>& n, int depth) {
      ++n;
      if (depth == 0) return;
      p.spawn([&p, &n, depth] { grow(p, n, depth - 1); });
      weft::spawn([&p, &n, depth] {
        sleep_for(1ms);
        grow(p, n, depth - 1);
      });
    }
  };
  for (int round = 1; round != 4; ++round) {
    pool.spawn([&] { tree::grow(pool, count, 6); });
    pool.join();
    CHECK(count == 127 * round);
  }
}

TEST_CASE("join() waits for what tasklets post to each other's schedulers") {
  scheduler_pool pool{{.threads = 2}};
  std::array<std::optional<outside>, 2> ways;
  pool.broadcast([&] { ways[pool.here().value()].emplace(); });
  pool.join();
  int hops = 0;
  struct hop {
    std::array<std::optional<outside>, 2>& in;
    int& count;
    std::size_t at;
    void operator()() const {
      if (++count != 2000) in[1 - at]->post(hop{in, count, 1 - at});
    }
  };
  pool.spawn_on(0, hop{ways, hops, 0});
  pool.join();
  CHECK(hops == 2000);
}

TEST_CASE("while a tasklet joins a pool its own scheduler goes on") {
  const scheduler s;
  scheduler_pool pool{{.threads = 1}};
  std::string trace;
  std::latch go(1);
  pool.spawn([&] { go.wait(); });
  const tasklet t = spawn([&] {
    trace += 'a';
    pool.join();
    trace += 'c';
  });
  yield();
  trace += 'b';
  go.count_down();
  t.join();
  CHECK(trace == "abc");
}

TEST_CASE("a tasklet of another pool may join") {
  scheduler_pool first{{.threads = 1}};
  scheduler_pool second{{.threads = 1}};
  std::atomic<bool> ended = false;
  bool seen = false;
  first.spawn([&] {
    sleep_for(5ms);
    ended = true;
  });
  second.spawn([&] {
    first.join();
    seen = ended;
  });
  second.join();
  CHECK(seen);
}

TEST_CASE("a kill or a time-out ends the wait of a tasklet, not the work") {
  const scheduler s;
  scheduler_pool pool{{.threads = 1}};
  std::latch go(1);
  bool done = false;
  pool.spawn([&] {
    go.wait();
    done = true;
  });
  CHECK_FALSE(with_timeout(1ms, [&] { pool.join(); }));
  const tasklet t = spawn([&] { pool.join(); });
  yield();
  t.kill();
  CHECK_FALSE(t.alive());
  go.count_down();
  pool.join();
  CHECK(done);
}

TEST_CASE("a tasklet of the pool cannot wait for its end") {
  scheduler_pool pool{{.threads = 1}};
  pool.spawn([&] { pool.join(); });
  CHECK_THROWS_AS(pool.join(), error);
  pool.spawn([&] { pool.stop(); });
  CHECK_THROWS_AS(pool.join(), error);
}

// ---- failures

TEST_CASE("join() throws the first failure; the others can be taken") {
  const waiter me(GENERATE(true, false));
  scheduler_pool pool{{.threads = 2}};
  for (const char* what : {"first", "second", "third"})
    pool.spawn_on(1, [what] {
      current().set_name("miller");
      throw std::runtime_error(what);
    });
  CHECK_THROWS_WITH(pool.join(), "first");
  CHECK_THROWS_WITH(pool.join(), "second");
  const auto rest = pool.take_failures();
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].scheduler == 1);
  CHECK_THAT(rest[0].who, Catch::Contains("'miller'") &&
                              Catch::Contains("scheduler_pool_test.cc"));
  CHECK_THROWS_WITH(std::rethrow_exception(rest[0].what), "third");
  pool.join();
}

TEST_CASE("what somebody joins, and a kill, is no failure of the pool") {
  scheduler_pool pool{{.threads = 1}};
  bool caught = false;
  pool.spawn([&] {
    try {
      spawn([] { throw 1; }).join();
    } catch (int) {
      caught = true;
    }
    current().kill();
  });
  pool.join();
  CHECK(caught);
}

TEST_CASE("failures that nobody takes are written to stderr") {
  const auto end = weft_test::in_child([] {
    scheduler_pool pool{{.threads = 1}};
    pool.spawn([] { throw std::runtime_error("no paper"); });
    pool.stop(1h);
  });
  CHECK_THAT(end.said, Catch::Contains("failed: no paper"));
}

// ---- the end

TEST_CASE("stop() lets all end that does so in time") {
  const waiter me(GENERATE(true, false));
  scheduler_pool pool{{.threads = 2}};
  std::atomic<int> done = 0;
  for (int i = 0; i != 1000; ++i)
    pool.spawn([&] {
      sleep_for(1ms);
      ++done;
    });
  CHECK(pool.stop(1h));
  CHECK(done == 1000);
  CHECK(pool.stop());
  pool.join();
}

TEST_CASE("what is left when the time has passed is killed in its own thread") {
  const waiter me(GENERATE(true, false));
  scheduler_pool pool{{.threads = 2}};
  struct witness {
    std::atomic<int>& good;
    std::thread::id home = std::this_thread::get_id();
    ~witness() { good += std::this_thread::get_id() == home ? 1 : 0; }
  };
  std::atomic<int> good = 0;
  std::atomic<int> begun = 0;
  for (int i = 0; i != 10; ++i)
    pool.spawn([&] {
      const witness w{good};
      ++begun;
      sleep_for(1h);
    });
  CHECK_FALSE(pool.stop(20ms));
  CHECK(good == begun);
}

TEST_CASE("what has not begun when the pool ends is destroyed") {
  const auto payload = std::make_shared<int>();
  bool ran = false;
  std::thread late;
  {
    scheduler_pool pool{{.threads = 1}};
    std::binary_semaphore begun(0);
    std::binary_semaphore go(0);
    pool.spawn([&] {
      begun.release();
      go.acquire();
      sleep_for(1h);
    });
    begun.acquire();
    for (int i = 0; i != 100; ++i) {
      pool.spawn_on(0, [&ran, payload] { ran = true; });
      pool.spawn([&ran, payload] { ran = true; });
    }
    late = std::thread([&] {
      std::this_thread::sleep_for(5ms);
      go.release();
    });
    CHECK_FALSE(pool.stop());
    late.join();
  }
  CHECK_FALSE(ran);
  CHECK(payload.use_count() == 1);
}

TEST_CASE("a pool that has been stopped takes no work") {
  const auto payload = std::make_shared<int>();
  scheduler_pool pool{{.threads = 1}};
  std::optional<bool> refused;
  std::binary_semaphore stopping(0);
  pool.spawn([&] {
    while (!stopping.try_acquire()) sleep_for(1ms);
    for (;;) {  // until stop() has begun, which is after this
      try {
        pool.spawn([] {});
        sleep_for(1ms);
      } catch (const error&) {
        refused = true;
        return;
      }
    }
  });
  stopping.release();
  CHECK(pool.stop(1h));
  CHECK(refused == true);
  CHECK_THROWS_AS(pool.spawn([payload] {}), error);
  CHECK_THROWS_AS(pool.spawn_on(0, [payload] {}), error);
  CHECK_THROWS_AS(pool.broadcast([payload] {}), error);
  CHECK(payload.use_count() == 1);
}

TEST_CASE("a second stop() hurries the first") {
  scheduler_pool pool{{.threads = 1}};
  std::binary_semaphore begun(0);
  pool.spawn([&] {
    begun.release();
    sleep_for(1h);
  });
  begun.acquire();
  bool all = true;
  std::thread patient([&] { all = pool.stop(1h); });
  CHECK_FALSE(pool.stop());
  patient.join();
  CHECK_FALSE(all);
}

TEST_CASE("a stop() that is killed leaves the rest to the end of the pool") {
  const scheduler s;
  std::optional<scheduler_pool> pool(scheduler_pool_options{.threads = 1});
  pool->spawn([] { sleep_for(1h); });
  const tasklet t = spawn([&] { pool->stop(1h); });
  yield();
  t.kill();
  CHECK_FALSE(t.alive());
  CHECK_THROWS_AS(pool->spawn([] {}), error);
  pool.reset();
}

TEST_CASE("pools come and go, with and without work") {
  for (int i = 0; i != 50; ++i) {
    scheduler_pool pool{{.threads = 2}};
    for (int k = 0; k != i; ++k)
      pool.spawn([] {
        yield();
        sleep_for(1h);
      });
  }
}

TEST_CASE("a pool that ends with its tasklet ends its own") {
  const scheduler s;
  bool on = false;
  const tasklet t = spawn([&] {
    scheduler_pool pool{{.threads = 1}};
    pool.spawn([] { sleep_for(1h); });
    on = true;
    sleep_for(1h);
  });
  while (!on) yield();
  SECTION("killed") {
    t.kill();
    t.join();
  }
  SECTION("by the end of its scheduler") {}
  SECTION("while nobody may switch") {
    const switch_trap none;
    t.kill(pending);
  }
}

TEST_CASE("a pool is not ended by one of its own") {
  const auto end = weft_test::in_child([] {
    auto pool =
        std::make_unique<scheduler_pool>(scheduler_pool_options{.threads = 1});
    scheduler_pool* const p = pool.get();
    p->spawn([&] { pool.reset(); });
    std::this_thread::sleep_for(1h);
  });
  CHECK(end.by_signal(SIGABRT));
  CHECK_THAT(end.said, Catch::Contains("ended by one of its own tasklets"));
}

TEST_CASE("pools that are fed, joined and ended at random lose nothing") {
  std::atomic<int> made = 0;
  std::atomic<int> gone = 0;
  std::atomic<int> failed = 0;  // in another way than on purpose
  struct payload {
    std::atomic<int>* left;
    payload(std::atomic<int>& m, std::atomic<int>& g) : left(&g) { ++m; }
    payload(payload&& other) noexcept
        : left(std::exchange(other.left, nullptr)) {}
    payload& operator=(payload&&) = delete;
    ~payload() {
      if (left != nullptr) ++*left;
    }
  };
  const auto user = [&](unsigned seed) {
    std::minstd_rand random(seed);
    std::optional<scheduler> mine;
    if (seed % 2 == 0) mine.emplace();
    for (int round = 0; round != 8; ++round) {
      scheduler_pool pool{{.threads = 1 + random() % 3, .pin = false}};
      const auto one_more = [&] {
        try {
          pool.spawn([p = payload(made, gone)] { yield(); });
        } catch (const error&) {  // It has been stopped.
        }
      };
      for (int i = 0; i != 200; ++i) {
        auto work = [&one_more, p = payload(made, gone), what = random() % 8] {
          if (what == 0) sleep_for(1ms);
          if (what == 1) spawn([] { yield(); }).join();
          if (what == 2) spawn([] { sleep_for(1h); }).kill();
          if (what == 3) offload([] {});
          if (what == 4) throw std::runtime_error("on purpose");
          if (what == 5) one_more();
          yield();
        };
        if (random() % 2 == 0)
          pool.spawn(std::move(work));
        else
          pool.spawn_on(random() % pool.size(), std::move(work));
      }
      switch (random() % 4) {
        case 0:
          break;
        case 1:
          pool.stop(std::chrono::microseconds(random() % 2000));
          break;
        default:
          pool.take_failures();
          try {
            pool.join();
          } catch (const std::runtime_error& e) {
            failed += std::string(e.what()) == "on purpose" ? 0 : 1;
          }
      }
      pool.stop();
      pool.take_failures();
    }
  };
  std::vector<std::thread> users;
  for (unsigned seed = 1; seed != 5; ++seed) users.emplace_back(user, seed);
  for (auto& u : users) u.join();
  CHECK(made == gone);
  CHECK(failed == 0);
  CHECK(made >= 4 * 8 * 200);
}

// ---- threads

TEST_CASE("threads have names, and those that are too long are cut") {
  const std::string name = GENERATE("mill", "a_name_without_end");
  scheduler_pool pool{{.threads = 2, .name = name}};
  std::array<std::string, 2> seen;
  pool.broadcast([&] {
    std::array<char, 16> text{};
    pthread_getname_np(pthread_self(), text.data(), text.size());
    seen[pool.here().value()] = text.data();
  });
  pool.join();
  CHECK(seen[1] == name.substr(0, 13) + "/1");
}

TEST_CASE("threads stay on the cores of the process, one each, or do not") {
  const bool pin = GENERATE(true, false);
  const std::vector<int> cores = allowed_cores();
  scheduler_pool pool{{.threads = cores.size() + 1, .pin = pin}};
  std::vector<std::vector<int>> seen(pool.size());
  pool.broadcast([&] {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    pthread_getaffinity_np(pthread_self(), sizeof mask, &mask);
    auto& mine = seen[pool.here().value()];
    for (int i = 0; i != CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &mask)) mine.push_back(i);
  });
  pool.join();
  for (std::size_t i = 0; i != seen.size(); ++i)
    CHECK(seen[i] == (pin ? std::vector{cores[i % cores.size()]} : cores));
}

TEST_CASE("there are as many threads as the process may use cores") {
  const scheduler_pool pool;
  CHECK(pool.size() == usable_processors());
  CHECK(usable_processors() <= allowed_cores().size());
}

TEST_CASE("the quota of a group, and of those around it, is found") {
  namespace fs = std::filesystem;
  std::string name = (fs::temp_directory_path() / "weft_XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  const fs::path root = name;
  fs::create_directories(root / "a/b/c");
  const auto write = [](const fs::path& to, const char* text) {
    std::ofstream(to) << text << '\n';
  };
  write(root / "self", "1:cpu:/else\n0::/a/b/c");
  const auto quota = [&] { return processor_quota(root, root / "self"); };
  CHECK(quota() == 0);
  write(root / "a/b/c/cpu.max", "max 100000");
  CHECK(quota() == 0);
  write(root / "a/b/cpu.max", "250000 100000");
  CHECK(quota() == 3);
  write(root / "a/cpu.max", "100000 100000");
  CHECK(quota() == 1);
  write(root / "a/cpu.max", "1000 100000");
  CHECK(quota() == 1);
  write(root / "self", "0::/");
  CHECK(quota() == 0);
  write(root / "cpu.max", "400000 100000");
  CHECK(quota() == 4);
  fs::create_directories(root / "cpu,cpuacct/b");
  write(root / "self", "3:cpuset:/b\n2:cpu,cpuacct:/b\n0::/");
  CHECK(quota() == 4);
  write(root / "cpu,cpuacct/b/cpu.cfs_period_us", "50000");
  write(root / "cpu,cpuacct/b/cpu.cfs_quota_us", "-1");
  CHECK(quota() == 4);
  write(root / "cpu,cpuacct/b/cpu.cfs_quota_us", "75000");
  CHECK(quota() == 2);
  fs::remove_all(root);
}

TEST_CASE("the schedulers have the options that they are given") {
  scheduler_options each;
  each.stack_size = std::size_t{1} << 20;
  scheduler_pool pool{{.threads = 1, .scheduler = each}};
  int sum = 0;
  pool.spawn([&] {
    std::array<volatile char, 600 << 10> much;
    for (auto& c : much) c = 1;
    for (const auto& c : much) sum += c;
  });
  pool.join();
  CHECK(sum == 600 << 10);
}

TEST_CASE("a tasklet of a pool has the name and the stack that it asks for") {
  scheduler_pool pool{{.threads = 1}};
  std::string names;
  int sum = 0;
  const auto deep = [&] {
    std::array<volatile char, 600 << 10> much;
    for (auto& c : much) c = 1;
    for (const auto& c : much) sum += c;
    names += current().name();
  };
  const std::size_t size = std::size_t{1} << 20;
  pool.spawn({.name = "a", .stack_size = size}, deep);
  pool.spawn_on(0, {.name = "b", .stack_size = size}, deep);
  pool.join();
  std::sort(names.begin(), names.end());
  CHECK(names == "ab");
  CHECK(sum == 2 * (600 << 10));
  CHECK_THROWS_AS(pool.spawn({.stack_size = ~std::size_t{0}}, [] {}),
                  std::invalid_argument);
}

TEST_CASE("a pool that cannot be made throws, and leaves nothing behind") {
  virtual_clock clock;
  scheduler_options each;
  SECTION("a driver") {
    each.driver = &clock;
    CHECK_THROWS_AS(scheduler_pool({.threads = 2, .scheduler = each}),
                    std::invalid_argument);
  }
  SECTION("a stack size") {
    each.stack_size = ~std::size_t{0};
    CHECK_THROWS_AS(scheduler_pool({.threads = 2, .scheduler = each}),
                    std::invalid_argument);
  }
#ifndef WEFT_EMULATED  // It keeps a book of every page.
  SECTION("no thread") {
    pthread_attr_t usual;
    pthread_getattr_default_np(&usual);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    pthread_setattr_default_np(&huge);
    CHECK_THROWS_AS(scheduler_pool({.threads = 2}), std::system_error);
    pthread_setattr_default_np(&usual);
  }
#endif
}

// valgrind's leak check finds what the lost threads had; qemu allows no thread in
// such a child.
#if !defined(WEFT_VALGRIND) && !defined(WEFT_EMULATED)
TEST_CASE("a child of fork() has no pool, and may make another") {
  std::optional<scheduler_pool> pool(scheduler_pool_options{.threads = 1});
  pool->spawn([] { sleep_for(1h); });
  const auto end = weft_test::in_child([&] {
    int errors = 0;
    const auto must_throw = [&](auto f) {
      try {
        f();
      } catch (const error&) {
        ++errors;
      }
    };
    must_throw([&] { pool->spawn([] {}); });
    must_throw([&] { pool->join(); });
    must_throw([&] { pool->stop(); });
    pool.reset();
#ifndef WEFT_TSAN  // It allows no thread in such a child.
    bool ran = false;
    {
      scheduler_pool mine{{.threads = 1}};
      mine.spawn([&] { ran = true; });
      mine.join();
    }
    if (!ran) _exit(1);
#endif
    _exit(errors == 3 ? 0 : 2);
  });
  CHECK(end.status == 0);
}
#endif

TEST_CASE("a pool with nothing to do uses no processor time") {
  scheduler_pool pool{{.threads = 2}};
  pool.spawn([] {});
  pool.join();
  const auto before = std::clock();
  std::this_thread::sleep_for(200ms);
  CHECK(std::clock() - before < CLOCKS_PER_SEC / 20);
}

}  // namespace
}  // namespace weft
