// SPDX-License-Identifier: BSL-1.0
// Invariants:
// - Until a case has happened nothing has changed: whatever may throw is asked
//   of every case before one is linked.
// - While the caller is parked its records are chained by `sibling`: one a
//   case, then its own, which the alarm knows. So the record of a case always
//   has a sibling, by which whoever serves it knows that there are others.
// - Outside of a select no case's record is marked as served.
#include "weft/scheduler/select.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/scheduler/crossing.h"
#include "weft/scheduler/service.h"

namespace weft {

// How many are ready. Requires: the guards of those that are shared are held.
std::size_t selection::find_ready(dispatcher* s) {
  std::size_t n = 0;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    if (c.verbs_->ready(c, s)) ready_[n++] = static_cast<std::uint32_t>(i);
  }
  return n;
}

// There is no default.
bool selection::may_wait() const {
  return std::none_of(cases_, cases_ + count_, [](const select_case* c) {
    return c->enabled_ && c->kind_ == select_case::kind::otherwise;
  });
}

// Of the cases that are shared.
guard_set selection::guards() const {
  guard_set all;
  for (std::size_t i = 0; i != count_; ++i) {
    const select_case& c = *cases_[i];
    if (c.enabled_ && c.verbs_->guarded_by != nullptr)
      all.add(c.verbs_->guarded_by(c));
  }
  return all;
}

std::size_t selection::look(dispatcher* s) {
  const guard_set all = guards();
  const guarded_by_all held(all);
  return find_ready(s);
}

// Calls back for what happens; if nothing does, for all that is waited for.
// Then looks afresh: a callback may do anything.
std::size_t selection::tell(dispatcher* s, std::size_t n) {
  const auto tell_of = [&](select_case& c, bool waits) {
    if (c.verbs_->tell != nullptr) c.verbs_->tell(c, s, waits);
  };
  if (n != 0) {
    const std::size_t i = choose(s, n);
    tell_of(*cases_[i], false);
    n = look(s);
    for (std::size_t k = 0; k != n; ++k) {
      if (ready_[k] != i) continue;
      ready_[0] = static_cast<std::uint32_t>(i);
      return 1;
    }
    return n;
  }
  if (!may_wait()) return 0;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (c.enabled_ && c.kind_ == select_case::kind::operation) tell_of(c, true);
  }
  return look(s);
}

bool selection::begin(dispatcher* s, control_block*& next) {
  s->admit();
  const bool shares = !guards().empty();
  if (shares && may_wait() && s->is_turn()) {
    prepare_to_share(s);
    if (look(s) != 0)
      s->give_turn();
    else
      s->ahead = 0;  // It parks.
  }
  const bool watched = s->flagged(channels_watched);
  std::size_t told = count_;
  std::size_t n = 0;
  if (!shares) {
    n = find_ready(s);
  } else if (watched) {
    prepare_to_share(s);
    n = look(s);
  }
  if (watched) [[unlikely]] {
    n = tell(s, n);
    if (n == 1) told = ready_[0];
  }
  if (!shares) return n != 0 ? take(s, n, next) : wait(s, next);
  share(s, told);
  return false;
}

// A default case, or a time-out that is over. Else `deadline`: of the earliest
// time-out, if there is one.
bool selection::ends_at_once(dispatcher* s,
                             std::optional<time_point>& deadline) {
  using kind = select_case::kind;
  const core& c = core::of(s);
  time_point now;
  for (std::size_t i = 0; i != count_; ++i) {
    const select_case& each = *cases_[i];
    if (each.kind_ == kind::operation || !each.enabled_) [[likely]]
      continue;
    if (each.kind_ == kind::otherwise) {
      happened_ = i;
      return true;
    }
    if (!deadline) now = c.driver->now();
    const auto& t = static_cast<const timeout_case_base&>(each);
    const auto when = t.when_ ? *t.when_ : later(now, t.time_);
    if (deadline && when >= *deadline) continue;
    timeout_ = i;
    deadline = when;
  }
  if (!deadline || *deadline > now) return false;
  happened_ = timeout_;
  return true;
}

bool selection::wait(dispatcher* s, control_block*& next) {
  s->admit();
  std::optional<time_point> deadline;
  if (ends_at_once(s, deadline)) return false;
  timed_ = deadline.has_value();
  own_.begin("select",
             count_ != 0 ? cases_[0]->where_ : std::source_location());
  if (timed_) std::construct_at(&alarm_, core::of(s), *deadline, own_);
  own_.who = s->current;
  s->current->waiting = link(own_);
  parked_ = true;
  next = s->queue.take();
  return true;
}

// Lines up for all, in records that are chained up to `last`, whose tasklet and
// crossing theirs are. Gives the first of them.
wait_record* selection::link(wait_record& last) {
  wait_record* first = &last;
  wait_record** link = &first;
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    c.record_.begin(c.verbs_->reason, c.where_);
    c.record_.who = last.who;
    c.record_.crossing = last.crossing;
    c.verbs_->line(c).append(c.record_);
    *link = &c.record_;
    link = &c.record_.sibling;
  }
  *link = &last;
  return first;
}

// ---- of what other threads may use, too

// The rest of such a select: it has happened when this returns. `told`: the
// case that is to happen if it can.
void selection::share(dispatcher* s, std::size_t told) {
  std::optional<time_point> deadline;
  for (bool may_park = false;;) {
    prepare_to_share(s);
    crossing_wait own("select", cases_[0]->where_, s);
    own.who = s->current;
    if (share_now(s, nullptr, told)) return;
    if (!may_park && ends_at_once(s, deadline)) return;
    may_park = true;
    if (deadline && !own.limit(wait_until{*deadline})) {
      happened_ = timeout_;
      return;
    }
    if (share_now(s, &own, count_)) return;
    s->switch_to(s->current, s->queue.take());
    if (select_case* const c = take_served()) {
      if (c->verbs_->waited != nullptr) c->verbs_->waited(*c);
      return;
    }
    if (own.timed_out != 0) {
      happened_ = timeout_;
      return;
    }
    // Somebody was about to serve it, and could not.
  }
}

// What may call what a user wrote, which no guard is held for: the ends of
// values that nobody has taken, and what has come to the other cases meanwhile.
void selection::prepare_to_share(dispatcher* s) {
  for (std::size_t i = 0; i != count_; ++i) {
    select_case& c = *cases_[i];
    if (!c.enabled_ || c.kind_ != select_case::kind::operation) continue;
    if (c.verbs_->guarded_by == nullptr)
      static_cast<void>(c.verbs_->ready(c, s));
    else if (c.verbs_->undo != nullptr)
      c.verbs_->undo(c);
  }
}

// Has one of those that are ready happen. False: none is, and the caller is
// parked, if it is `to_wait`.
bool selection::share_now(dispatcher* s, crossing_wait* to_wait,
                          std::size_t told) {
  const guard_set all = guards();
  for (;;) {
    shared_service by(s);
    bool happened = false;
    {
      const guarded_by_all held(all);
      const std::size_t n = find_ready(s);
      if (n == 0) {
        if (to_wait == nullptr) return false;
        s->require_parking(*to_wait);
        s->line_up_crossing(*link(*to_wait));
        parked_ = true;
        timed_ = false;
        return false;
      }
      const bool again = std::find(ready_, ready_ + n, told) != ready_ + n;
      happened_ = again ? told : choose(s, n);
      select_case& c = *cases_[happened_];
      if (c.verbs_->guarded_by != nullptr &&
          c.verbs_->guarded_by(c) != guard::none) {
        if (!c.verbs_->share(c, by)) continue;
        happened = true;
      }
    }
    if (happened) {
      by.tell();
      return true;
    }
    select_case& c = *cases_[happened_];
    control_block* next = nullptr;
    if (!c.verbs_->perform(c, s, next)) continue;
    if (next != nullptr) s->switch_to(s->current, next);
    return true;
  }
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
