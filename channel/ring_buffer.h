// SPDX-License-Identifier: BSL-1.0
// Private: the values that a buffered channel holds, first in, first out.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

namespace weft {

// Any capacity; one allocation at most, at the start, for the next power of two.
// T need be neither default constructible nor copyable, and each value is
// constructed and moved out once.
template <typename T>
class ring_buffer {
 public:
  // Throws std::length_error over 2^32 - 1 values, std::bad_alloc.
  explicit ring_buffer(std::size_t capacity)
      : capacity_(checked(capacity)),
        mask_(static_cast<std::uint32_t>(places() - 1)) {
    if (capacity_ != 0) room_ = std::allocator<T>().allocate(places());
  }
  ring_buffer(const ring_buffer&) = delete;
  ring_buffer& operator=(const ring_buffer&) = delete;
  ~ring_buffer() {
    while (!empty()) pop();
    if (capacity_ != 0) std::allocator<T>().deallocate(room_, places());
  }

  [[nodiscard]] bool empty() const { return end_ == first_; }
  [[nodiscard]] bool full() const { return end_ - first_ == capacity_; }
  [[nodiscard]] std::size_t size() const { return end_ - first_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Requires: !full(). Changes nothing when T's constructor throws.
  template <typename U>
  void push(U&& value) {
    std::construct_at(room_ + place(size()), std::forward<U>(value));
    ++end_;
  }
  // The one that `i` others are before. Requires: i < size().
  T& at(std::size_t i) { return room_[place(i)]; }
  // Takes that one out. Requires as at(); T's move does not throw.
  void erase(std::size_t i) noexcept {
    for (; i != 0; --i) {
      std::destroy_at(room_ + place(i));
      std::construct_at(room_ + place(i), std::move(at(i - 1)));
    }
    pop();
  }
  // Requires: !empty().
  T& front() { return room_[place(0)]; }
  void pop() {
    std::destroy_at(room_ + place(0));
    ++first_;
  }

 private:
  [[nodiscard]] std::size_t place(std::size_t i) const {
    return (first_ + static_cast<std::uint32_t>(i)) & mask_;
  }
  [[nodiscard]] std::size_t places() const {
    return std::bit_ceil(std::size_t{capacity_});
  }
  static std::uint32_t checked(std::size_t capacity) {
    if (capacity > std::numeric_limits<std::uint32_t>::max())
      throw std::length_error(
          "weft: a channel buffers 2^32 - 1 values at most");
    return static_cast<std::uint32_t>(capacity);
  }

  T* room_ = nullptr;
  std::uint32_t capacity_;
  std::uint32_t mask_;
  // Positions, modulo 2^32: each is a place and a lap.
  std::uint32_t first_ = 0;
  std::uint32_t end_ = 0;
};

}  // namespace weft
