// SPDX-License-Identifier: BSL-1.0
// The ways to lock something for oneself: the same for every kind of mutex.
// They have std's names, so that std::unique_lock, std::scoped_lock and
// std::lock_guard work.
#pragma once

#include <chrono>
#include <cstdint>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/sync/waiting_line.h"

namespace weft {

struct locking {
  static constexpr char reason[] = "lock";
};

// Whose it is. Not main's or a tasklet's frame: a handle that outlives both.
class ownership {
 public:
  [[nodiscard]] bool vacant() const { return who_ == nullptr; }
  [[nodiscard]] bool held_by(const descriptor* d) const {
    return who_ == d && id_ == d->id;
  }
  // Its owner has ended.
  [[nodiscard]] bool orphaned() const {
    return who_ != nullptr && who_->id != id_;
  }
  // Null: nobody's, or it is orphaned.
  [[nodiscard]] descriptor* holder() const {
    return orphaned() ? nullptr : who_;
  }
  [[nodiscard]] tasklet owner() const {
    return holder() != nullptr ? dispatcher::handle(who_) : tasklet();
  }
  void take(descriptor* who) {
    who_ = who;
    id_ = who->id;
  }
  void leave() { who_ = nullptr; }

  // Throws error unless it is the caller's, to unlock.
  void require_held_by(const descriptor* d) const {
    if (!held_by(d)) [[unlikely]]
      throw_not_owner();
  }
  // Throws error where to wait for it could come to nothing.
  void refuse(const descriptor* d) const {
    if (who_ != nullptr && (who_ == d || orphaned())) [[unlikely]]
      throw_vain(d);
  }

 private:
  [[noreturn]] static void throw_not_owner();
  [[noreturn]] void throw_vain(const descriptor* d) const;

  descriptor* who_ = nullptr;
  std::uint64_t id_ = 0;
};

template <typename P>
class lockable : public waiting_line {
  using time_point = std::chrono::steady_clock::time_point;

 public:
  // Parks until the caller owns it.
  // Throws error where the caller owns it already, its owner has ended, or it
  // is destroyed meanwhile; no_scheduler, wrong_scheduler; deadlock_error where
  // nobody could unlock it; tasklet_exit when killed, and what
  // throw_exception() raises; block_trap_error, switch_trap_error. Main gets
  // what escaped a tasklet. Then it is not the caller's.
  [[gnu::always_inline]] void lock(location where = location::current()) {
    perform<locking>(self(), P::exclusive, wait_forever{}, where);
  }
  // As lock(), but does not park: false instead, also where somebody waits.
  [[nodiscard]] bool try_lock() {
    return perform<locking>(self(), P::exclusive, wait_never{}, location());
  }
  // As lock(), but park for `time`, or until `when`, at most: false then.
  template <typename Rep, typename Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> time,
                                  location where = location::current()) {
    return perform<locking>(self(), P::exclusive, wait_for{saturate(time)},
                            where);
  }
  [[nodiscard]] bool try_lock_until(time_point when,
                                    location where = location::current()) {
    return perform<locking>(self(), P::exclusive, wait_until{when}, where);
  }
  // The case of a select: when it happens the caller owns it. Its handler takes
  // nothing.
  template <typename F = no_handler>
  [[nodiscard]] claim_case<locking, P, std::decay_t<F>> lock_case(
      F&& handler = {}, location where = location::current()) {
    return {self(), P::exclusive, std::forward<F>(handler), where};
  }

  // Whose it is. Not alive: nobody's, or that one has ended.
  [[nodiscard]] tasklet owner() const { return owner_.owner(); }

 protected:
  explicit lockable(const wait_kind& what) : waiting_line(what, &left_by<P>) {}
  ~lockable() = default;

  // Whose turn it is to go on is certain.
  static constexpr wait_kind kind_of(const char* name) {
    return {name, &owner_of};
  }

  ownership owner_;

 private:
  P& self() { return static_cast<P&>(*this); }
  static const descriptor* owner_of(const waiting_line::target& t) {
    return static_cast<const lockable&>(of(t)).owner_.holder();
  }
};

}  // namespace weft
