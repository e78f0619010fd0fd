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

#include <concepts>
#include <functional>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

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
    auto* const l = new work<std::decay_t<F>>(std::forward<F>(f), where);
    if (in_->post(*l, true)) return true;  // It is the scheduler's now.
    delete l;
    return false;
  }

 private:
  // A spawn that waits to be made.
  struct errand : letter {
    explicit errand(std::source_location where) : letter(&begin), site(where) {}
    virtual ~errand() = default;
    virtual void run() = 0;
    static void begin(letter& l, core& in) noexcept;
    std::source_location site;
  };
  template <typename F>
  struct work final : errand {
    template <typename G>
    work(G&& g, std::source_location where)
        : errand(where), f(std::forward<G>(g)) {}
    void run() override { std::move(f)(); }
    F f;
  };

  void enter() const noexcept {
    if (in_) in_->enter();
  }

  std::shared_ptr<inbox> in_;
};

}  // namespace weft
