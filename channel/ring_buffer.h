// SPDX-License-Identifier: BSL-1.0
// Private: the values that a buffered channel holds, first in, first out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

namespace weft {

// Any capacity; one allocation, at the start. T need be neither default
// constructible nor copyable, and each value is constructed and moved out once.
template <typename T>
class ring_buffer {
 public:
  // Throws std::length_error over 2^32 - 1 values, std::bad_alloc.
  explicit ring_buffer(std::size_t capacity) : capacity_(checked(capacity)) {
    if (capacity_ != 0) room_ = std::allocator<T>().allocate(capacity_);
  }
  ring_buffer(const ring_buffer&) = delete;
  ring_buffer& operator=(const ring_buffer&) = delete;
  ~ring_buffer() {
    while (!empty()) pop();
    if (capacity_ != 0) std::allocator<T>().deallocate(room_, capacity_);
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == capacity_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Requires: !full(). Changes nothing when T's constructor throws.
  template <typename U>
  void push(U&& value) {
    std::construct_at(room_ + place(size_), std::forward<U>(value));
    ++size_;
  }
  // The one that `i` others are before. Requires: i < size().
  T& at(std::size_t i) { return room_[place(i)]; }
  // Takes that one out. Requires as at(); T's move does not throw.
  void erase(std::size_t i) noexcept {
    for (; i != 0; --i) {
      std::destroy_at(&at(i));
      std::construct_at(&at(i), std::move(at(i - 1)));
    }
    pop();
  }
  // Requires: !empty().
  T& front() { return room_[head_]; }
  void pop() {
    std::destroy_at(room_ + head_);
    head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
    --size_;
  }

 private:
  [[nodiscard]] std::size_t place(std::size_t i) const {
    const std::size_t at = std::size_t{head_} + i;
    return at < capacity_ ? at : at - capacity_;
  }
  static std::uint32_t checked(std::size_t capacity) {
    if (capacity > std::numeric_limits<std::uint32_t>::max())
      throw std::length_error(
          "weft: a channel buffers 2^32 - 1 values at most");
    return static_cast<std::uint32_t>(capacity);
  }

  T* room_ = nullptr;
  std::uint32_t capacity_;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace weft
