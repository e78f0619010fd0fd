// SPDX-License-Identifier: BSL-1.0
// What two fibers hand each other without a value.
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <mutex>

#include "weft/bench/fiber/cases.h"

namespace {

// Its mutex is not handed over: who unlocks has to let the other run.
double mutex_turns(long n) {
  boost::fibers::mutex m;
  long inside = 0;
  const auto take_turns = [&] {
    for (long i = 0; i < n / 2; ++i) {
      m.lock();
      ++inside;
      m.unlock();
      boost::this_fiber::yield();
    }
  };
  const bench::stopwatch watch;
  boost::fibers::fiber one = spawn(take_turns);
  boost::fibers::fiber two = spawn(take_turns);
  one.join();
  two.join();
  const double took = watch.ns();
  bench::check(inside == n / 2 * 2, "the turns");
  return took / static_cast<double>(n);
}

// It has none of its own.
class semaphore {
 public:
  void release() {
    const std::lock_guard lock(mutex_);
    ++permits_;
    changed_.notify_one();
  }
  void acquire() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return permits_ != 0; });
    --permits_;
  }

 private:
  boost::fibers::mutex mutex_;
  boost::fibers::condition_variable changed_;
  int permits_ = 0;
};

double semaphore_turns(long n) {
  semaphore here;
  semaphore there;
  const bench::stopwatch watch;
  boost::fibers::fiber one = spawn([&] {
    for (long i = 0; i < n / 2; ++i) {
      there.release();
      here.acquire();
    }
  });
  boost::fibers::fiber two = spawn([&] {
    for (long i = 0; i < n / 2; ++i) {
      there.acquire();
      here.release();
    }
  });
  one.join();
  two.join();
  return watch.ns() / static_cast<double>(n);
}

}  // namespace

void add_sync_cases(bench::suite& all) {
  all.add("sync/mutex", "a mutex taken in turns by 2; stacks warm",
          [](const bench::work& w) { return mutex_turns(w.operations); });
  all.add("sync/semaphore",
          "a permit handed over between 2, by a mutex and a condition variable",
          [](const bench::work& w) { return semaphore_turns(w.operations); });
}
