// SPDX-License-Identifier: BSL-1.0
// Private: what keeps other threads from the lines of something shared, while
// one looks at them, lines up or moves a value: briefly, and never while anything
// switches.
//
// There is a fixed number of guards, and each shared thing is given one when it
// is made. They outlive all that they guard, so that who waits may take the
// guard of what he waited for when that may be gone.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "weft/tasklet/wait_queue.h"

namespace weft {

// Tells the processor that this is a loop that waits.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // yield does nothing on most
#endif
}

// Waiting for what another thread is about to do: briefly at first.
class backoff {
 public:
  void wait() noexcept;

 private:
  std::uint32_t rounds_ = 0;
};

class alignas(64) guard {
 public:
  // What wait_record::crossing says.
  using number = std::uint8_t;
  static constexpr number none = 0;         // its line is not shared
  static constexpr number elsewhere = 255;  // but another of its select is

  // For something new; every so often two get the same one.
  static number choose() noexcept;
  // Requires: a number of choose().
  static guard& of(number n) { return every[n]; }
  static bool guarded(number n) { return n != none && n != elsewhere; }
  // In the child of a fork(), for what its lost threads held.
  static void free_all() noexcept {
    for (guard& g : every) g.unlock();
  }

  void lock() noexcept {
    if (held_.exchange(true, std::memory_order_acquire)) lock_slowly();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  static constexpr std::size_t count = 128;

  void lock_slowly() noexcept;

  static guard every[count];
  std::atomic<bool> held_{false};
};

using guarded = std::lock_guard<guard>;

// Several, each once; taken in an order that all agree on. It remembers which:
// whoever waits may be served as soon as they are left, and then what they
// guarded may be gone.
class guard_set {
 public:
  void add(guard::number n) noexcept {
    if (guard::guarded(n)) of_[n / 64] |= std::uint64_t{1} << n % 64;
  }
  [[nodiscard]] bool empty() const { return (of_[0] | of_[1]) == 0; }

  void lock() const noexcept {
    for_each([](guard& g) { g.lock(); });
  }
  void unlock() const noexcept {
    for_each([](guard& g) { g.unlock(); });
  }

 private:
  template <typename Do>
  void for_each(Do what) const noexcept {
    for (std::size_t i = 0; i != of_.size(); ++i)
      for (std::uint64_t left = of_[i]; left != 0; left &= left - 1)
        what(guard::of(static_cast<guard::number>(
            64 * i + static_cast<std::size_t>(std::countr_zero(left)))));
  }

  std::array<std::uint64_t, 2> of_{};
};

using guarded_by_all = std::lock_guard<const guard_set>;

}  // namespace weft
