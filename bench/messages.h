// SPDX-License-Identifier: BSL-1.0
// What the channel cases send, and how it is known that all of it arrived.
#pragma once

#include <string>
#include <type_traits>

namespace bench {

template <typename T>
T message(long i) {
  if constexpr (std::is_same_v<T, std::string>)
    return "hello";
  else
    return static_cast<T>(i);
}

inline long weight(long value) { return value; }
inline long weight(const std::string& value) {
  return static_cast<long>(value.size());
}

// Of n messages.
template <typename T>
long weight_of_all(long n) {
  return std::is_same_v<T, std::string> ? n * 5 : n * (n - 1) / 2;
}

}  // namespace bench
