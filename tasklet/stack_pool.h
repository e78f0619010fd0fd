// SPDX-License-Identifier: BSL-1.0
// Private: where stacks come from and go to.
//
//   low                                               top
//   | guard | free ...              frames, hot last | coloured |
//   '------------------ one stack, a power of two ---------------'
//
// Stacks are cut from slabs, one mapping for many stacks, and reused last in,
// first out, so that the next tasklet finds warm memory. Nothing is resident
// until it is touched. Tops are staggered by 128 bytes x 16: were they all
// page-aligned, the hottest frames of all tasklets would fight for the same
// cache sets (yield/1000: 10.5 ns without, 3.9 with).
//
// Thread safety: none; a pool belongs to one scheduler.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weft/tasklet/context.h"

namespace weft {

// Classes are powers of two from 8 KiB to 1 GiB.
inline constexpr std::size_t smallest_stack = std::size_t{1} << 13;
inline constexpr std::size_t largest_stack = std::size_t{1} << 30;
inline constexpr std::size_t default_stack = std::size_t{64} << 10;

struct stack {
  char* top = nullptr;           // 64-byte aligned; frames grow down from here
  std::uint32_t size_class = 0;  // log2 of the size

  [[nodiscard]] std::size_t size() const {
    return std::size_t{1} << size_class;
  }
  // The end of the memory, guard included.
  [[nodiscard]] char* low() const {
    const auto at = reinterpret_cast<std::uintptr_t>(top) - 1;
    return top - 1 - (at & (size() - 1));
  }
};

class stack_pool {
 public:
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
    char*& first = free_[size_class];
    if (first == nullptr && !cut(size_class)) [[unlikely]]
      return {};
    char* top = first;
    first = next_free(top);
    ++taken_;
    return {top, size_class};
  }

  // Requires: nobody stands on it.
  void give(stack s) noexcept {
    forget(s);
    next_free(s.top) = free_[s.size_class];
    free_[s.size_class] = s.top;
    --taken_;
  }

  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  struct slab {
    char* begin;
    std::size_t bytes;
    std::size_t used;
  };

  // The list of free stacks runs through their topmost words.
  static char*& next_free(char* top) {  // NOLINT: written through the result
    return *reinterpret_cast<char**>(top - sizeof(char*));
  }
  // Tells the checkers; nothing without them.
  static void forget([[maybe_unused]] stack s) noexcept {
#ifdef WEFT_ASAN
    forget_frames(s.low() + guard_size(), s.top);
#endif
  }
  static std::size_t guard_size();
  // Puts one more stack on the free list.
  bool cut(std::uint32_t size_class) noexcept;
  slab* open_slab(std::uint32_t size_class);
  static slab map(std::size_t bytes, std::size_t alignment);

  std::array<char*, std::bit_width(largest_stack)> free_{};
  std::array<std::size_t, std::bit_width(largest_stack)> open_{};  // slab + 1
  std::vector<slab> slabs_;
  std::size_t taken_ = 0;
  std::size_t colour_ = 0;
};

}  // namespace weft
