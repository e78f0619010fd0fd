// SPDX-License-Identifier: BSL-1.0
// Private: who runs next.
//
//          head                          tail
//   ... |  a  |  b  |  -  |  c  |  *  |  d  | ...   -  tombstone  *  marker
//
// A ring of pointers with absolute 64-bit positions: contiguous, so that the
// processor sees the next tasklets coming (16 ns a yield at 100 000 tasklets,
// where a linked list took 70 to 180). One that leaves from the middle leaves a
// tombstone, a null that costs nothing until it is popped. The marker is a null
// too: it makes the scheduler look at timers and other sources once a round.
//
// Invariants:
// - a member's `position` is where it stands;
// - the ring has room for every live tasklet, one that stands in for another,
//   and a quarter more: reserve() at spawn may fail, the pushes never do, and
//   look at nothing. Tombstones are cleared away when that quarter is full of
//   them.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "weft/tasklet/control_block.h"

namespace weft {

class run_queue {
 public:
  constexpr run_queue() noexcept = default;
  run_queue(const run_queue&) = delete;
  run_queue& operator=(const run_queue&) = delete;

  // Nothing at all: neither members nor tombstones nor the marker.
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] std::size_t members() const {
    return static_cast<std::size_t>(tail_ - head_) - tombstones_ - marked_;
  }

  // Takes the first entry; null for a tombstone or the marker.
  // Requires: !empty().
  control_block* pop() { return ring_[head_++ & mask_]; }

  // After a pop() that gave null: was it the marker? Accounts for it either
  // way.
  bool pop_was_marker() {
    if (marked_ && head_ - 1 == marker_) {
      marked_ = false;
      return true;
    }
    --tombstones_;
    return false;
  }

  // As pop(); but null, too, where it is empty, and tombstones stay.
  control_block* take() {
    if (empty()) return nullptr;
    control_block* t = ring_[head_ & mask_];
    if (t != nullptr) [[likely]]
      ++head_;
    return t;
  }

  // There is room for everybody, the marker and the tombstones.
  void push(control_block* t) {
    assert(tail_ - head_ <= mask_);
    put(tail_++, t);
  }
  void push_front(control_block* t) {
    assert(tail_ - head_ <= mask_);
    put(--head_, t);
  }
  void remove(const control_block* t) {
    ring_[t->position & mask_] = nullptr;
    if (++tombstones_ + comfortable_ + 1 >= mask_) [[unlikely]]
      compact();
  }

  // `other` stands where `t` stood.
  void replace(const control_block* t, control_block* other) {
    put(t->position, other);
  }

  // At the tail. Requires: !marked().
  void push_marker() {
    assert(tail_ - head_ <= mask_);
    marked_ = true;
    marker_ = tail_;
    ring_[tail_++ & mask_] = nullptr;
  }
  [[nodiscard]] bool marked() const { return marked_; }
  // Counts the entries that have been popped, give or take those put in front.
  [[nodiscard]] std::uint64_t position() const { return head_; }

  [[nodiscard]] bool has_room(std::size_t members) const {
    return members <= comfortable_;
  }
  // Makes room for `members`. Throws std::bad_alloc with nothing changed.
  void reserve(std::size_t members) {
    if (!has_room(members)) grow(members);
  }
  void release() noexcept;

 private:
  void put(std::uint64_t at, control_block* t) {
    t->position = at;
    ring_[at & mask_] = t;
  }
  void compact() noexcept;
  void grow(std::size_t members);

  control_block** ring_ = nullptr;
  std::uint64_t head_ = 0;
  // Between the two, or compilers load them as one after storing them apart,
  // which stalls on store forwarding.
  std::uint64_t mask_ = 0;
  std::uint64_t tail_ = 0;
  std::size_t comfortable_ = 0;  // members that leave a quarter of room
  std::size_t tombstones_ = 0;
  std::uint64_t marker_ = 0;  // its position, while marked_
  bool marked_ = false;
};

}  // namespace weft
