// SPDX-License-Identifier: BSL-1.0
// Private: the values that a shared buffered channel holds, first in, first out.
//
// While nobody waits and nothing unusual is afoot the ring *flows*: any thread
// puts and takes values without the channel's guard, at the cost of one
// compare-and-swap. Whoever has the guard and means to use the buffer stops it
// first; then nobody else touches it, but for those who had been let in before,
// who finish.
//
//   put:   reserve a place - construct - turn the cell to "full"
//   take:  reserve a value - move out - turn the cell to "free for the next lap"
//
// Invariants:
// - An end is the position of the next value to be put or taken, twice, and
//   whether it has been stopped: one word, so that nobody is let in by an end
//   that has been stopped meanwhile.
// - A cell's turn is p where it is free for position p, p + 1 where it has the
//   value of position p. So there are two cells at least.
// - It flows only where moving a T throws nothing.
//
// (Dmitry Vyukov's bounded queue, of any capacity, that can be stopped.)
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "weft/scheduler/guard.h"

namespace weft {

// Less the type of the values.
class ring_ends {
 public:
  ring_ends(const ring_ends&) = delete;
  ring_ends& operator=(const ring_ends&) = delete;

  [[nodiscard]] std::size_t size() const {
    const auto first = head_.load(std::memory_order_acquire) / step;
    const auto end = tail_.load(std::memory_order_acquire) / step;
    // Both ends may have moved on between these two.
    return end > first ? std::min<std::size_t>(end - first, capacity_) : 0;
  }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] bool full() const { return size() >= capacity_; }

  [[nodiscard]] bool flows() const {
    return (tail_.load(std::memory_order_relaxed) & stopped) == 0;
  }

  // How long it pays to wait between two looks, in relax(): of those who put,
  // and of those who take. Long where much comes meanwhile, so that both sides
  // seldom meet; short where one value at a time goes to and fro.
  [[nodiscard]] std::uint32_t pace(bool puts) const {
    return (puts ? put_pace_ : take_pace_).load(std::memory_order_relaxed);
  }
  void learn(bool puts, std::size_t came) noexcept {
    const std::uint32_t p = pace(puts);
    (puts ? put_pace_ : take_pace_)
        .store(came > 1 ? std::min(2 * p, longest_pace)
                        : std::max(p / 2, shortest_pace),
               std::memory_order_relaxed);
  }

  // Both require the channel's guard.
  void stop() noexcept {
    tail_.fetch_or(stopped, std::memory_order_acq_rel);
    head_.fetch_or(stopped, std::memory_order_acq_rel);
  }
  void flow() noexcept {
    if (!may_flow_) return;
    tail_.fetch_and(~stopped, std::memory_order_acq_rel);
    head_.fetch_and(~stopped, std::memory_order_acq_rel);
  }

 protected:
  // How often an operation gives way to another, and for how long: if both went
  // on at once, they would pass the same memory to and fro for every value.
  static constexpr int most_meetings = 8;
  static constexpr int standoff = 32;  // in relax()

  static constexpr std::size_t largest = std::size_t{1} << 31;
  using position = std::uint64_t;
  static constexpr position stopped = 1;
  static constexpr position step = 2;
  static constexpr std::uint32_t shortest_pace = 2;
  static constexpr std::uint32_t longest_pace = 64;

  ring_ends(std::size_t capacity, bool may_flow)
      : capacity_(checked(capacity)), may_flow_(may_flow) {}
  ~ring_ends() = default;

  static void stand_off(int meeting) noexcept {
    if (meeting == most_meetings) return;
    for (int i = 0; i != standoff; ++i) relax();
  }
  static bool advance(std::atomic<position>& end, position from) noexcept {
    return end.compare_exchange_strong(from, from + step,
                                       std::memory_order_acq_rel,
                                       std::memory_order_relaxed);
  }

  // Each on a line of its own: those who put and those who take look at the
  // other's only where they find no room, or nothing.
  alignas(64) std::atomic<position> tail_{stopped};
  std::atomic<position> seen_head_{0};  // a value that it has had
  std::atomic<std::uint32_t> put_pace_{shortest_pace};
  alignas(64) std::atomic<position> head_{stopped};
  std::atomic<std::uint32_t> take_pace_{shortest_pace};
  alignas(64) std::size_t capacity_;
  bool may_flow_;

 private:
  static std::size_t checked(std::size_t capacity) {
    if (capacity > largest)
      throw std::length_error(
          "weft: a shared channel buffers 2^31 values at most");
    return capacity;
  }
};

template <typename T>
class shared_ring : public ring_ends {
 public:
  // Throws as ring_buffer.
  explicit shared_ring(std::size_t capacity)
      : ring_ends(capacity, std::is_nothrow_move_constructible_v<T> &&
                                std::is_nothrow_destructible_v<T>),
        mask_(std::bit_ceil(std::max<std::size_t>(capacity, 2)) - 1),
        cells_(std::make_unique<cell[]>(mask_ + 1)) {
    for (position p = 0; p <= mask_; ++p)
      cells_[p].turn.store(turn_at(p), std::memory_order_relaxed);
    flow();
  }
  shared_ring(const shared_ring&) = delete;
  shared_ring& operator=(const shared_ring&) = delete;
  ~shared_ring() {
    while (take([](T&&) {})) {
    }
  }

  // As long as it flows; false: it does not, or there is no room, or others were
  // in the way for long. Requires: U makes a T without throwing.
  template <typename U>
  [[gnu::always_inline]] bool try_put(U&& value) noexcept {
    for (int i = 0; i != most_meetings; stand_off(++i)) {
      const position end = tail_.load(std::memory_order_relaxed);
      if ((end & stopped) != 0 || !has_room(end / step)) return false;
      cell& c = at(end / step);
      if (!c.is_ready(end / step) || !advance(tail_, end)) continue;
      c.put(std::forward<U>(value), end / step);
      return true;
    }
    return false;
  }
  // The same of the next value, which use(T&&) takes.
  template <typename Use>
  [[gnu::always_inline]] bool try_take(Use use) noexcept {
    for (int i = 0; i != most_meetings; stand_off(++i)) {
      const position first = head_.load(std::memory_order_relaxed);
      if ((first & stopped) != 0) return false;
      cell& c = at(first / step);
      if (!c.is_ready(first / step + 1)) {
        if (tail_.load(std::memory_order_relaxed) / step == first / step)
          return false;
        continue;
      }
      if (!advance(head_, first)) continue;
      use(std::move(c.value()));
      c.clear(first / step + mask_ + 1);
      return true;
    }
    return false;
  }

  // These require that it has been stopped, and not by somebody else; put(),
  // that there is room. False: it is empty. Where a T throws, nothing has
  // changed.
  template <typename U>
  void put(U&& value) {
    const position p = tail_.load(std::memory_order_relaxed) / step;
    cell& c = at(p);
    c.await(p);
    c.put(std::forward<U>(value), p);
    tail_.fetch_add(step, std::memory_order_relaxed);
  }
  template <typename Use>
  bool take(Use use) {
    const position p = head_.load(std::memory_order_relaxed) / step;
    if (p == tail_.load(std::memory_order_relaxed) / step) return false;
    cell& c = at(p);
    c.await(p + 1);
    use(std::move(c.value()));
    c.clear(p + mask_ + 1);
    head_.fetch_add(step, std::memory_order_relaxed);
    return true;
  }

 private:
  struct cell {
    T& value() { return *std::launder(reinterpret_cast<T*>(room)); }
    template <typename U>
    void put(U&& v, position p) {
      std::construct_at(reinterpret_cast<T*>(room), std::forward<U>(v));
      turn.store(turn_at(p + 1), std::memory_order_release);
    }
    void clear(position next) noexcept {
      std::destroy_at(&value());
      turn.store(turn_at(next), std::memory_order_release);
    }
    // One who was let in before it was stopped is about to finish.
    void await(position p) const noexcept {
      for (backoff b; !is_ready(p);) b.wait();
    }
    [[nodiscard]] bool is_ready(position p) const noexcept {
      return turn.load(std::memory_order_acquire) == turn_at(p);
    }

    std::atomic<std::uint32_t> turn{0};
    alignas(T) std::byte room[sizeof(T)];
  };

  // Positions that look the same are 2^32 apart: two laps at least.
  static std::uint32_t turn_at(position p) {
    return static_cast<std::uint32_t>(p);
  }
  cell& at(position p) { return cells_[p & mask_]; }
  // What those did before who made the room happens before a put into it, though
  // their cells may be others than its own.
  bool has_room(position p) noexcept {
    if (is_within(p, seen_head_.load(std::memory_order_acquire))) return true;
    const position head = head_.load(std::memory_order_acquire) / step;
    seen_head_.store(head, std::memory_order_release);
    return is_within(p, head);
  }
  // `p` may be out of date, and `head` beyond it.
  [[nodiscard]] bool is_within(position p, position head) const {
    return static_cast<std::int64_t>(p - head) <
           static_cast<std::int64_t>(capacity_);
  }

  std::size_t mask_;
  std::unique_ptr<cell[]> cells_;
};

}  // namespace weft
