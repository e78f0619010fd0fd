// SPDX-License-Identifier: BSL-1.0
// Invariants:
// - Until a case has happened nothing has changed: whatever may throw is asked
//   of every case before one is linked.
// - While the caller is parked its records are chained by `sibling`: one a
//   case, then its own, which the alarm knows. So the record of a case always
//   has a sibling, by which whoever serves it knows that there are others.
#include "weft/scheduler/select.h"

#include "weft/scheduler/core.h"

namespace weft {

// Of those that can happen, each with the same chance.
std::size_t selection::choose(dispatcher* s) {
  std::size_t pick = none;
  std::uint32_t ready = 0;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_) continue;
    if (c.kind_ != select_case::kind::operation) [[unlikely]] {
      std::size_t& which =
          c.kind_ == select_case::kind::timeout ? timeout_ : otherwise_;
      if (which == none) which = i;
      continue;
    }
    if (pick != none && !fair_) continue;
    if (!c.verbs_->ready(c, s)) continue;
    if (ready == 0 || core::of(s).draw(ready + 1) == 0) pick = i;
    ++ready;
  }
  return pick;
}

// Calls back for what happens; if nothing does, for all that is waited for.
// Then looks afresh: a callback may do anything.
std::size_t selection::tell(dispatcher* s, std::size_t pick) {
  const auto tell_of = [&](select_case& c, bool waits) {
    if (c.verbs_->tell != nullptr) c.verbs_->tell(c, s, waits);
  };
  if (pick != none) {
    select_case& c = *cases_[pick];
    tell_of(c, false);
    return c.verbs_->ready(c, s) ? pick : choose(s);
  }
  if (otherwise_ != none) return none;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (c.enabled_ && c.kind_ == select_case::kind::operation) tell_of(c, true);
  }
  return choose(s);
}

bool selection::begin(dispatcher* s, control_block*& next) {
  s->admit();
  chosen_ = choose(s);
  if (s->flagged(channels_watched)) [[unlikely]]
    chosen_ = tell(s, chosen_);
  if (chosen_ != none) {
    select_case& c = *cases_[chosen_];
    next = c.verbs_->perform(c, s);
    return next != nullptr;
  }
  if (otherwise_ != none) {
    chosen_ = otherwise_;
    return false;
  }
  return line_up(s, next);
}

bool selection::line_up(dispatcher* s, control_block*& next) {
  own_.begin("select",
             count_ != 0 ? cases_[0]->where_ : std::source_location());
  own_.who = s->current;
  if (timeout_ != none) [[unlikely]] {
    core& c = core::of(s);
    const auto now = c.driver->now();
    for (std::size_t i = 0, first = none; i != count_; ++i) {
      if (!cases_[i]->enabled_ ||
          cases_[i]->kind_ != select_case::kind::timeout)
        continue;
      const auto& t = static_cast<const timeout_case_base&>(*cases_[i]);
      const auto when = t.when_ ? *t.when_ : later(now, t.time_);
      if (first != none && when >= deadline_) continue;
      first = timeout_ = i;
      deadline_ = when;
    }
    if (deadline_ <= now) {
      chosen_ = timeout_;
      return false;
    }
    alarm_.emplace(c, deadline_, own_);
  }
  // In their order, also where several wait in one line.
  wait_record* first = nullptr;
  wait_record* last = nullptr;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    c.record_.begin(c.verbs_->reason, c.where_);
    c.record_.who = s->current;
    c.verbs_->line(c).append(c.record_);
    (last != nullptr ? last->sibling : first) = &c.record_;
    last = &c.record_;
  }
  (last != nullptr ? last->sibling : first) = &own_;
  parked_ = true;
  s->current->waiting = first;
  next = s->queue.take();
  return true;
}

std::size_t selection::end() {
  if (!parked_) return chosen_;
  parked_ = false;
  if (own_.timed_out != 0) return timeout_;
  std::size_t i = 0;
  while (!cases_[i]->enabled_ ||
         cases_[i]->kind_ != select_case::kind::operation ||
         cases_[i]->record_.served == 0)
    ++i;
  select_case& c = *cases_[i];
  if (c.verbs_->waited != nullptr) c.verbs_->waited(c);
  return i;
}

// The caller goes on with an exception.
void selection::give_back() noexcept {
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    if (c.record_.served != 0 && c.verbs_->undo != nullptr) c.verbs_->undo(c);
  }
}

}  // namespace weft
