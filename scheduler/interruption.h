// SPDX-License-Identifier: BSL-1.0
// Private: something that may have to raise an exception in a tasklet: a
// time-out that has passed, a scope whose child has failed, a stop that was
// asked for.
//
// It belongs to a tasklet, mostly lies on its stack, and is listed in its
// descriptor, the innermost first. When it is triggered the tasklet goes on, if
// it is blocked or paused, and its operation throws; else its next one does that
// may park or yield: what an operation has come to is not lost. It is held back
// by what holds a kill back. Where several are due, the outermost comes first:
// the others end with the unwinding.
//
// Invariants: the tasklet has the flag `interrupted` while one of them is due;
// and from the moment when that ends its operation until it goes on,
// `cut_short`.
//
// Thread safety: the thread of the tasklet's scheduler.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace weft {

struct descriptor;

class interruption {
 public:
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  // Who is around it; null: nobody.
  [[nodiscard]] interruption* outer() const { return outer_; }

 protected:
  // Of the current tasklet. Throws no_scheduler.
  interruption();
  // Of another, which is alive; around all that it has.
  explicit interruption(descriptor& d) noexcept;
  virtual ~interruption();

  // It is due from now on. Does not switch. Nothing happens where its tasklet
  // has ended.
  void trigger() noexcept;
  // It is not, or no more; but what has cut an operation short is raised.
  void settle() noexcept;
  [[nodiscard]] bool due() const { return due_; }
  // What is around it has been raised since it was made.
  [[nodiscard]] bool overtaken() const { return overtaken_; }

  [[nodiscard]] descriptor& whose() const { return *d_; }
  // Its tasklet has not ended: it may be a main one that outlives its
  // scheduler.
  [[nodiscard]] bool attached() const;

 private:
  friend struct core;
  friend std::optional<std::chrono::steady_clock::time_point> earliest_limit();

  // Throws what it has to raise. It is due again only if it settles that.
  [[noreturn]] virtual void raise() = 0;
  // What limits the time, if that is what it is.
  [[nodiscard]] virtual const class time_limit* limit() const {
    return nullptr;
  }
  // Its tasklet ends, and lists it no more.
  virtual void drop() noexcept {}
  // For a tasklet that the current one spawns: a copy of it, on the heap, or
  // nothing.
  virtual void inherit(descriptor& /*child*/) const {}

  descriptor* d_;
  std::uint64_t id_;
  interruption* outer_;
  bool due_ = false;
  bool overtaken_ = false;
};

}  // namespace weft
