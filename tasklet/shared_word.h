// SPDX-License-Identifier: BSL-1.0
// Private: a word that one thread writes and any may read, at any time.
//
// Whoever reads what was written sees what happened before that.
// Cost: that of a plain word on x86-64.
#pragma once

#include <atomic>

namespace weft {

template <typename T>
class shared_word {
  static_assert(std::atomic<T>::is_always_lock_free);

 public:
  constexpr shared_word(T value) noexcept : value_(value) {}  // NOLINT
  shared_word(const shared_word&) = delete;
  shared_word& operator=(const shared_word&) = delete;
  ~shared_word() = default;

  [[nodiscard]] T get() const noexcept {
    return value_.load(std::memory_order_acquire);
  }
  operator T() const noexcept { return get(); }  // NOLINT
  T operator=(T value) noexcept {                // NOLINT
    value_.store(value, std::memory_order_release);
    return value;
  }

 private:
  std::atomic<T> value_;
};

}  // namespace weft
