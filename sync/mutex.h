// SPDX-License-Identifier: BSL-1.0
// One tasklet at a time, across operations that park.
//
//   weft::mutex accounts;
//   const std::scoped_lock mine(accounts);
//   from.balance -= amount;
//   audit.send(record);  // others run meanwhile, but do not get here
//   to.balance += amount;
//
// Between two operations that may park or yield no mutex is needed: nobody else
// runs.
//
// Ordering:       fair: unlock() hands it to the first who waits, and nobody
//                 overtakes.
// Thread safety:  belongs to the scheduler of the first operation on it; in any
//                 other thread operations throw wrong_scheduler or
//                 no_scheduler; queries and set_name() are not checked.
// Lifetime:       ending one has those who wait go on with an error. A tasklet
//                 that ends without unlocking leaves it locked: from then on
//                 lock() throws error. After the scheduler's end unlock()
//                 throws no_scheduler: a lock guard must not outlive that.
// Cost:           O(1), no allocation, no atomic.
//
// Several at once: by lock_all.h. Where others name them in another order,
// std::scoped_lock retries, and since turns are exact it may do so for ever.
//
// lockable.h has lock(), try_lock(), try_lock_for(), try_lock_until(),
// lock_case() and owner(). (std::timed_mutex.)
#pragma once

#include "weft/sync/lockable.h"

namespace weft {

class mutex : public lockable<mutex> {
 public:
  mutex() : mutex(kind) {}

  // The first who waits owns it now and goes to the tail of the run queue. The
  // caller goes on. Never parks. Throws error where the caller does not own it;
  // no_scheduler, wrong_scheduler.
  void unlock() {
    owner_.require_held_by(current(attend()));
    give_back(exclusive);
  }

 protected:
  explicit mutex(const wait_kind& what) : lockable(what) {}

 private:
  friend waiting_line;
  friend lockable;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind = kind_of("mutex");
  static constexpr std::uint32_t exclusive = 0;

  [[nodiscard]] bool possible(std::uint32_t) const { return owner_.vacant(); }
  void take(descriptor* who, std::uint32_t) { owner_.take(who); }
  void refuse(const descriptor* who, std::uint32_t) const {
    owner_.refuse(who);
  }
  void give_back(std::uint32_t) noexcept {
    owner_.leave();
    serve(*this);
  }
};

}  // namespace weft
