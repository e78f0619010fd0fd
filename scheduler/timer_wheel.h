// SPDX-License-Identifier: BSL-1.0
// Private: what is to be done at what time.
//
// A timer lies where its owner wants it, mostly on the stack of a tasklet that
// waits; the wheel only links it. It disarms itself when its scope ends.
//
// Times are numbers of nanoseconds in groups of six bits. A timer stands in the
// list of the highest group in which its deadline and the wheel's base differ,
// and of that group's value:
//
//   base       ... 2 | 7 | 1      level 0    1 = due, ..., 63
//   deadlines  ... 2 | 7 | 5      level 0    slot 5
//              ... 2 | 9 | 4      level 1    slot 9
//
// So whatever is in a lower level or a lower slot is earlier, and one slot of
// level 0 holds equal deadlines only. When the base comes into a slot, what is
// in there moves down, in order.
//
// Invariants:
// - No deadline is before the base: one that was is put off to it.
// - The base is never past the time that pop_due() was told.
// - Equal deadlines stand in one list, in the order of arming.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weft {

struct core;
class timer_wheel;

struct timer_link {
  timer_link* next;
  timer_link* previous;
};

// Thread safety: the thread of its wheel. Lifetime: of the wheel, while armed.
class timer : timer_link {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  // What to do when the time has come. The timer is disarmed by then, and may
  // be armed again, or be gone when it returns. It must not switch.
  using action = void (*)(timer&, core&) noexcept;

  explicit timer(action when_due) noexcept : fire_(when_due) {}
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer() { disarm(); }

  // From now on it is armed for `deadline`, and for nothing else. One for a
  // time that has passed fires when due timers are next looked at.
  // Cost: O(1).
  void arm(timer_wheel& wheel, time_point deadline) noexcept;
  void disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return wheel_ != nullptr; }

  void fire(core& c) noexcept { fire_(*this, c); }

 private:
  friend class timer_wheel;

  std::uint64_t key_;  // see timer_wheel::key()
  timer_wheel* wheel_ = nullptr;
  action fire_;
};

// Ordering: by deadline; first armed, first fired, where these are equal.
// Cost:     insert and remove O(1), no allocation. What is due has been moved
//           ten times at most.
class timer_wheel {
 public:
  timer_wheel() noexcept;
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  [[nodiscard]] bool empty() const { return levels_in_use_ == 0; }
  // Requires: !empty(). Cost: O(1), but after the first has been removed O(n)
  // in those of its slot.
  [[nodiscard]] timer::time_point next_deadline() const;
  // As above, and O(1): where the next is not known, a time that is before it
  // but not before the last `now`.
  [[nodiscard]] timer::time_point next_look() const;
  // Disarms the first timer if its time has come; null if none is due.
  // Requires: a `now` that is not before the last one.
  timer* pop_due(timer::time_point now) noexcept;

 private:
  friend class timer;
  static constexpr unsigned bits = 6;  // of a group
  static constexpr unsigned slots = 1 << bits;
  static constexpr unsigned levels = (64 + bits - 1) / bits;
  // Further than that next_look() does not go.
  static constexpr unsigned looks = 64;

  // Ordered as the times are.
  static std::uint64_t key(timer::time_point t) {
    return static_cast<std::uint64_t>(t.time_since_epoch().count()) ^ sign;
  }
  static timer::time_point time(std::uint64_t key) {
    return timer::time_point(
        timer::time_point::duration(static_cast<std::int64_t>(key ^ sign)));
  }
  static constexpr std::uint64_t sign = std::uint64_t{1} << 63;

  // The first slot in use.
  struct place {
    unsigned level;
    unsigned slot;
  };
  [[nodiscard]] place first() const {
    const auto level = static_cast<unsigned>(std::countr_zero(levels_in_use_));
    return {level, static_cast<unsigned>(std::countr_zero(in_use_[level]))};
  }
  [[nodiscard]] timer_link& list(place p) {
    return lists_[p.level * slots + p.slot];
  }
  [[nodiscard]] const timer_link& list(place p) const {
    return lists_[p.level * slots + p.slot];
  }
  // The first key that belongs there.
  [[nodiscard]] std::uint64_t start(place p) const;
  // The earliest of a slot, or null where that holds more than `most`.
  [[nodiscard]] const timer* earliest(place p, std::size_t most) const;

  void insert(timer& t) noexcept;
  void remove(timer& t) noexcept;
  void put(timer& t) noexcept;
  void clear(std::size_t list) noexcept;
  void move_down(place p) noexcept;

  std::uint64_t base_ = 0;
  std::uint32_t levels_in_use_ = 0;
  std::array<std::uint64_t, levels> in_use_{};  // slots
  mutable const timer* next_ = nullptr;         // null: none, or not known
  std::array<timer_link, std::size_t{levels} * slots> lists_;
};

inline void timer::arm(timer_wheel& wheel, time_point deadline) noexcept {
  disarm();
  wheel_ = &wheel;
  key_ = timer_wheel::key(deadline);
  wheel.insert(*this);
}

inline void timer::disarm() noexcept {
  if (wheel_ != nullptr) wheel_->remove(*this);
}

}  // namespace weft
