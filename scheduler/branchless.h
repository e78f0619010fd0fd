// SPDX-License-Identifier: BSL-1.0
// "or" and "and" that look at both sides: for conditions that nobody can
// predict, where a branch would cost more than the second side does.
#pragma once

namespace weft {

[[gnu::always_inline]] constexpr bool either(bool a, bool b) {
  return (static_cast<int>(a) | static_cast<int>(b)) != 0;
}
[[gnu::always_inline]] constexpr bool both(bool a, bool b) {
  return (static_cast<int>(a) & static_cast<int>(b)) != 0;
}

}  // namespace weft
