// SPDX-License-Identifier: BSL-1.0
#include "weft/channel/ring_end.h"

#include <algorithm>

namespace weft {

constinit claimant ring_end::nobody;

// Several threads may be here at once: then a run is counted wrong, at worst.
void ring_end::consider() noexcept {
  claimant* const* const caller = &weft_this_claimant;
  if (alone_.load(std::memory_order_relaxed) != caller) {
    alone_.store(caller, std::memory_order_relaxed);
    run_.store(0, std::memory_order_relaxed);
    return;
  }
  const std::uint32_t run = run_.load(std::memory_order_relaxed) + 1;
  run_.store(run, std::memory_order_relaxed);
  if (run < run_needed_.load(std::memory_order_relaxed)) return;

  run_.store(0, std::memory_order_relaxed);
  claimant* const me = claimant::of_this_thread();
  if (me == nullptr) return;
  claimant* none = &nobody;
  if (!owner_.compare_exchange_strong(none, me, std::memory_order_acq_rel))
    return;
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while ((word & (stopped | owned)) == 0) {
    owned_since_.store(word / step, std::memory_order_relaxed);
    if (word_.compare_exchange_weak(word, word | owned,
                                    std::memory_order_acq_rel))
      return;
  }
  owner_.store(&nobody, std::memory_order_release);
}

void ring_end::stopping::settle() noexcept {
  owner_->await();
  // The owner's last store may have undone the mark.
  const auto word = of_.word_.load(std::memory_order_relaxed);
  of_.word_.store((word | stopped) & ~owned, std::memory_order_release);

  const position had =
      word / step - of_.owned_since_.load(std::memory_order_relaxed);
  const auto run = of_.run_needed_.load(std::memory_order_relaxed);
  of_.run_needed_.store(had < 2 * sample * run
                            ? std::min(2 * run, longest_run)
                            : std::max(run / 2, shortest_run),
                        std::memory_order_relaxed);
}

}  // namespace weft
