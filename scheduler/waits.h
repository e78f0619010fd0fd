// SPDX-License-Identifier: BSL-1.0
// Private: how long an operation waits. The type chooses its form when it is
// compiled, so that one algorithm serves all of them.
#pragma once

#include <chrono>
#include <variant>

namespace weft {

struct wait_forever {};
struct wait_never {};
struct wait_until {
  std::chrono::steady_clock::time_point deadline;
};
struct wait_for {
  std::chrono::nanoseconds time;
};

// Where it is not worth a form of its own.
using any_wait = std::variant<wait_forever, wait_never, wait_until, wait_for>;

}  // namespace weft
