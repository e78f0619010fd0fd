// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/end_observer.h"

#include "weft/scheduler/core.h"

namespace weft {

void end_observer::watch(descriptor& d) noexcept {
  d_ = &d;
  d.detailed = true;
  next_ = nullptr;
  if (d.observers == nullptr) {
    d.observers = previous_ = this;
    return;
  }
  end_observer*& last = d.observers->previous_;
  last->next_ = this;
  previous_ = last;
  last = this;
}

void end_observer::unwatch() noexcept {
  if (d_ == nullptr) return;
  end_observer*& first = d_->observers;
  end_observer* const behind = next_ != nullptr ? next_ : first;
  behind->previous_ = previous_;
  (first == this ? first : previous_->next_) = next_;
  d_ = nullptr;
  next_ = nullptr;
}

void core::tell_observers(descriptor& d) noexcept {
  if (d.observers == nullptr) return;
  end_reason why = end_reason::normal;
  if (d.escaped)
    why = end_reason::failed;
  else if (!started(*d.block) || (d.block->flags & exited) != 0)
    why = end_reason::killed;
  while (end_observer* first = d.observers) {
    first->unwatch();
    first->ended(why, d.escaped);
  }
}

bool core::failure_taken(const descriptor& d) noexcept {
  for (const end_observer* o = d.observers; o != nullptr; o = o->next_)
    if (o->takes_failure()) return true;
  return false;
}

bool core::claim_failure(const descriptor& d,
                         const std::exception_ptr& what) noexcept {
  bool any = false;
  for (end_observer* o = d.observers; o != nullptr; o = o->next_)
    any |= o->claims_failure(what);
  return any;
}

}  // namespace weft
