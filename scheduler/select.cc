// SPDX-License-Identifier: BSL-1.0
// Invariants:
// - Until a case has happened nothing has changed: whatever may throw is asked
//   of every case before one is linked.
// - While the caller is parked its records are chained by `sibling`: one a
//   case, then its own, which the alarm knows. So the record of a case always
//   has a sibling, by which whoever serves it knows that there are others.
// - Outside of a select no case's record is marked as served.
#include "weft/scheduler/select.h"

#include <memory>

#include "weft/scheduler/core.h"

namespace weft {

// How many are ready.
std::size_t selection::find_ready(dispatcher* s) {
  std::size_t n = 0;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    if (c.verbs_->ready(c, s)) ready_[n++] = static_cast<std::uint32_t>(i);
  }
  return n;
}

// Calls back for what happens; if nothing does, for all that is waited for.
// Then looks afresh: a callback may do anything.
std::size_t selection::tell(dispatcher* s, std::size_t n) {
  const auto tell_of = [&](select_case& c, bool waits) {
    if (c.verbs_->tell != nullptr) c.verbs_->tell(c, s, waits);
  };
  if (n != 0) {
    const std::size_t i = choose(s, n);
    select_case& c = *cases_[i];
    tell_of(c, false);
    if (!c.verbs_->ready(c, s)) return find_ready(s);
    ready_[0] = static_cast<std::uint32_t>(i);
    return 1;
  }
  for (std::size_t i = 0; i != count_; ++i) {
    const select_case& c = *cases_[i];
    if (c.enabled_ && c.kind_ == select_case::kind::otherwise) return 0;
  }
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (c.enabled_ && c.kind_ == select_case::kind::operation) tell_of(c, true);
  }
  return find_ready(s);
}

bool selection::begin(dispatcher* s, control_block*& next) {
  s->admit();
  std::size_t n = find_ready(s);
  if (s->flagged(channels_watched)) [[unlikely]]
    n = tell(s, n);
  return n != 0 ? take(s, n, next) : wait(s, next);
}

bool selection::wait(dispatcher* s, control_block*& next) {
  using kind = select_case::kind;
  s->admit();
  core& c = core::of(s);
  std::chrono::steady_clock::time_point now;
  std::chrono::steady_clock::time_point deadline;
  timed_ = false;
  for (std::size_t i = 0; i != count_; ++i) {
    const select_case& each = *cases_[i];
    if (each.kind_ == kind::operation || !each.enabled_) [[likely]]
      continue;
    if (each.kind_ == kind::otherwise) {
      happened_ = i;
      return false;
    }
    if (!timed_) now = c.driver->now();
    const auto& t = static_cast<const timeout_case_base&>(each);
    const auto when = t.when_ ? *t.when_ : later(now, t.time_);
    if (timed_ && when >= deadline) continue;
    timed_ = true;
    timeout_ = i;
    deadline = when;
  }
  own_.begin("select",
             count_ != 0 ? cases_[0]->where_ : std::source_location());
  if (timed_) {
    if (deadline <= now) {
      happened_ = timeout_;
      return false;
    }
    std::construct_at(&alarm_, c, deadline, own_);
  }
  return line_up(s, next);
}

bool selection::line_up(dispatcher* s, control_block*& next) {
  wait_record* first = nullptr;
  wait_record** link = &first;
  own_.who = s->current;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    c.record_.begin(c.verbs_->reason, c.where_);
    c.record_.who = s->current;
    c.verbs_->line(c).append(c.record_);
    *link = &c.record_;
    link = &c.record_.sibling;
  }
  *link = &own_;
  parked_ = true;
  s->current->waiting = first;
  next = s->queue.take();
  return true;
}

// The case that has happened while the caller was parked; null: none has.
select_case* selection::take_served() noexcept {
  parked_ = false;
  if (timed_) std::destroy_at(&alarm_);
  for (happened_ = 0; happened_ != count_; ++happened_) {
    select_case& c = *cases_[happened_];
    if (c.record_.served == 0) continue;
    c.record_.served = 0;
    return &c;
  }
  return nullptr;
}

void selection::look_back() noexcept {
  select_case* const c = take_served();
  if (c == nullptr)
    happened_ = timeout_;
  else if (c->verbs_->waited != nullptr)
    c->verbs_->waited(*c);
}

// The caller goes on with an exception.
void selection::give_back() noexcept {
  select_case* const c = take_served();
  if (c != nullptr && c->verbs_->undo != nullptr) c->verbs_->undo(*c);
}

}  // namespace weft
