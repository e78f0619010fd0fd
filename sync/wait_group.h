// SPDX-License-Identifier: BSL-1.0
// Waits until a number of things, which may grow meanwhile, are done.
//
//   weft::wait_group pages;
//   for (const url& u : links) {
//     pages.add();
//     weft::spawn([&pages, u] { fetch(u); pages.done(); });
//   }
//   pages.wait();
//
// Ordering, thread safety, lifetime, cost: as event.h says. It may be used again
// and again.
//
// waitable.h has wait(), try_wait(), wait_for(), wait_until() and wait_case().
// (Go: sync.WaitGroup.)
#pragma once

#include <cstdint>

#include "weft/sync/waitable.h"

namespace weft {

class wait_group : public waitable<wait_group> {
 public:
  wait_group() : waitable(kind) {}

  // So many more, or fewer; at zero all who wait go on. Neither switches nor
  // parks. Throws error where there would be fewer than none; no_scheduler,
  // wrong_scheduler. Then nothing has changed.
  void add(std::int64_t more = 1) {
    attend();
    if (more < -count_) throw error("weft: a wait_group has none left to do");
    count_ += more;
    if (count_ == 0) serve(*this);
  }
  void done() { add(-1); }

  // How many are to be done.
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  friend waiting_line;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind{"wait_group"};
  [[nodiscard]] bool possible(std::uint32_t) const { return count_ == 0; }
  void take(const descriptor*, std::uint32_t) {}

  std::int64_t count_ = 0;
};

}  // namespace weft
