// SPDX-License-Identifier: BSL-1.0
// Private: tells whose stack has overflowed.
//
// The touch of a guard page raises SIGSEGV. The handler, on a signal stack of
// its own, says which tasklet it was, and lets the fault happen again under
// whatever handled it before: a debugger or a core file shows the faulting
// frame. Faults of any other kind go to the handler that was there before.
// Whoever installs a handler of its own later replaces this one, and may call it.
#pragma once

#include <memory>

#include "weft/tasklet/stack_pool.h"

namespace weft {

struct descriptor;

// One a scheduler, in its thread: installs the handler while there is one, and
// gives the thread a signal stack.
class overflow_watch {
 public:
  // Throws std::bad_alloc.
  overflow_watch();
  overflow_watch(const overflow_watch&) = delete;
  overflow_watch& operator=(const overflow_watch&) = delete;
  ~overflow_watch();

 private:
  std::unique_ptr<char[]> signal_stack_;  // null: the thread had one
};

// Says on stderr that the tasklet has run out of `ground`: its own stack, or
// that of a strand which it runs. Allocates nothing and takes no lock.
void say_overflow(const descriptor& d, const stack& ground,
                  bool of_strand) noexcept;

}  // namespace weft
