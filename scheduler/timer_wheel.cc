// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/timer_wheel.h"

#include <algorithm>
#include <limits>

namespace weft {

timer_wheel::timer_wheel() noexcept {
  for (timer_link& l : lists_) l = {&l, &l};
}

timer::time_point timer_wheel::next_deadline() const {
  if (next_ == nullptr)
    next_ = earliest(first(), std::numeric_limits<std::size_t>::max());
  return time(next_->key_);
}

timer::time_point timer_wheel::next_look() const {
  if (next_ == nullptr) next_ = earliest(first(), looks);
  return time(next_ != nullptr ? next_->key_ : start(first()));
}

timer* timer_wheel::pop_due(timer::time_point now) noexcept {
  const std::uint64_t limit = std::max(base_, key(now));
  while (!empty()) {
    const place p = first();
    if (start(p) > limit) break;
    if (p.level == 0) {
      base_ = start(p);
      auto& due = static_cast<timer&>(*list(p).next);
      remove(due);
      return &due;
    }
    // The base goes as far as it can, so that much moves down at once.
    base_ = std::min(key(next_deadline()), limit);
    move_down(p);
  }
  base_ = limit;
  return nullptr;
}

std::uint64_t timer_wheel::start(place p) const {
  const unsigned shift = p.level * bits;
  const std::uint64_t above = (base_ >> shift) & ~std::uint64_t{slots - 1};
  return (above | p.slot) << shift;
}

const timer* timer_wheel::earliest(place p, std::size_t most) const {
  const timer_link& l = list(p);
  const auto* found = static_cast<const timer*>(l.next);
  if (p.level == 0) return found;
  for (const timer_link* each = found->next; each != &l; each = each->next) {
    if (--most == 0) return nullptr;
    const auto* t = static_cast<const timer*>(each);
    if (t->key_ < found->key_) found = t;
  }
  return found;
}

void timer_wheel::insert(timer& t) noexcept {
  t.key_ = std::max(t.key_, base_);
  if (empty() || (next_ != nullptr && t.key_ < next_->key_)) next_ = &t;
  put(t);
}

void timer_wheel::remove(timer& t) noexcept {
  t.wheel_ = nullptr;
  t.previous->next = t.next;
  t.next->previous = t.previous;
  if (t.next == t.previous)  // What is left is a list's end.
    clear(static_cast<std::size_t>(t.next - lists_.data()));
  if (next_ == &t) next_ = nullptr;
}

void timer_wheel::put(timer& t) noexcept {
  // The lowest bit makes no difference: equal ones belong to level 0.
  const auto highest =
      static_cast<unsigned>(std::bit_width((t.key_ ^ base_) | 1)) - 1;
  const unsigned level = highest / bits;
  const auto slot =
      static_cast<unsigned>(t.key_ >> (level * bits)) & (slots - 1);
  timer_link& l = list({level, slot});
  t.next = &l;
  t.previous = l.previous;
  l.previous->next = &t;
  l.previous = &t;
  in_use_[level] |= std::uint64_t{1} << slot;
  levels_in_use_ |= 1U << level;
}

// Of a list that has become empty.
void timer_wheel::clear(std::size_t list) noexcept {
  const std::size_t level = list / slots;
  in_use_[level] &= ~(std::uint64_t{1} << (list % slots));
  if (in_use_[level] == 0) levels_in_use_ &= ~(1U << level);
}

// The base has come into the slot.
void timer_wheel::move_down(place p) noexcept {
  timer_link& l = list(p);
  timer_link* t = l.next;
  l = {&l, &l};
  clear(p.level * slots + p.slot);
  while (t != &l) {
    timer_link* behind = t->next;
    put(static_cast<timer&>(*t));
    t = behind;
  }
}

}  // namespace weft
