// SPDX-License-Identifier: BSL-1.0
// Counts what the program allocates. Included by one file of a program: it
// replaces operator new.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace weft_test {

inline std::size_t allocations_made = 0;

// So far.
inline std::size_t allocations() { return allocations_made; }

}  // namespace weft_test

// Not inlined, or g++ takes malloc() and delete for a pair that does not fit.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++weft_test::allocations_made;
  if (void* p = std::malloc(size != 0 ? size : 1)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size,
                                     const std::nothrow_t&) noexcept {
  ++weft_test::allocations_made;
  return std::malloc(size != 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
