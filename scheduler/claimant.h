// SPDX-License-Identifier: BSL-1.0
// Private: a thread, as the owner of something that others share: it uses that
// by plain loads and stores until somebody takes it away.
//
//   the owner:   enter() - see that it is still mine - use it - leave()
//   who takes:   write that it is nobody's - far_fence() - await() of the owner
//
// One of the two sees what the other wrote, as if both had passed a fence
// between; but the owner passes none: far_fence() has each thread of the process
// pass one where it just is. It costs the one who takes microseconds.
//
// (Dice, Huang, Yang: asymmetric Dekker synchronization; Linux: membarrier().)
#pragma once

#include <atomic>
#include <cstddef>

namespace weft {

class alignas(64) claimant {
 public:
  // Null: it has none yet.
  [[gnu::always_inline]] static claimant* current();
  // The thread gets one for the rest of its life. Null: too many threads have
  // one, the system has no far fence, or the thread is about to end.
  static claimant* of_this_thread() noexcept;
  // Once a process. Where it has several threads that may take milliseconds,
  // which are not to be lost by those who are amid something.
  static bool has_far_fence() noexcept;

  // No user's code runs between, nor does anything switch.
  void enter() noexcept {
    in_.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  void leave() noexcept { in_.store(false, std::memory_order_release); }

  static void far_fence() noexcept;
  void await() const noexcept;

  // In the child of a fork(), for what its lost threads were amid.
  static void forget_others() noexcept;

 private:
  struct give_back;

  static constexpr std::size_t count = 256;
  static claimant every[count];

  std::atomic<bool> in_{false};
  std::atomic<bool> taken_{false};
};

}  // namespace weft

// As weft_this_dispatcher.
extern "C" constinit thread_local weft::claimant* weft_this_claimant
    __attribute__((tls_model("initial-exec")));

namespace weft {

inline claimant* claimant::current() {
#if defined(__x86_64__) && defined(__linux__)
  claimant* c;
  asm volatile(
      "movq weft_this_claimant@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0"
      : "=r"(c));
  return c;
#else
  return weft_this_claimant;
#endif
}

}  // namespace weft
