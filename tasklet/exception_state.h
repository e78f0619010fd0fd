// SPDX-License-Identifier: BSL-1.0
// Private: the C++ runtime's record of the exceptions that are alive on a
// thread.
#pragma once

#include <cxxabi.h>

namespace weft {

// The layout that the Itanium C++ ABI gives __cxa_eh_globals, the same in
// libstdc++ and libc++abi. One a thread; weft keeps one a flow, by this
// invariant: it is zero at every switch. A flow that is left while an exception
// is alive in it keeps the record on its own stack meanwhile, so that the
// others, and the ordinary switch, never pay for it.
struct exception_state {
  void* caught = nullptr;  // exceptions whose handlers have not ended
  unsigned uncaught = 0;   // exceptions on their way to a handler

  [[nodiscard]] bool alive() const { return caught != nullptr || uncaught; }
};

// This thread's. Constant for the life of the thread.
inline exception_state* thread_exception_state() noexcept {
  return reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

}  // namespace weft
