// SPDX-License-Identifier: BSL-1.0
// Private: what stands at the low end of a stack, to catch a tasklet that needs
// more of it.
//
//   page   a page that faults when touched; scheduler/overflow.h tells whose it
//          is. By MADV_GUARD_INSTALL (Linux 6.13), which does not split the
//          mapping: a million of them stay within vm.max_map_count. Older
//          kernels get them by mprotect, two mappings each, for as many stacks
//          as take a quarter of what the process may have.
//   zeros  for the rest: a page that must still be zero when the tasklet ends.
//          It costs no memory while it is.
//
// The environment variable WEFT_STACK_GUARD (madvise, mprotect or zeros) names
// the first of them to be tried, so that all can be tested on any kernel.
//
// Thread safety: none; it belongs to a stack_pool. The count of guards by
// mprotect is the process's.
#pragma once

#include <cstddef>
#include <unordered_set>

namespace weft {

class stack_guard {
 public:
  stack_guard();
  stack_guard(const stack_guard&) = delete;
  stack_guard& operator=(const stack_guard&) = delete;
  // Requires: the stacks are unmapped, or stay for ever.
  ~stack_guard();

  // The bytes at the low end of a stack that are not for use.
  static std::size_t size() noexcept;

  // Guards the stack that ends at `low`. Leaves errno alone: a start is part of
  // a switch. Without memory for its notes a stack goes without.
  void put(char* low) noexcept;

  // Nobody has written over the guard. Requires: put(low).
  [[nodiscard]] bool intact(char* low) const noexcept;

  // There are guards that only intact() can tell of.
  [[nodiscard]] bool must_be_asked() const { return !zeros_.empty(); }

 private:
  enum class way { madvise, mprotect, zeros };

  bool protect(char* low) noexcept;

  way first_;
  std::size_t protected_ = 0;
  std::unordered_set<char*> zeros_;
};

}  // namespace weft
