// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/claimant.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/guard.h"

extern "C" {
__attribute__((
    used)) constinit thread_local weft::claimant* weft_this_claimant = nullptr;
}

namespace weft {
namespace {

bool membarrier(int command) noexcept {
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}
bool enroll() noexcept {
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

constinit thread_local bool about_to_end = false;

}  // namespace

constinit claimant claimant::every[count];

bool claimant::has_far_fence() noexcept {
  static const bool has = enroll();
  return has;
}

struct claimant::give_back {
  give_back() = default;
  give_back(const give_back&) = delete;
  give_back& operator=(const give_back&) = delete;
  ~give_back() {
    claimant* const mine = std::exchange(weft_this_claimant, nullptr);
    about_to_end = true;
    mine->taken_.store(false, std::memory_order_release);
  }
};

claimant* claimant::of_this_thread() noexcept {
  if (weft_this_claimant != nullptr || about_to_end || !has_far_fence())
    return weft_this_claimant;
  for (claimant& c : every) {
    if (c.taken_.load(std::memory_order_relaxed) ||
        c.taken_.exchange(true, std::memory_order_acquire))
      continue;
    weft_this_claimant = &c;
    static thread_local give_back at_thread_end;
    break;
  }
  return weft_this_claimant;
}

void claimant::far_fence() noexcept {
  constexpr int command = MEMBARRIER_CMD_PRIVATE_EXPEDITED;
  if (!membarrier(command) && !(enroll() && membarrier(command)))
    stop("membarrier() has ceased to work in this process");
}

void claimant::await() const noexcept {
  for (backoff b; in_.load(std::memory_order_acquire);) b.wait();
}

void claimant::forget_others() noexcept {
  for (claimant& c : every) {
    if (&c == weft_this_claimant) continue;
    c.leave();
    c.taken_.store(false, std::memory_order_relaxed);
  }
}

}  // namespace weft
