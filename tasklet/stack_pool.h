// SPDX-License-Identifier: BSL-1.0
// Private: where stacks come from and go to.
//
//   low                                               top
//   | guard | free ...              frames, hot last | coloured |
//   '------------------ one stack, a power of two ---------------'
//
// Stacks are cut from slabs, one mapping for many stacks, and reused last in,
// first out, so that the next tasklet finds warm memory. Nothing is resident
// until it is touched, and what is free can be given back. Tops are staggered
// by 128 bytes x 16: were they all page-aligned, the hottest frames of all
// tasklets would fight for the same cache sets (yield/1000: 10.5 ns without,
// 3.9 with).
//
// The free ones are listed apart from their memory, so that a free stack need
// not have any.
//
// Thread safety: none; a pool belongs to one scheduler.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weft/tasklet/context.h"
#include "weft/tasklet/stack_guard.h"

namespace weft {

// Classes are powers of two from 8 KiB to 1 GiB; on aarch64, where a throw takes
// 7 KB of stack and not 2, from 16 KiB.
#if defined(__aarch64__)
inline constexpr std::size_t smallest_stack = std::size_t{1} << 14;
#else
inline constexpr std::size_t smallest_stack = std::size_t{1} << 13;
#endif
inline constexpr std::size_t largest_stack = std::size_t{1} << 30;
inline constexpr std::size_t default_stack = std::size_t{64} << 10;

struct stack {
  char* top = nullptr;           // 64-byte aligned; frames grow down from here
  std::uint32_t size_class = 0;  // log2 of the size

  [[nodiscard]] std::size_t size() const {
    return std::size_t{1} << size_class;
  }
  // The end of the memory, guard included,
  [[nodiscard]] char* end() const {
    const auto at = reinterpret_cast<std::uintptr_t>(top) - 1;
    return top - 1 - (at & (size() - 1));
  }
  // and of what frames may use.
  [[nodiscard]] char* low() const { return end() + stack_guard::size(); }
};

class stack_pool {
 public:
  // Throws std::invalid_argument for a WEFT_STACK_GUARD that is none.
  stack_pool() = default;
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  // Unmaps everything, unless a stack is still taken: its objects live on.
  ~stack_pool();

  // The class that serves a request of `bytes`: rounded up to a power of two.
  // Throws std::invalid_argument outside [1, 1 GiB].
  static std::uint32_t class_of(std::size_t bytes);

  // No top: the system gives no more memory.
  stack take(std::uint32_t size_class) noexcept {
    shelf& from = shelves_[size_class];
    if (from.free == 0 && !cut(size_class)) [[unlikely]]
      return {};
    char* top = from.tops[--from.free];
    if (from.free < from.trimmed) [[unlikely]]
      from.trimmed = from.free;
    return {top, size_class};
  }

  // Requires: nobody stands on it, or whoever does leaves it before the next
  // call.
  void give(stack s) noexcept {
    forget(s);
    shelf& to = shelves_[s.size_class];
    to.tops[to.free++] = s.top;
  }

  [[nodiscard]] std::size_t taken() const;

  [[nodiscard]] const stack_guard& guard() const { return guard_; }

  // Gives the memory of free stacks back to the system, less the `keep` of each
  // class that were used last; of `most` stacks at most. False: nothing was
  // left to be done. Cost: a system call a stack.
  bool trim(std::size_t keep, std::size_t most) noexcept;

 private:
  struct slab {
    char* begin;
    std::size_t bytes;
    std::size_t used;
  };
  // The stacks of one class.
  struct alignas(64) shelf {
    std::vector<char*> tops;  // room for all; the first `free` are free
    std::size_t free = 0;
    std::size_t cut = 0;      // free or taken
    std::size_t trimmed = 0;  // of these the first have no memory
    std::size_t open = 0;     // the slab that is being cut, + 1
  };

  // Tells the checkers; nothing without them.
  static void forget([[maybe_unused]] stack s) noexcept {
#ifdef WEFT_ASAN
    forget_frames(s.low(), s.top);
#endif
  }
  // Makes one more free stack.
  bool cut(std::uint32_t size_class) noexcept;
  slab& open_slab(std::uint32_t size_class);
  static slab map(std::size_t bytes, std::size_t alignment);

  std::array<shelf, std::bit_width(largest_stack)> shelves_;
  std::vector<slab> slabs_;
  stack_guard guard_;
  std::size_t colour_ = 0;
};

}  // namespace weft
