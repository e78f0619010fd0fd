// SPDX-License-Identifier: BSL-1.0
// The channels that a test of their laws is about: local ones, or, compiled
// with WEFT_TEST_SHARED, shared ones, whose laws in one scheduler are the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "weft/channel/channel.h"
#include "weft/channel/signal_channel.h"
#include "weft/scheduler/run_result.h"
#include "weft/scheduler/scheduler.h"

namespace weft_test {

#ifdef WEFT_TEST_SHARED
inline constexpr bool channels_are_shared = true;

template <typename T>
class channel : public weft::channel<T> {
 public:
  explicit channel(std::size_t capacity = 0)
      : weft::channel<T>(capacity, weft::shared) {}
};

// run() waits while another thread might yet serve who waits in them.
inline weft::run_result run() {
  return weft::this_scheduler().run_n(~std::uint64_t{0});
}
#else
inline constexpr bool channels_are_shared = false;
using weft::channel;
using weft::run;
#endif

}  // namespace weft_test
