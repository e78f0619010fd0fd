// SPDX-License-Identifier: BSL-1.0
// As a mutex, but its owner may lock it again, and unlocks it as often.
//
//   weft::recursive_mutex tree;
//   void insert(node& at) {
//     const std::scoped_lock mine(tree);
//     if (full(at)) split(at);  // which locks it, too
//   }
//
// Ordering, thread safety, lifetime, cost: as mutex.h says. An owner that locks
// it again never parks and overtakes those who wait.
//
// lockable.h has lock(), try_lock(), try_lock_for(), try_lock_until(),
// lock_case() and owner(). (std::recursive_timed_mutex.)
#pragma once

#include "weft/sync/lockable.h"

namespace weft {

class recursive_mutex : public lockable<recursive_mutex> {
 public:
  recursive_mutex() : lockable(kind) {}

  // Undoes one lock(); the last one hands it over, as mutex::unlock().
  void unlock() {
    owner_.require_held_by(current(attend()));
    if (--depth_ == 0) give_back(exclusive);
  }

 private:
  friend waiting_line;
  friend lockable;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind = kind_of("recursive_mutex");
  static constexpr std::uint32_t exclusive = 0;

  [[nodiscard]] bool passes(const descriptor* who, std::uint32_t) const {
    return owner_.held_by(who);
  }
  [[nodiscard]] bool possible(std::uint32_t) const { return owner_.vacant(); }
  void take(descriptor* who, std::uint32_t) {
    owner_.take(who);
    ++depth_;
  }
  void refuse(const descriptor* who, std::uint32_t) const {
    owner_.refuse(who);
  }
  void give_back(std::uint32_t) noexcept {
    depth_ = 0;
    owner_.leave();
    serve(*this);
  }

  std::uint32_t depth_ = 0;
};

}  // namespace weft
