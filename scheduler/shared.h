// SPDX-License-Identifier: BSL-1.0
// The mark of what may be used by several schedulers, and by threads that have
// none: weft::channel<int> c{weft::shared}.
#pragma once

namespace weft {

struct shared_t {
  explicit shared_t() = default;
};
inline constexpr shared_t shared{};

}  // namespace weft
