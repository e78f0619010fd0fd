// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/sync.md, one after the other.
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [mutex]
void transfer() {
  weft::mutex accounts;
  int from = 100;
  int to = 0;
  for (int amount : {30, 50})
    weft::spawn([&, amount] {
      const std::scoped_lock mine(accounts);
      from -= amount;
      weft::yield();  // others run here, but none of them gets in
      to += amount;
      std::printf("%d + %d = %d\n", from, to, from + to);
    });
  weft::run();
}
// [end]

// [event]
void event() {
  weft::event ready;
  for (const char* who : {"ann", "bob"})
    weft::spawn([&ready, who] {
      ready.wait();
      std::printf("%s goes on\n", who);
    });
  weft::yield();  // both wait
  ready.set();
  weft::run();
}
// [end]

// [wait_group]
void wait_group() {
  weft::wait_group pages;
  weft::semaphore connections(2);
  for (int page = 1; page <= 4; ++page) {
    pages.add();
    weft::spawn([&, page] {
      connections.acquire();
      std::printf("fetches %d\n", page);
      weft::sleep_for(1ms);
      connections.release();
      pages.done();
    });
  }
  pages.wait();
  std::puts("all done");
}
// [end]

// [barrier]
void barrier() {
  int tick = 0;
  weft::barrier step(2, [&] { std::printf("(tick %d) ", ++tick); });
  for (const char* robot : {"left", "right"})
    weft::spawn([&, robot] {
      for (int i = 0; i < 2; ++i) {
        std::printf("%s ", robot);
        step.arrive_and_wait();
      }
    });
  weft::run();
}
// [end]

// [select]
void whichever() {
  weft::mutex printer;
  weft::event alarm;
  printer.lock();  // and it is not unlocked in time
  const weft::tasklet patient = weft::spawn([&] {
    weft::select(printer.lock_case([&] {
      std::puts("prints");
      printer.unlock();
    }),
                 alarm.wait_case([] { std::puts("runs away"); }),
                 weft::timeout_case(1h));
  });
  weft::yield();
  alarm.set();
  patient.join();
  printer.unlock();
}
// [end]

// [kill]
void killed() {
  weft::mutex m;
  m.lock();
  const weft::tasklet first = weft::spawn([&] { m.lock(); });
  weft::spawn([&] {
    m.lock();
    std::puts("the second has it");
    m.unlock();
  });
  weft::yield();
  m.unlock();    // it is the first one's now,
  first.kill();  // who never gets to know
  weft::run();
}
// [end]

// [condition]
void condition() {
  weft::mutex m;
  weft::condition_variable changed;
  std::vector<std::string> shelf;
  weft::spawn([&] {
    std::unique_lock lock(m);
    changed.wait(lock, [&] { return !shelf.empty(); });
    std::printf("takes a %s\n", shelf.back().c_str());
  });
  weft::spawn([&] {
    const std::scoped_lock lock(m);
    shelf.emplace_back("book");
    changed.notify_one();
  });
  weft::run();
}
// [end]

// [local]
void local() {
  const weft::tasklet_local<std::string> user(weft::inheritance::copy);
  *user = "ann";
  weft::spawn([&] {
    std::printf("for %s\n", user->c_str());
    *user = "bob";  // its own copy
  });
  weft::run();
  std::printf("for %s\n", user->c_str());
}
// [end]

}  // namespace

int main() {
  const weft::scheduler scheduler;
  transfer();
  event();
  wait_group();
  barrier();
  std::puts("");
  whichever();
  killed();
  condition();
  local();
}
