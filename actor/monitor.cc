// SPDX-License-Identifier: BSL-1.0
#include "weft/actor/monitor.h"

namespace weft {

monitor::monitor(const tasklet& t, bool takes)
    : home_(this_dispatcher()),
      end_{t, end_reason::unknown, nullptr},
      takes_(takes) {
  home_->require_scheduler();
  if (!t.alive()) return;
  auto& d = *dispatcher::described(t);
  if (d.owner != home_)
    dispatcher::throw_wrong_scheduler(
        "this tasklet belongs to", d.owner,
        "a tasklet is observed in the thread of its own scheduler");
  watch(d);
}

monitor::~monitor() { wake_all(false); }

void monitor::admit() const {
  dispatcher* s = this_dispatcher();
  s->admit();
  if (watching() && s != home_)
    dispatcher::throw_wrong_scheduler("this monitor belongs to", home_);
}

down monitor::wait(std::source_location where) {
  admit();
  if (ended()) return end_;
  std::optional<down> end;
  wait_record w("monitor", where);
  w.slot = &end;
  home_->park(w, waiting_);
  if (!end) throw_destroyed();
  return std::move(*end);
}

std::optional<down> monitor::wait_until(
    std::chrono::steady_clock::time_point when, std::source_location where) {
  admit();
  if (ended()) return end_;
  std::optional<down> end;
  wait_record w("monitor", where);
  w.slot = &end;
  if (!home_->park_until(w, waiting_, when)) return std::nullopt;
  if (!end) throw_destroyed();
  return end;
}

std::optional<down> monitor::wait_for_ns(std::chrono::nanoseconds time,
                                         std::source_location where) {
  admit();
  if (ended()) return end_;
  return wait_until(home_->from_now(time), where);
}

void monitor::ended(end_reason why,
                    const std::exception_ptr& failure) noexcept {
  end_.why = why;
  end_.failure = failure;
  wake_all(true);
}

void monitor::wake_all(bool told) noexcept {
  while (!waiting_.empty()) {
    wait_record& w = waiting_.front();
    if (told) static_cast<std::optional<down>*>(w.slot)->emplace(end_);
    home_->serve(w, waiting_);
  }
}

void monitor::throw_destroyed() {
  throw error(
      "weft: the monitor was destroyed while this tasklet waited on it");
}

}  // namespace weft
