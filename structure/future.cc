// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/future.h"

namespace weft {

std::exception_ptr future_base::failure() const {
  return valid() ? state_->failure() : nullptr;
}

// The tasklets that wait keep the state themselves: the future may be gone when
// they go on.
void future_base::wait(std::source_location where) const {
  const reader<future_state> s = need();
  s->wait("wait for a future", where);
}

bool future_base::wait_until(std::chrono::steady_clock::time_point when,
                             std::source_location where) const {
  const reader<future_state> s = need();
  return s->wait(when, where);
}

bool future_base::wait_for_ns(std::chrono::nanoseconds time,
                              std::source_location where) const {
  const reader<future_state> s = need();
  return s->wait(time, where);
}

void future_base::throw_invalid() {
  throw error("weft: this future has no result, or that has been taken");
}

}  // namespace weft
