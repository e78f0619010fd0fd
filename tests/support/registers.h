// SPDX-License-Identifier: BSL-1.0
// What a compiler keeps in registers across a blocking call, and what others
// leave in them meanwhile.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace weft_test {

// Leaves ones in every register but the stack and frame pointer.
[[gnu::always_inline]] inline void trash_registers() {
#if defined(__x86_64__)
  asm volatile(
      ".irp r, ax, bx, cx, dx, si, di, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "movq $-1, %%r\\r\n\t"
      ".endr\n\t"
      ".irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "pcmpeqd %%xmm\\r, %%xmm\\r\n\t"
      ".endr\n\t"
      ".rept 8\n\t"
      "fldpi\n\t"
      ".endr\n\t"
      "emms"
      :
      :
      : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
        "r12", "r13", "r14", "r15", "cc", "st", "st(1)", "st(2)", "st(3)",
        "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3", "mm4",
        "mm5", "mm6", "mm7", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
        "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
        "xmm14", "xmm15");
#elif defined(__aarch64__)
  asm volatile(
      ".irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17\n\t"
      "mov x\\r, #-1\n\t"
      ".endr\n\t"
      ".irp r, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30\n\t"
      "mov x\\r, #-1\n\t"
      ".endr\n\t"
      ".irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "movi v\\r\\().16b, #255\n\t"
      ".endr\n\t"
      ".irp r, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, "
      "31\n\t"
      "movi v\\r\\().16b, #255\n\t"
      ".endr"
      :
      :
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
        "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20",
        "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "cc",
        "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
        "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
        "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",
        "v31");
#endif
}

// Keeps the first N of `from` in local variables while block() runs; what it
// gives depends on each of them and on their order.
template <std::size_t N, typename T, typename Block>
[[gnu::always_inline]] inline T mix_across(const T* from, Block& block) {
  if constexpr (N == 0) {
    block();
    return T{};
  } else {
    const T mine = from[N - 1];
    const T rest = mix_across<N - 1>(from, block);
    return rest + rest + mine;
  }
}

// 24 values of T, more than there are registers, are the same after block().
template <typename T, typename Block>
[[gnu::noinline]] bool values_survive(Block block) {
  constexpr std::size_t n = 24;
  T values[n];
  for (std::size_t i = 0; i < n; ++i)
    values[i] = T{} + static_cast<unsigned char>(i);
  const T* from = values;
  asm volatile("" : "+r"(from) : : "memory");  // The values are unknown now.

  auto nothing = [] {};
  const T before = mix_across<n>(from, nothing);
  auto block_and_forget = [&] {
    block();
    std::memset(values, 0, sizeof values);
    asm volatile("" : : "r"(from) : "memory");
  };
  const T after = mix_across<n>(from, block_and_forget);
  if constexpr (std::is_arithmetic_v<T>) {
    return before == after;
  } else {
    return std::memcmp(&before, &after, sizeof before) == 0;
  }
}

}  // namespace weft_test
