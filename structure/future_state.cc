// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/future_state.h"

#include <utility>

#include "weft/structure/broken_promise.h"

namespace weft {
namespace {

constexpr char wait_reason[] = "wait for a future";

[[noreturn]] void throw_broken() {
  throw broken_promise("weft: a promise ended without a value or a failure");
}
[[noreturn]] void throw_killed() {
  throw broken_promise("weft: a tasklet was killed before it had a result");
}

}  // namespace

// ---- what follows

void follower::follow(future_state& s) noexcept {
  next_ = nullptr;
  at_ = s.last_;
  *at_ = this;
  s.last_ = &next_;
  s_ = &s;
}

void follower::leave() noexcept {
  if (at_ == nullptr) return;
  *at_ = next_;
  (next_ != nullptr ? next_->at_ : s_->last_) = at_;
  at_ = nullptr;
}

// ---- the readers'

future_state::~future_state() {
  while (followers_ != nullptr) followers_->leave();
}

bool future_state::wait(std::chrono::steady_clock::time_point until,
                        std::source_location where) {
  dispatcher* s = this_dispatcher();
  admit(s);
  if (ready()) return true;
  wait_record w(wait_reason, where);
  return s->park_until(w, waiters_, until);
}

bool future_state::wait(std::chrono::nanoseconds time,
                        std::source_location where) {
  dispatcher* s = this_dispatcher();
  admit(s);
  if (ready()) return true;
  wait_record w(wait_reason, where);
  return s->park_for(w, waiters_, time);
}

std::exception_ptr future_state::failure() {
  if (!failed()) return nullptr;
  heard_ = true;
  if (outcome_ == outcome::failure) return failure_;
  try {
    outcome_ == outcome::broken ? throw_broken() : throw_killed();
  } catch (...) {
    return std::current_exception();
  }
}

void future_state::look_closer(bool takes) {
  if (spent())
    throw error("weft: what this future came to has been taken already");
  if (std::exchange(deferred_, false)) {
    spend();  // Nobody else's: the moves may switch.
    try {
      collect();
      return unspend();
    } catch (...) {
      failure_ = std::current_exception();
      outcome_ = outcome::failure;
    }
  }
  heard_ = true;
  const outcome o = outcome_;
  if (takes) spend();
  if (o == outcome::broken) throw_broken();
  if (o == outcome::killed) throw_killed();
  std::rethrow_exception(takes ? std::exchange(failure_, nullptr) : failure_);
}

void future_state::last_reader_gone() noexcept {
  if (outcome_ == outcome::failure && !heard_) {
    heard_ = true;
    ++readers_;  // The error handler may end the promise.
    this_dispatcher()->report_unheard(who_, failure_);
    --readers_;
  }
  if (!written_) delete this;
}

void future_state::admit(dispatcher* s) const {
  s->require_scheduler();
  if (s != home_)
    throw wrong_scheduler(
        "weft: this future belongs to another scheduler; use it in the thread "
        "of that one");
  s->admit();
}

void future_state::require_home(const dispatcher* s) const {
  s->require_scheduler();
  if (s != home_)
    throw wrong_scheduler(
        "weft: this promise belongs to another scheduler; use it in the thread "
        "of that one");
}

// ---- the writer's

void future_state::claim() {
  if (claimed_ || ready())
    throw error("weft: this promise has been kept already");
  claimed_ = true;
}

void future_state::conclude(outcome o) noexcept {
  outcome_ = o;
  while (!waiters_.empty()) home_->serve(waiters_.front(), waiters_);
  while (followers_ != nullptr) {
    follower* const f = followers_;
    f->leave();
    f->now_ready();
  }
}

void future_state::fail(std::exception_ptr what) noexcept {
  failure_ = std::move(what);
  if (who_.id() == 0) who_ = dispatcher::handle(home_->current->who);
  conclude(outcome::failure);
  if (readers_ == 0) last_reader_gone();
}

void future_state::fail_as(future_state& other) noexcept {
  other.heard_ = true;
  failure_ = other.failure_;
  who_ = other.who_;
  conclude(other.outcome_);
}

void future_state::writer_gone() noexcept {
  if (!ready()) {
    if (!waiters_.empty() && this_dispatcher() != home_)
      stop(
          "a promise was destroyed in another thread while tasklets waited for "
          "its future; destroy it in theirs");
    abandoned();
  }
  written_ = false;
  if (readers_ == 0) delete this;
}

}  // namespace weft
