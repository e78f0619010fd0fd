// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/guard.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace weft {
namespace {

constexpr std::uint32_t spins = 8;    // each twice as long as the one before
constexpr std::uint32_t yields = 64;  // and whoever is waited for may run
constexpr std::chrono::microseconds nap{50};  // even with a lower priority

}  // namespace

constinit guard guard::every[count];

guard::number guard::choose() noexcept {
  static std::atomic<std::uint32_t> given{0};
  const auto n = given.fetch_add(1, std::memory_order_relaxed);
  return static_cast<number>(1 + n % (count - 1));
}

void guard::lock_slowly() noexcept {
  backoff b;
  do {
    b.wait();
  } while (held_.load(std::memory_order_relaxed) ||
           held_.exchange(true, std::memory_order_acquire));
}

void backoff::wait() noexcept {
  if (rounds_ < spins) {
    for (std::uint32_t i = 0; i != 1U << rounds_; ++i) relax();
  } else if (rounds_ < spins + yields) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(nap);
    return;
  }
  ++rounds_;
}

}  // namespace weft
