// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/interruption.h"

#include "weft/scheduler/core.h"

namespace weft {

interruption::interruption()
    : d_(core::present().current->who),
      id_(d_->id),
      outer_(std::exchange(d_->interruptions, this)) {
  d_->detailed = true;
}

interruption::interruption(descriptor& d) noexcept
    : d_(&d), id_(d.id), outer_(nullptr) {
  interruption** last = &d.interruptions;
  while (*last != nullptr) last = &(*last)->outer_;
  *last = this;
}

interruption::~interruption() {
  if (!attached()) return;
  interruption** at = &d_->interruptions;
  while (*at != nullptr && *at != this) at = &(*at)->outer_;
  if (*at == nullptr) return;  // Its tasklet has dropped it.
  *at = outer_;
  core::note_interruptions(*d_);
}

bool interruption::attached() const { return d_->id == id_; }

void interruption::trigger() noexcept {
  if (!attached()) return;
  due_ = true;
  control_block* t = d_->block;
  core& c = *static_cast<core*>(const_cast<void*>(d_->owner.get()));
  if (t == &c.main_block && c.flagged(closing)) return;  // It ends the others.
  t->flags |= interrupted;
  if (t->waiting == nullptr) {
    if (t == c.current) c.watch_current();
  } else if (started(*t)) {
    // It may be current all the same: the last to park looks at the clock.
    const bool must_wait =
        t == c.current ? c.held_back(*d_) : core::held_back_away(*t);
    if (!must_wait) c.cut(t);
  }
}

void interruption::settle() noexcept {
  if (attached() && (d_->block->flags & cut_short) != 0) return;
  due_ = false;
  if (attached()) core::note_interruptions(*d_);
}

// Requires: parked. One that was removed from the queue has been served.
void core::cut(control_block* t) noexcept {
  const bool waits = t->waiting != &nowhere();
  if (!unpark(t)) return;
  if (waits) t->flags |= cut_short;
  queue.push(t);
}

void core::note_interruptions(descriptor& d) noexcept {
  for (const interruption* i = d.interruptions; i != nullptr; i = i->outer_)
    if (i->due_) return;
  d.block->flags &= ~std::uint32_t{interrupted};
}

void core::inherit(const descriptor& from, descriptor& child) {
  for_each_interruption(from, [&](const interruption& i) { i.inherit(child); });
}

void core::drop_interruptions(descriptor& d) noexcept {
  while (d.interruptions != nullptr) {
    interruption* const i = d.interruptions;
    d.interruptions = i->outer_;
    i->drop();
  }
}

void core::raise_interruption(descriptor& d) {
  interruption* outermost = nullptr;
  for (interruption* i = d.interruptions; i != nullptr; i = i->outer_)
    if (i->due_) outermost = i;
  for (interruption* i = d.interruptions; i != outermost; i = i->outer_)
    i->overtaken_ = true;
  outermost->settle();
  outermost->raise();
}

}  // namespace weft
