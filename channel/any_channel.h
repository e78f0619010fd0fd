// SPDX-License-Identifier: BSL-1.0
// A channel, whatever it carries: to know one by, and to ask it.
//
//   weft::channel<int> orders;
//   weft::any_channel watched(orders);
//   if (watched == orders && watched.balance() < 0) ...
//
// One word; does not own the channel, which outlives it.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "weft/channel/channel.h"

namespace weft {

class any_channel {
 public:
  template <typename T>
  any_channel(const channel<T>& c) : core_(&c) {}  // NOLINT: it is one

  [[nodiscard]] std::string_view name() const { return core_->name(); }
  [[nodiscard]] std::int32_t balance() const { return core_->balance(); }
  [[nodiscard]] bool closed() const { return core_->closed(); }
  [[nodiscard]] preference get_preference() const {
    return core_->get_preference();
  }
  [[nodiscard]] tasklet front() const { return core_->front(); }

  friend auto operator<=>(const any_channel&, const any_channel&) = default;

 private:
  friend class channel_core;
  friend struct std::hash<any_channel>;
  explicit any_channel(const channel_core& c) : core_(&c) {}

  const channel_core* core_;
};

}  // namespace weft

template <>
struct std::hash<weft::any_channel> {
  std::size_t operator()(const weft::any_channel& c) const noexcept {
    return std::hash<const void*>()(c.core_);
  }
};
