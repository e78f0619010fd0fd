// SPDX-License-Identifier: BSL-1.0
#include "weft/threads/summons.h"

#include "weft/scheduler/core.h"
#include "weft/scheduler/shield.h"

namespace weft {

std::size_t& summons::count(core& home) const {
  return certain_ ? home.awaited : home.hoped_for;
}

void summons::post() noexcept {
  const std::shared_ptr<inbox> to = to_;
  to->post(*this, false);
}

bool summons::come_after_fork() noexcept {
  if (home_ != this_dispatcher()) return false;
  arrive(*this, *home_);
  return true;
}

void summons::arrive(letter& l, core& home) noexcept {
  auto& self = static_cast<summons&>(l);
  --self.count(home);
  self.arrived_ = true;
  control_block* const t = self.record_.who;
  if (t->waiting == &self.record_) home.wake(t);
}

void summons::await(const char* reason, std::source_location where) {
  core& c = core::here();
  home_ = &c;
  to_ = c.mail;
  arrived_ = false;
  record_.begin(reason, where);
  record_.who = c.current;
  ++count(c);
  try {
    c.require_parking(record_);
    send();
  } catch (...) {
    --count(c);
    throw;
  }
  try {
    c.park(record_);
  } catch (...) {
    if (arrived_) throw;
    if (withdraw()) {
      --count(c);
      throw;
    }
    outlast(where);
    throw;
  }
}

void summons::outlast(std::source_location where) noexcept {
  core& c = *home_;
  const shield held;
  while (!arrived_) {
    record_.begin(record_.reason, where);
    try {
      c.park(record_);
    } catch (...) {
      // A trap that was set meanwhile. Nobody else may run: the thread waits.
      while (!arrived_) {
        c.idle();
        if (c.flagged(has_mail)) c.mail->read();
      }
    }
  }
}

}  // namespace weft
