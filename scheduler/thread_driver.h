// SPDX-License-Identifier: BSL-1.0
// The idle driver that a scheduler has unless it is given another: the OS
// thread sleeps on the monotonic clock.
#pragma once

#include <condition_variable>
#include <mutex>

#include "weft/scheduler/idle_driver.h"

namespace weft {

class thread_driver : public idle_driver {
 public:
  void wait(std::optional<clock::time_point> deadline) noexcept override {
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return woken_; };
    if (deadline)
      changed_.wait_until(lock, *deadline, woken);
    else
      changed_.wait(lock, woken);
    woken_ = false;
  }

  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace weft
