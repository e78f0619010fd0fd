// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/as_completed.h"

namespace weft {

void completion_line::add(entry& e, const future_base& f) {
  e.of_ = this;
  e.state_ = future_access::state_of(f);
  e.state_->require_here(home_);
  ++left_;
  e.state_->ready() ? came(e) : e.follow(*e.state_.get());
}

void completion_line::came(entry& e) noexcept {
  (first_ != nullptr ? last_->next_ : first_) = &e;
  last_ = &e;
  while (!waiters_.empty()) home_->serve(waiters_.front(), waiters_);
}

completion_line::entry* completion_line::next(std::source_location where) {
  dispatcher* s = this_dispatcher();
  s->admit();
  if (left_ == 0) return nullptr;
  if (s != home_)
    dispatcher::throw_wrong_scheduler("this as_completed() belongs to", home_);
  if (first_ == nullptr) {
    wait_record w("as_completed", where);
    s->park(w, waiters_);
  }
  --left_;
  entry* const e = first_;
  first_ = e->next_;
  return e;
}

}  // namespace weft
