// SPDX-License-Identifier: BSL-1.0
// Private: an end of a shared_ring, where values go in, or come out.
//
// Whoever puts or takes a value first claims its position, by one
// compare-and-swap. A thread that has been alone here for long *owns* the end:
// it claims by plain loads and stores, and others not at all, until somebody
// stops the end.
//
// Invariants:
// - The word is the next position, and whether the end is stopped or owned: so
//   nobody else claims at an end that has become one of these meanwhile.
// - An owned end is moved on by its owner only, a stopped one by whoever has the
//   channel's guard. While it is being stopped it may still be owned.
#pragma once

#include <atomic>
#include <cstdint>

#include "weft/scheduler/claimant.h"

namespace weft {

// How a claim came out. If not as wanted: there is no room, or no value; others
// are in the way; or the end takes no claims of this thread.
enum class claimed : std::uint8_t { yes, none, later, barred };

class alignas(64) ring_end {
 public:
  using position = std::uint64_t;

  explicit ring_end(std::uint32_t first_pace) : pace(first_pace) {}

  [[nodiscard]] position at(std::memory_order order) const {
    return word_.load(order) / step;
  }
  [[nodiscard]] bool flows() const {
    return (word_.load(std::memory_order_relaxed) & stopped) == 0;
  }

  // Of the position that `p` is set to, if look(p) agrees.
  template <typename Look>
  [[gnu::always_inline]] claimed claim(position& p, Look look) noexcept {
    claimant* const me = claimant::current();
    if (owner_.load(std::memory_order_relaxed) == me)
      return claim_mine(me, p, look);
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    if ((word & (stopped | owned)) != 0) return claimed::barred;
    p = word / step;
    if (const claimed may = look(p); may != claimed::yes) return may;
    if (!word_.compare_exchange_strong(word, word + step,
                                       std::memory_order_acq_rel,
                                       std::memory_order_relaxed))
      return claimed::later;
    if (p % sample == sample - 1) [[unlikely]]
      consider();
    return claimed::yes;
  }

  // Whoever has the channel's guard stops an end, and may advance it then.
  class stopping;
  void flow() noexcept { word_.fetch_and(~stopped, std::memory_order_acq_rel); }
  void advance() noexcept { word_.fetch_add(step, std::memory_order_relaxed); }

  // What those who use it keep here.
  std::atomic<position> seen{0};    // where the other end has been
  std::atomic<std::uint32_t> pace;  // of their waits

 private:
  static constexpr std::uint64_t stopped = 1;
  static constexpr std::uint64_t owned = 2;
  static constexpr std::uint64_t step = 4;
  // One claim in so many is looked at: a prime, lest threads that take turns be
  // seen as one.
  static constexpr position sample = 67;
  // So many of those in a row must be of one thread, and no stop between, for
  // it to become the owner: a thousand claims, which is what it costs to take an
  // end away; more after it was not worth it.
  static constexpr std::uint32_t shortest_run = 16;
  static constexpr std::uint32_t longest_run = 64 * shortest_run;

  template <typename Look>
  [[gnu::always_inline]] claimed claim_mine(claimant* me, position& p,
                                            Look look) noexcept {
    claimed result = claimed::barred;
    me->enter();
    if (owner_.load(std::memory_order_relaxed) == me) {
      const std::uint64_t word = word_.load(std::memory_order_relaxed);
      p = word / step;
      result = look(p);
      if (result == claimed::yes)
        word_.store(word + step, std::memory_order_release);
    }
    me->leave();
    return result;
  }
  // Whether the calling thread shall own it. Others wait for the value of the
  // claim that it has just made.
  void consider() noexcept;

  static claimant nobody;

  std::atomic<std::uint64_t> word_{stopped};
  std::atomic<claimant*> owner_{&nobody};
  // Who made the claim that was looked at last.
  std::atomic<claimant* const*> alone_{nullptr};
  std::atomic<position> owned_since_{0};
  std::atomic<std::uint32_t> run_{0};
  std::atomic<std::uint32_t> run_needed_{shortest_run};
};

// Stops an end, in two steps: its owner may be let in until the far fence, and be
// in until wait() returns; nobody else is let in from the beginning.
class ring_end::stopping {
 public:
  explicit stopping(ring_end& e) noexcept : of_(e) {
    e.alone_.store(nullptr, std::memory_order_relaxed);
    if ((e.word_.fetch_or(stopped, std::memory_order_acq_rel) & owned) != 0)
      owner_ = e.owner_.exchange(&nobody, std::memory_order_acq_rel);
  }
  // If so, claimant::far_fence() must come before wait().
  [[nodiscard]] bool needs_fence() const {
    return owner_ != nullptr && owner_ != claimant::current();
  }
  void wait() noexcept {
    if (owner_ != nullptr) settle();
  }

 private:
  void settle() noexcept;

  ring_end& of_;
  claimant* owner_ = nullptr;
};

}  // namespace weft
