// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/run_queue.h"

#include <bit>
#include <cassert>

namespace weft {

// Closes the gaps that tombstones left, towards the tail, so that absolute
// positions stay below it.
void run_queue::compact() noexcept {
  assert(tombstones_ != 0);
  std::uint64_t to = tail_;
  for (std::uint64_t from = tail_; from != head_; --from) {
    control_block* t = ring_[(from - 1) & mask_];
    if (t != nullptr) {
      put(--to, t);
    } else if (marked_ && from - 1 == marker_) {
      marker_ = --to;
      ring_[to & mask_] = nullptr;
    }
  }
  head_ = to;
  tombstones_ = 0;
}

void run_queue::grow(std::size_t members) {
  const std::uint64_t capacity =
      std::bit_ceil(std::uint64_t{members} + members / 4 + 64);
  auto* bigger = new control_block*[capacity];
  // Positions are absolute, so they stay true.
  for (std::uint64_t i = head_; i != tail_; ++i)
    bigger[i & (capacity - 1)] = ring_[i & mask_];
  delete[] ring_;
  ring_ = bigger;
  mask_ = capacity - 1;
  // The largest that would ask for no more than this.
  comfortable_ = static_cast<std::size_t>(((capacity - 64) * 4 + 3) / 5);
}

void run_queue::release() noexcept {
  delete[] ring_;
  ring_ = nullptr;
  mask_ = 0;
  comfortable_ = 0;
}

}  // namespace weft
