// SPDX-License-Identifier: BSL-1.0
// What forbids to block or to switch.
//
// Invariant: the no_switching flag is set exactly while switch_traps != 0, and
// the scheduler does not end; a tasklet with the flag trapped is watched while it
// is current.
#include "weft/scheduler/traps.h"

#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

void dispatcher::trap_switch() {
  throw switch_trap_error(
      "weft: this would switch to another tasklet, which a switch_trap "
      "forbids");
}

void core::watch_traps() noexcept {
  watch(no_switching, switch_traps != 0 && !flagged(closing));
}

// Where nothing is runnable, the innermost run() returns, or main does, who
// waits for nothing.
bool core::others_go_on(const control_block* me) const {
  if (queue.members() != 0 || may_come()) return true;
  if (frames != nullptr) return frames->who != me;
  const wait_record* w = main_block.waiting;
  return me != &main_block && w != nullptr && w->pause != 0;
}

void core::check_traps(control_block* me, control_block* n) {
  const wait_record* w = me->waiting;
  const bool blocks =
      (me->flags & trapped) != 0 && w != nullptr && w->pause == 0;
  // A run() that finds nothing to do is allowed, and so is to yield alone.
  const bool switches =
      flagged(no_switching) && n != me && (n != nullptr || others_go_on(me));
  if (!blocks && !switches) return;
  if (w != nullptr) {
    // Nobody has woken a run() that fails: later ones stay.
    if (w->reason == run_reason)
      static_cast<run_frame*>(w->slot)->why = run_result::drained;
    unpark(me);
  } else {
    queue.remove(me);
  }
  if (n != nullptr) queue.push_front(n);
  // Nothing has happened.
  if (!blocks) trap_switch();
  throw_blocked(*me->who, *w);
}

void core::throw_blocked(const descriptor& d, const wait_record& w) {
  throw block_trap_error("weft: " + describe(d) +
                         " has a block trap and would block: it " +
                         describe(w));
}

void dispatcher::check_parking(const wait_record& w) const {
  if ((current->flags & trapped) != 0) core::throw_blocked(*current->who, w);
  require_switching();
}

bool tasklet::set_block_trap(bool on) const {
  if (!alive()) return false;
  core& c = core::owner_of(*d_);
  std::uint32_t& flags = d_->block->flags;
  const bool before = (flags & trapped) != 0;
  flags = on ? flags | trapped : flags & ~std::uint32_t{trapped};
  if (on && d_->block == c.current) c.watch_current();
  return before;
}

switch_trap::switch_trap() : main_(core::present().main), id_(main_->id) {
  core& c = core::present();
  ++c.switch_traps;
  c.watch_traps();
}

switch_trap::~switch_trap() {
  dispatcher* s = this_dispatcher();
  if (main_->id != id_ || main_->owner != s) return;  // That one has ended.
  core& c = core::of(s);
  --c.switch_traps;
  c.watch_traps();
}

block_trap::block_trap() {
  core& c = core::present();
  who_ = c.current->who;
  id_ = who_->id;
  before_ = (c.current->flags & trapped) != 0;
  c.current->flags |= trapped;
  c.watch_current();
}

block_trap::~block_trap() {
  if (!before_ && who_->id == id_)
    who_->block->flags &= ~std::uint32_t{trapped};
}

untrapped::untrapped() {
  core& c = core::present();
  blocking_ = (c.current->flags & trapped) != 0;
  c.current->flags &= ~std::uint32_t{trapped};
  switching_ = std::exchange(c.switch_traps, 0);
  c.watch_traps();
}

untrapped::~untrapped() {
  core& c = core::present();
  if (blocking_) {
    c.current->flags |= trapped;
    c.watch_current();
  }
  c.switch_traps += switching_;  // and those that were set meanwhile
  c.watch_traps();
}

atomic_section::atomic_section()
    : who_(core::present().current->who), id_(who_->id) {
  ++who_->atomics;
  who_->detailed = true;
}

atomic_section::~atomic_section() {
  if (who_->id == id_) --who_->atomics;
}

}  // namespace weft
