// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/context.h"

#include <cstdint>

#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif
#if defined(WEFT_VALGRIND) || __has_include(<valgrind/valgrind.h>)
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#define WEFT_TELLS_VALGRIND 1
#endif

namespace weft {

void announce_stack([[maybe_unused]] void* low,
                    [[maybe_unused]] void* high) noexcept {
#ifdef WEFT_TELLS_VALGRIND
  VALGRIND_STACK_REGISTER(reinterpret_cast<std::uintptr_t>(low),
                          reinterpret_cast<std::uintptr_t>(high));
#endif
}

void forget_frames([[maybe_unused]] void* low,
                   [[maybe_unused]] void* high) noexcept {
#ifdef WEFT_ASAN
  __asan_unpoison_memory_region(
      low, static_cast<std::size_t>(static_cast<char*>(high) -
                                    static_cast<char*>(low)));
#endif
}

}  // namespace weft
