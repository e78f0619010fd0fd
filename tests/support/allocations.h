// SPDX-License-Identifier: BSL-1.0
// Counts what the program allocates, and has it fail. Included by one file of a
// program: it replaces operator new.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace weft_test {

inline thread_local std::size_t allocations_made = 0;
// How many succeed before the one that fails.
inline thread_local std::size_t until_failure = ~std::size_t{0};

// So far, in this thread.
inline std::size_t allocations() { return allocations_made; }

inline void* allocate(std::size_t size) {
  ++allocations_made;
  if (until_failure-- == 0) return nullptr;
  return std::malloc(size != 0 ? size : 1);
}

}  // namespace weft_test

// NOLINTBEGIN(misc-definitions-in-headers): one file of a program has it.
// Not inlined, or g++ takes malloc() and delete for a pair that does not fit.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* p = weft_test::allocate(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size,
                                     const std::nothrow_t&) noexcept {
  return weft_test::allocate(size);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
// NOLINTEND(misc-definitions-in-headers)
