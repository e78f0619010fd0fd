// SPDX-License-Identifier: BSL-1.0
// What a handle asks of its tasklet's scheduler.
#include "weft/scheduler/core.h"

namespace weft {
namespace {

// Admits an operation on the tasklet that `d` describes, which is alive.
core& admitted(const descriptor* d) {
  core& c = core::here();
  if (d->owner != &c)
    throw wrong_scheduler(
        "weft: this tasklet belongs to another scheduler; use it in the thread "
        "of that one");
  return c;
}

}  // namespace

void tasklet::join(std::source_location where) const {
  if (!alive()) return;
  dispatcher* s = this_dispatcher();
  if (d_->owner != s->key) [[unlikely]]
    s = &admitted(d_);
  if (d_->block == s->current) [[unlikely]]
    throw error("weft: a tasklet cannot join itself");
  wait_record w("join", where);
  s->park(w, d_->joiners, +1);
}

void tasklet::kill() const {
  if (!alive()) return;
  admitted(d_).kill(*d_, true);
}

void tasklet::kill(pending_t) const {
  if (!alive()) return;
  admitted(d_).kill(*d_, false);
}

void tasklet::run() const {
  if (!alive()) throw error("weft: a tasklet that has ended cannot be run");
  core& c = admitted(d_);
  control_block* t = d_->block;
  if (t == c.current) return;
  if (t->waiting != nullptr)
    throw error("weft: a tasklet that is blocked cannot be run");
  c.queue.remove(t);
  c.run_now(t);
}

bool tasklet::scheduled() const {
  return alive() && d_->block->waiting == nullptr && !is_current();
}

bool tasklet::is_current() const {
  return alive() && d_->block == static_cast<const core*>(d_->owner)->current;
}

bool tasklet::is_main() const {
  return alive() && d_ == static_cast<const core*>(d_->owner)->main;
}

}  // namespace weft
