// SPDX-License-Identifier: BSL-1.0
// One value of any type that can be moved: what greenlets hand each other.
//
//   weft::parcel p = std::string("hello");
//   std::string s = p.take<std::string>();
//
// Like std::any, but for move-only types too, and itself move-only. Types are
// matched exactly, without const or reference.
//
// Cost: no allocation for what takes 32 bytes at most and moves without
//       throwing.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "weft/tasklet/error.h"

namespace weft {

// A parcel was asked for a type that it does not hold.
class bad_parcel : public error {
  using error::error;
};

class parcel {
 public:
  parcel() noexcept = default;
  template <typename T>
    requires(!std::same_as<std::remove_cvref_t<T>, parcel> &&
             std::constructible_from<std::decay_t<T>, T>)
  parcel(T&& value) {  // NOLINT: whatever can be moved is one
    using kept = std::decay_t<T>;
    if constexpr (small<kept>)
      new (room_) kept(std::forward<T>(value));
    else
      *reinterpret_cast<kept**>(room_) = new kept(std::forward<T>(value));
    ways_ = &ways_of<kept>;
  }
  parcel(parcel&& other) noexcept { steal(other); }
  parcel& operator=(parcel&& other) noexcept {
    if (this != &other) {
      reset();
      steal(other);
    }
    return *this;
  }
  ~parcel() { reset(); }

  [[nodiscard]] bool has_value() const { return ways_ != nullptr; }
  // typeid(void) of an empty one.
  [[nodiscard]] const std::type_info& type() const {
    return ways_ != nullptr ? *ways_->type : typeid(void);
  }
  void reset() noexcept {
    if (ways_ != nullptr) std::exchange(ways_, nullptr)->destroy(room_);
  }

  // The value, or null where it is of another type.
  template <typename T>
  [[nodiscard]] T* get_if() {
    return ways_ == &ways_of<T> || (ways_ != nullptr && type() == typeid(T))
               ? at<T>(room_)
               : nullptr;
  }
  // Throw bad_parcel, which says what it holds. take() leaves it empty.
  template <typename T>
  [[nodiscard]] T& get() {
    if (T* value = get_if<T>()) return *value;
    throw_bad(typeid(T));
  }
  template <typename T>
  T take() {
    T value = std::move(get<T>());
    reset();
    return value;
  }

 private:
  static constexpr std::size_t room = 32;
  template <typename T>
  static constexpr bool small =
      sizeof(T) <= room && alignof(T) <= alignof(std::max_align_t) &&
      std::is_nothrow_move_constructible_v<T>;

  struct ways {
    const std::type_info* type;
    void (*move)(std::byte* from, std::byte* to) noexcept;
    void (*destroy)(std::byte* at) noexcept;
  };

  template <typename T>
  static T* at(std::byte* place) {
    if constexpr (small<T>)
      return std::launder(reinterpret_cast<T*>(place));
    else
      return *std::launder(reinterpret_cast<T**>(place));
  }
  template <typename T>
  static constexpr ways ways_of{&typeid(T),
                                [](std::byte* from, std::byte* to) noexcept {
                                  if constexpr (small<T>) {
                                    new (to) T(std::move(*at<T>(from)));
                                    at<T>(from)->~T();
                                  } else {
                                    *reinterpret_cast<T**>(to) = at<T>(from);
                                  }
                                },
                                [](std::byte* place) noexcept {
                                  if constexpr (small<T>)
                                    at<T>(place)->~T();
                                  else
                                    delete at<T>(place);
                                }};

  void steal(parcel& other) noexcept {
    ways_ = std::exchange(other.ways_, nullptr);
    if (ways_ != nullptr) ways_->move(other.room_, room_);
  }
  [[noreturn]] void throw_bad(const std::type_info& asked) const;

  const ways* ways_ = nullptr;
  alignas(std::max_align_t) std::byte room_[room];
};

}  // namespace weft
