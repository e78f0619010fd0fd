// SPDX-License-Identifier: BSL-1.0
// Private: how those who wait in a channel are served. The algorithm of a
// channel is one; it is given one of two services:
//
//   local_service   all are of one scheduler, and nothing runs meanwhile
//   shared_service  they may be of several; under the channel's guard
//
//   first(q)      who can be served, claimed if need be; null: nobody, or one
//                 that offers an exception has become the first
//   meet(w, q)    he has been: takes him off; gives who goes on at once, or null
//   fail(w, q)    what he waits for fails
//   spoil(w, q)   he is not served after all
#pragma once

#include <cstdint>
#include <exception>
#include <utility>

#include "weft/scheduler/crossing.h"
#include "weft/scheduler/dispatcher.h"

namespace weft {

// The kind of a sender's record that offers no value.
inline constexpr std::uint32_t offers_exception = 2;

class local_service {
 public:
  // Whoever met goes on at once, if that is preferred.
  static constexpr bool hands_over = true;

  explicit local_service(dispatcher* s) : s_(s) {}

  [[gnu::always_inline]] wait_record* first(wait_queue& q, bool /*now*/) {
    while (!q.empty()) {
      wait_record& w = q.front();
      if (s_->claim(w)) [[likely]]
        return &w;
      if (exception_first(q)) break;
    }
    return nullptr;
  }
  // He goes to the tail, or, where he goes on now, the caller does.
  [[gnu::always_inline]] control_block* meet(wait_record& w, wait_queue& q,
                                             bool now) {
    control_block* const partner = w.who;
    s_->queue.push(now ? s_->current : partner);
    s_->unlink(w, q);
    return partner;
  }
  // As meet(), but he is not runnable yet: resume() has him go on.
  control_block* keep(wait_record& w, wait_queue& q) {
    return s_->unlink(w, q);
  }
  void resume(control_block* t) { s_->resume(t, true); }
  void fail(wait_record& w, wait_queue& /*q*/, std::exception_ptr why) {
    s_->fail(w, std::move(why));
  }
  void spoil(wait_record& w, wait_queue& /*q*/) { s_->unclaim(w); }

 private:
  friend class shared_service;
  static bool exception_first(const wait_queue& q) {
    return !q.empty() && q.front().kind == offers_exception;
  }

  dispatcher* s_;
};

class shared_service {
 public:
  static constexpr bool hands_over = false;

  // `s`: of the caller, which may be a thread without one.
  explicit shared_service(dispatcher* s) : s_(s) {}
  shared_service(const shared_service&) = delete;
  shared_service& operator=(const shared_service&) = delete;
  ~shared_service() = default;

  // Nobody of another thread goes on at once. Throws switch_trap_error where
  // one of this does.
  wait_record* first(wait_queue& q, bool now) const {
    while (!q.empty()) {
      wait_record& w = q.front();
      if (now) require_first_may_run(q);
      if (w.sibling == nullptr || s_->claim(w)) return &w;
      if (local_service::exception_first(q)) break;
    }
    return nullptr;
  }
  control_block* meet(wait_record& w, wait_queue& q, bool now) noexcept {
    crossing_wait& wait = take_off(w, q);
    w.served = 1;
    if (now && wait.home == s_) partner_ = wait.who;
    return nullptr;
  }
  control_block* keep(wait_record& w, wait_queue& q) noexcept {
    control_block* const first = w.who;
    meet(w, q, !s_->flagged(no_switching));
    return first;
  }
  void fail(wait_record& w, wait_queue& q, std::exception_ptr why,
            bool now = false) noexcept {
    crossing_wait& wait = take_off(w, q);
    wait.failure = std::move(why);
    if (now && wait.home == s_) partner_ = wait.who;
  }
  // One that has claimed it ends its wait: a select looks again. Others stay.
  void spoil(wait_record& w, wait_queue& q) noexcept {
    if (w.sibling != nullptr) take_off(w, q);
  }

  // Throws switch_trap_error where the first of `q` would go on at once.
  void require_first_may_run(const wait_queue& q) const {
    if (!q.empty() && crossing_wait::of(q.front()).home == s_)
      s_->require_switching();
  }
  // The caller's operation has happened, and comes to `what`.
  void fail_caller(std::exception_ptr what) noexcept {
    thrown_ = std::move(what);
  }

  // Tells all of them, and switches to who goes on at once. Requires: no guard
  // is held. What an exception leaves untold is told by the destructor.
  void tell() {
    served_.send();
    if (partner_ == nullptr) {
      if (thrown_) [[unlikely]]
        std::rethrow_exception(std::move(thrown_));
      return;
    }
    control_block* const me = s_->current;
    // Before what becomes due to the caller meanwhile.
    if (thrown_) dispatcher::raise_in(me, std::move(thrown_));
    s_->queue.remove(partner_);
    s_->queue.push(me);
    s_->switch_to(me, partner_);
  }

 private:
  crossing_wait& take_off(wait_record& w, wait_queue& q) noexcept {
    crossing_wait& wait = crossing_wait::of(w);
    if (&wait == &w) static_cast<void>(wait.claim());
    q.remove(w);
    w.queue = nullptr;
    served_.add(wait);
    return wait;
  }

  dispatcher* s_;
  outbox served_;
  control_block* partner_ = nullptr;
  std::exception_ptr thrown_;
};

}  // namespace weft
