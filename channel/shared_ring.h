// SPDX-License-Identifier: BSL-1.0
// Private: the values that a shared buffered channel holds, first in, first out.
//
// While nobody waits and nothing unusual is afoot the ring *flows*: any thread
// puts and takes values without the channel's guard. Whoever has the guard and
// means to use the buffer stops it first; then nobody else touches it, but for
// those who had been let in before, who finish.
//
//   put:   claim a place - construct - turn the cell to "full"
//   take:  claim a value - move out - turn the cell to "free for the next lap"
//
// Invariants:
// - A cell's turn is p where it is free for position p, p + 1 where it has the
//   value of position p. So there are two cells at least.
// - It flows only where moving a T throws nothing.
//
// (Dmitry Vyukov's bounded queue, of any capacity, that can be stopped, and
// whose ends can be owned.)
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

#include "weft/channel/ring_end.h"
#include "weft/scheduler/guard.h"

namespace weft {

// Less the type of the values.
class ring_ends {
 public:
  ring_ends(const ring_ends&) = delete;
  ring_ends& operator=(const ring_ends&) = delete;

  [[nodiscard]] std::size_t size() const {
    const auto first = head_.at(std::memory_order_acquire);
    const auto end = tail_.at(std::memory_order_acquire);
    // Both ends may have moved on between these two.
    return end > first ? std::min<std::size_t>(end - first, capacity_) : 0;
  }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] bool full() const { return size() >= capacity_; }

  [[nodiscard]] bool flows() const { return tail_.flows(); }
  // Both require the channel's guard.
  void stop() noexcept {
    ring_end::stopping in(tail_);
    ring_end::stopping out(head_);
    if (in.needs_fence() || out.needs_fence()) claimant::far_fence();
    in.wait();
    out.wait();
  }
  void flow() noexcept {
    if (!may_flow_) return;
    tail_.flow();
    head_.flow();
  }

  // Two that work at the same place pass its memory to and fro for every value.
  // So whoever meets another gives way, but not for ever.
  template <typename Attempt>
  static claimed patiently(Attempt attempt) {
    claimed got = attempt();
    for (int i = 1; got == claimed::later && i != most_meetings; ++i) {
      give_way();
      got = attempt();
    }
    return got;
  }
  static void give_way() noexcept {
    for (int i = 0; i != standoff; ++i) relax();
  }

  // How long it pays to wait between two looks, in relax(): of those who put,
  // and of those who take. Long where much comes meanwhile, so that both sides
  // seldom meet; short where little comes, or little is room for.
  [[nodiscard]] std::uint32_t pace(bool puts) const {
    return end_of(puts).pace.load(std::memory_order_relaxed);
  }
  void learn(bool puts, std::size_t came) noexcept {
    const std::uint32_t p = pace(puts);
    end_of(puts).pace.store(came > little ? std::min(2 * p, longest_pace_)
                                          : std::max(p / 2, shortest_pace),
                            std::memory_order_relaxed);
  }

 protected:
  using position = ring_end::position;

  static constexpr std::size_t largest = std::size_t{1} << 31;
  static constexpr std::uint32_t shortest_pace = 2;
  static constexpr std::uint32_t longest_pace = 256;

  ring_ends(std::size_t capacity, bool may_flow)
      : capacity_(checked(capacity)),
        longest_pace_(static_cast<std::uint32_t>(std::clamp<std::size_t>(
            capacity / 4, shortest_pace, longest_pace))),
        may_flow_(may_flow) {
    if (may_flow) static_cast<void>(claimant::has_far_fence());
  }
  ~ring_ends() = default;

  // Each on a line of its own: those who put and those who take look at the
  // other's only where they find no room, or nothing.
  ring_end tail_{shortest_pace};
  ring_end head_{shortest_pace};
  alignas(64) std::size_t capacity_;
  std::uint32_t longest_pace_;
  bool may_flow_;

 private:
  static constexpr int most_meetings = 8;
  static constexpr int standoff = 32;  // in relax()
  static constexpr std::size_t little = 4;

  [[nodiscard]] const ring_end& end_of(bool puts) const {
    return puts ? tail_ : head_;
  }
  [[nodiscard]] ring_end& end_of(bool puts) { return puts ? tail_ : head_; }
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

  // As long as it flows. Requires: U makes a T without throwing.
  template <typename U>
  [[gnu::always_inline]] claimed try_put(U&& value) noexcept {
    position p;
    const claimed got = tail_.claim(p, [this](position end) {
      if (!has_room(end)) return claimed::none;
      return at(end).is_ready(end) ? claimed::yes : claimed::later;
    });
    if (got == claimed::yes) at(p).put(std::forward<U>(value), p);
    return got;
  }
  // The same of the next value, which use(T&&) takes.
  template <typename Use>
  [[gnu::always_inline]] claimed try_take(Use use) noexcept {
    position p;
    const claimed got = head_.claim(p, [this](position first) {
      if (at(first).is_ready(first + 1)) return claimed::yes;
      return tail_.at(std::memory_order_relaxed) == first ? claimed::none
                                                          : claimed::later;
    });
    if (got != claimed::yes) return got;
    cell& c = at(p);
    use(std::move(c.value()));
    c.clear(p + mask_ + 1);
    return got;
  }

  // These require that it has been stopped, and not by somebody else; put(),
  // that there is room. False: it is empty. Where a T throws, nothing has
  // changed.
  template <typename U>
  void put(U&& value) {
    const position p = tail_.at(std::memory_order_relaxed);
    cell& c = at(p);
    c.await(p);
    c.put(std::forward<U>(value), p);
    tail_.advance();
  }
  template <typename Use>
  bool take(Use use) {
    const position p = head_.at(std::memory_order_relaxed);
    if (p == tail_.at(std::memory_order_relaxed)) return false;
    cell& c = at(p);
    c.await(p + 1);
    use(std::move(c.value()));
    c.clear(p + mask_ + 1);
    head_.advance();
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
    if (is_within(p, tail_.seen.load(std::memory_order_acquire))) return true;
    const position head = head_.at(std::memory_order_acquire);
    tail_.seen.store(head, std::memory_order_release);
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
