// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/crew.h"

#include <algorithm>
#include <vector>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/traps.h"

namespace weft {

crew::crew(overseer& o) : overseer_(&o) { home_->require_scheduler(); }

void crew::require_home() const {
  dispatcher* s = this_dispatcher();
  s->require_scheduler();
  if (s != home_)
    dispatcher::throw_wrong_scheduler(
        "this scope, group or pool belongs to", home_,
        "its tasklets are spawned, awaited and cancelled in the thread of its "
        "own scheduler");
}

// Those that have ended are forgotten when their room is needed: O(1) a spawn.
void crew::make_room() {
  if (cancelled_ || members_.size() < members_.capacity()) return;
  forget_dead();
  members_.reserve(std::max<std::size_t>(4, 2 * members_.size()));
}

void crew::forget_dead() noexcept {
  if (killing_ == 0)
    std::erase_if(members_, [](const tasklet& t) { return !t.alive(); });
}

void crew::enrol(const tasklet& t) noexcept {
  if (!t.alive()) return;  // The scheduler ends.
  if (!cancelled_) return members_.push_back(t);
  const shield on;
  t.kill(pending);
}

void crew::leave() noexcept {
  const control_block* const me = this_dispatcher()->current;
  if (me != nullptr) hear_of(*me->who);
  if (--size_ <= outliving_) wake_waiting();
}

void crew::wake_waiting() noexcept {
  while (!waiting_.empty())
    this_dispatcher()->serve(waiting_.front(), waiting_);
}

void crew::hear_of(descriptor& d) noexcept {
  if (!d.escaped || !has(dispatcher::handle(&d))) return;  // O(n)
  if (std::exception_ptr what = dispatcher::take_escaped(d))
    fail(std::move(what));
}

void crew::fail(std::exception_ptr what) noexcept {
  const tasklet who = current();
  if (overseer_ != nullptr)
    overseer_->member_failed(who, std::move(what));
  else
    this_dispatcher()->report_unheard(who, what);
}

void crew::require_home_of_living() const {
  if (at_home()) return;
  if (size_ != 0 || std::ranges::any_of(members_, &tasklet::alive))
    require_home();
}

void crew::kill() {
  require_home_of_living();
  const auto alive = shared_from_this();
  bool parks = false;  // A member that does so, while a driver is at work.
  {
    const shield on;  // What is due to the caller is no failure of this.
    ++killing_;
    // A kill may destroy a callable, which may spawn.
    // NOLINTNEXTLINE(modernize-loop-convert): and that moves the members.
    for (std::size_t i = 0, n = members_.size(); i != n; ++i) {
      const tasklet t = members_[i];
      if (!t.is_current())
        t.kill(pending);
      else
        parks = this_dispatcher()->flagged(polling);
    }
    --killing_;
  }
  if (parks) weft::current().kill(pending);
}

void crew::cancel() {
  require_home_of_living();
  cancelled_ = true;
  kill();
}

bool crew::has(const tasklet& t) const {
  return std::find(members_.begin(), members_.end(), t) != members_.end();
}

bool crew::has_current() const {
  const tasklet me = current();
  return (this_dispatcher()->current->flags & run_out) == 0 && has(me);
}

tasklet crew::lingering() {
  forget_dead();
  const auto found = std::ranges::find_if(
      members_, [](const tasklet& t) { return t.alive() && !t.is_current(); });
  return found != members_.end() ? *found : tasklet();
}

void crew::require_waiting(const char* reason, std::source_location where) {
  if (size_ == 0 && !lingering().alive()) return;
  this_dispatcher()->require_parking(wait_record(reason, where));
}

void crew::wait_for_all_but(std::size_t outliving, const char* reason,
                            std::source_location where) {
  const auto alive = shared_from_this();
  dispatcher* s = this_dispatcher();
  s->admit();
  for (;;) {
    if (size_ > outliving) {
      wait_record w(reason, where);
      s->park(w, waiting_);
    } else if (const tasklet last = lingering(); last.alive()) {
      last.join(where);
    } else {
      return;
    }
    if (overseer_ == nullptr || outliving_ > outliving)
      throw error("weft: what this tasklet waited for has been destroyed");
    if (size_ > outliving || lingering().alive())
      s->admit();  // Others were spawned, and something is due.
  }
}

void crew::drain(const char* reason, std::source_location where) noexcept {
  if (!at_home() || (size_ == 0 && !lingering().alive())) return;
  const shield on;
  const untrapped off;
  if (has_current() && ++outliving_ == size_) wake_waiting();
  cancel();
  try {
    wait_for_all_but(outliving_, reason, where);
  } catch (...) {  // They can never end.
    this_dispatcher()->report_unheard(current(), std::current_exception());
  }
}

}  // namespace weft
