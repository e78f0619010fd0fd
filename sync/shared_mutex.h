// SPDX-License-Identifier: BSL-1.0
// Many that read, or one that writes.
//
//   weft::shared_mutex world;
//   { const std::shared_lock reading(world); draw(); }
//   { const std::scoped_lock writing(world); step(); }
//
// Ordering:       one line for both, first in, first out: readers that stand
//                 next to each other go together; who comes after a writer that
//                 waits, waits behind it. So neither side starves.
// Thread safety, lifetime, cost: as mutex.h says.
//
// A reader that would write unlocks first: one that locks while it reads waits
// for itself. Nor does it read twice: a writer may stand between.
//
// lockable.h has lock(), try_lock(), try_lock_for(), try_lock_until(),
// lock_case() and owner(), all of the writer. (std::shared_timed_mutex.)
#pragma once

#include "weft/sync/lockable.h"

namespace weft {

struct locking_shared {
  static constexpr char reason[] = "lock_shared";
};

class shared_mutex : public lockable<shared_mutex> {
  using time_point = std::chrono::steady_clock::time_point;

 public:
  shared_mutex() : lockable(kind) {}

  // As mutex::unlock(); readers that stand next in line go together.
  void unlock() {
    owner_.require_held_by(current(attend()));
    give_back(exclusive);
  }

  // As lock() and the others, of one that reads.
  [[gnu::always_inline]] void lock_shared(
      location where = location::current()) {
    perform<locking_shared>(*this, shared, wait_forever{}, where);
  }
  [[nodiscard]] bool try_lock_shared() {
    return perform<locking_shared>(*this, shared, wait_never{}, location());
  }
  template <typename Rep, typename Period>
  [[nodiscard]] bool try_lock_shared_for(
      std::chrono::duration<Rep, Period> time,
      location where = location::current()) {
    return perform<locking_shared>(*this, shared, wait_for{saturate(time)},
                                   where);
  }
  [[nodiscard]] bool try_lock_shared_until(
      time_point when, location where = location::current()) {
    return perform<locking_shared>(*this, shared, wait_until{when}, where);
  }
  template <typename F = no_handler>
  [[nodiscard]] claim_case<locking_shared, shared_mutex, std::decay_t<F>>
  lock_shared_case(F&& handler = {}, location where = location::current()) {
    return {*this, shared, std::forward<F>(handler), where};
  }
  // The last reader hands it over. Throws error where nobody reads;
  // no_scheduler, wrong_scheduler.
  void unlock_shared() {
    attend();
    if (readers_ == 0) throw_unread();
    give_back(shared);
  }

  // How many read now.
  [[nodiscard]] std::size_t readers() const { return readers_; }

 private:
  friend waiting_line;
  friend lockable;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind = kind_of("shared_mutex");
  static constexpr std::uint32_t exclusive = 0;
  static constexpr std::uint32_t shared = 1;

  [[nodiscard]] bool possible(std::uint32_t how) const {
    return owner_.vacant() && (how == shared || readers_ == 0);
  }
  void take(descriptor* who, std::uint32_t how) {
    how == shared ? void(++readers_) : owner_.take(who);
  }
  void refuse(const descriptor* who, std::uint32_t) const {
    owner_.refuse(who);
  }
  void give_back(std::uint32_t how) noexcept {
    how == shared ? void(--readers_) : owner_.leave();
    serve(*this);
  }
  [[noreturn]] static void throw_unread() {
    throw error("weft: unlock_shared() of a shared_mutex that nobody reads");
  }

  std::size_t readers_ = 0;
};

}  // namespace weft
