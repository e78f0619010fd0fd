// SPDX-License-Identifier: BSL-1.0
// Invariant: a guard is listed from its beginning until it is triggered, or
// ends: the list belongs to the scheduler's thread. Another thread that asks for
// the stop leaves a note in the guard, then one in the scheduler, and wakes that.
#include "weft/scheduler/stop_guard.h"

#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

stop_guard::stop_guard(std::stop_token token)
    : token_(std::move(token)), home_(core::present()) {
  link_ = &home_.stop_guards;
  next_ = std::exchange(*link_, this);
  if (next_ != nullptr) next_->link_ = &next_;
  home_.mark_sources();
  // May call back at once.
  messenger_.emplace(token_, messenger{this});
}

// The callback has returned, wherever it was, before anything else goes.
stop_guard::~stop_guard() {
  messenger_.reset();
  unlist();
}

void stop_guard::drop() noexcept {
  messenger_.reset();
  unlist();
}

void stop_guard::unlist() noexcept {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
}

void stop_guard::stop_asked() noexcept {
  if (this_dispatcher() == &home_) {
    unlist();
    return trigger();
  }
  idle_driver* const driver = home_.driver;
  asked_.store(true, std::memory_order_release);
  // Not a store, which would hide the notes of those who asked before.
  home_.stop_asked.exchange(true, std::memory_order_acq_rel);
  driver->wake();
}

void stop_guard::raise() {
  trigger();  // Again and again.
  throw stopped();
}

bool core::stops_possible() const {
  const stop_guard* g = stop_guards;
  while (g != nullptr && !g->token_.stop_possible()) g = g->next_;
  return g != nullptr;
}

void core::poll_stops() const noexcept {
  for (stop_guard* g = stop_guards; g != nullptr;) {
    stop_guard* const next = g->next_;
    if (g->asked_.load(std::memory_order_acquire)) {
      g->unlist();
      g->trigger();
    }
    g = next;
  }
}

}  // namespace weft
