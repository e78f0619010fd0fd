// SPDX-License-Identifier: BSL-1.0
// The way into a scheduler for a thread that has none: network libraries, audio
// callbacks, GUI threads.
//
//   weft::channel<frame> frames;
//   std::thread camera([out = weft::outside(), &frames] {
//     while (auto f = grab()) out.post([&frames, f] { frames.send(*f); });
//   });
//   for (frame& f : frames) show(f);   // no deadlock: somebody may still come
//
// While there is one, something may still come: its scheduler's run() waits
// instead of returning, and whoever blocks there last is in no deadlock. It may
// be copied, and ends in any thread, also after its scheduler.
//
// Thread safety: it is made in the scheduler's thread; everything else may be
//                done in any, with one object in one thread at a time.
// (asio: executor_work_guard and post(). Go has no such thing: its runtime
// knows all threads.)
#pragma once

#include <memory>
#include <source_location>
#include <utility>

#include "weft/scheduler/errand.h"
#include "weft/scheduler/inbox.h"
#include "weft/scheduler/spawn.h"

namespace weft {

class outside {
 public:
  // Into the scheduler of this thread. Throws no_scheduler.
  outside();
  outside(const outside& other) noexcept : in_(other.in_) { enter(); }
  outside(outside&& other) noexcept : in_(std::move(other.in_)) {}
  outside& operator=(outside other) noexcept {
    in_.swap(other.in_);
    return *this;
  }
  ~outside() {
    if (in_) in_->leave();
  }

  // Spawns a tasklet that calls f, in its scheduler, at the tail of the run
  // queue; it inherits nothing. What one thread posts begins in its order. Does
  // not wait. False: the scheduler has begun to end, and f has been destroyed.
  // Throws std::bad_alloc, and what moving f throws; then nothing has happened.
  // Requires: this has not been moved from.
  template <typename F>
    requires spawnable<F>
  bool post(F&& f, std::source_location where =
                       std::source_location::current()) const {
    auto one = make_errand(std::forward<F>(f), where);
    if (!in_->post(*one, true)) return false;
    static_cast<void>(one.release());  // It is the scheduler's now.
    return true;
  }
  // Private: where it leads.
  [[nodiscard]] const std::shared_ptr<inbox>& way() const { return in_; }

 private:
  void enter() const noexcept {
    if (in_) in_->enter();
  }

  std::shared_ptr<inbox> in_;
};

}  // namespace weft
