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

// In every program that LeakSanitizer watches, however this file was compiled.
// NOLINTBEGIN: the names are its own.
extern "C" {
__attribute__((weak)) void __lsan_register_root_region(const void*,
                                                       std::size_t);
__attribute__((weak)) void __lsan_unregister_root_region(const void*,
                                                         std::size_t);
}
// NOLINTEND

namespace weft {

void announce_stack(char* low, char* high) noexcept {
  // What a parked tasklet points to is no leak.
  if (__lsan_register_root_region != nullptr)
    __lsan_register_root_region(low, static_cast<std::size_t>(high - low));
#ifdef WEFT_TELLS_VALGRIND
  // Its end, too: a flow that has nothing on top of its stack begins there.
  VALGRIND_STACK_REGISTER(reinterpret_cast<std::uintptr_t>(low),
                          reinterpret_cast<std::uintptr_t>(high));
#endif
}

void retract_stack(char* low, char* high) noexcept {
  if (__lsan_unregister_root_region != nullptr)
    __lsan_unregister_root_region(low, static_cast<std::size_t>(high - low));
}

void forget_frames([[maybe_unused]] void* low,
                   [[maybe_unused]] void* high) noexcept {
  [[maybe_unused]] const auto size = static_cast<std::size_t>(
      static_cast<char*>(high) - static_cast<char*>(low));
#ifdef WEFT_ASAN
  __asan_unpoison_memory_region(low, size);
#endif
#ifdef WEFT_TELLS_VALGRIND
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(low, size));
#endif
}

const char* why_no_switch() noexcept {
#if defined(WEFT_INLINE_SWITCH) && defined(__x86_64__)
  // Zero where shadow stacks are off or unknown: then it does nothing.
  unsigned long shadow = 0;
  asm("rdsspq %0" : "+r"(shadow));
  if (shadow != 0)
    return "this thread has a shadow stack, which no inline switch can follow; "
           "build weft with --config=fcontext, or run without user shadow "
           "stacks (GLIBC_TUNABLES=glibc.cpu.x86_shstk=off)";
#endif
  return nullptr;
}

}  // namespace weft
