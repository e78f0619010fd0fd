// SPDX-License-Identifier: BSL-1.0
// Private: what an exception_ptr points to.
#pragma once

#include <exception>

namespace weft {

// Requires: `what` is not null.
template <typename Exception>
bool holds(const std::exception_ptr& what) noexcept {
  try {
    std::rethrow_exception(what);
  } catch (const Exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace weft
