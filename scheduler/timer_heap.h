// SPDX-License-Identifier: BSL-1.0
// Private: who is to be woken at what time.
//
// A binary heap of pointers to timers that lie on the stacks of those who wait.
// A timer takes itself out when its scope ends; one whose tasklet was woken by
// something else meanwhile fires to no effect.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft {

struct wait_record;
class timer_heap;

class timer {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Requires: `record` outlives it. Throws std::bad_alloc.
  timer(timer_heap& heap, time_point deadline, wait_record& record);
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer();

 private:
  friend class timer_heap;
  static constexpr std::size_t disarmed = ~std::size_t{0};

  [[nodiscard]] bool before(const timer& other) const {
    return deadline_ != other.deadline_ ? deadline_ < other.deadline_
                                        : order_ < other.order_;
  }

  timer_heap& heap_;
  time_point deadline_;
  std::uint64_t order_;  // first armed, first fired
  wait_record& record_;
  std::size_t index_ = disarmed;
};

class timer_heap {
 public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  // Requires: !empty().
  [[nodiscard]] timer::time_point next_deadline() const {
    return heap_.front()->deadline_;
  }
  // Disarms the first timer if its time has come; null if none is due.
  wait_record* pop_due(timer::time_point now);

 private:
  friend class timer;
  void insert(timer& t);
  void remove(timer& t) noexcept;
  void place(std::size_t index, timer* t) noexcept;
  void sift_up(std::size_t index, timer* t) noexcept;
  void sift_down(std::size_t index, timer* t) noexcept;

  std::vector<timer*> heap_;
  std::uint64_t armed_ = 0;  // so far
};

}  // namespace weft
