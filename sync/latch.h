// SPDX-License-Identifier: BSL-1.0
// Counts down to zero, once; tasklets wait until it has.
//
//   weft::latch loaded(3);
//   for (auto& part : parts)
//     weft::spawn([&] { load(part); loaded.count_down(); });
//   loaded.wait();
//
// Ordering, thread safety, lifetime, cost: as event.h says. The tasklet that
// waits may end it as soon as wait() returns.
//
// waitable.h has wait(), try_wait(), wait_for(), wait_until() and wait_case().
// (std::latch.)
#pragma once

#include <cstddef>
#include <source_location>

#include "weft/sync/waitable.h"

namespace weft {

class latch : public waitable<latch> {
 public:
  explicit latch(std::size_t count) : waitable(kind), count_(count) {}

  // At zero all who wait go on. Neither switches nor parks. Throws error where
  // it would fall below zero; no_scheduler, wrong_scheduler.
  void count_down(std::size_t by = 1) {
    attend();
    if (by > count_) throw error("weft: a latch was counted down below zero");
    count_ -= by;
    if (count_ == 0) serve(*this);
  }
  // count_down(), then wait().
  void arrive_and_wait(std::size_t by = 1,
                       location where = location::current()) {
    admit();
    count_down(by);
    wait(where);
  }

  // How many are missing.
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  friend waiting_line;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind{"latch"};
  [[nodiscard]] bool possible(std::uint32_t) const { return count_ == 0; }
  void take(const descriptor*, std::uint32_t) {}

  std::size_t count_;
};

}  // namespace weft
