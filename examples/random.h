// SPDX-License-Identifier: BSL-1.0
// Random numbers that are the same with every compiler and library: Steele,
// Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
#pragma once

#include <cstdint>

namespace examples {

// Every bit of the result depends on every bit of `x`.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class random {
 public:
  explicit random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() { return mix(state_ += 0x9e3779b97f4a7c15); }
  // In [0, n); 0 < n < 2^31.
  std::int32_t below(std::int32_t n) {
    return static_cast<std::int32_t>(
        (bits() >> 32) * static_cast<std::uint64_t>(n) >> 32);
  }
  // In [-n, n].
  std::int32_t around_zero(std::int32_t n) { return below(2 * n + 1) - n; }
  // In (0, 1].
  double fraction() {
    return static_cast<double>((bits() >> 11) + 1) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

}  // namespace examples
