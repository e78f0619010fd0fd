// SPDX-License-Identifier: BSL-1.0
// The safe way to use wide vectors beside blocking calls: the whole file is
// compiled for them. A program of its own, because whatever is inlined in here
// is compiled for them, too, and must not run where the processor lacks them.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/registers.h"

namespace {

using namespace weft;

#ifdef __AVX512F__
constexpr char needs[] = "AVX-512";
constexpr int width = 64;
[[gnu::always_inline]] inline void trash_wide() {
  asm volatile(
      ".irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "vpternlogd $255, %%zmm\\r, %%zmm\\r, %%zmm\\r\n\t"
      ".endr\n\t"
      ".irp r, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, "
      "31\n\t"
      "vpternlogd $255, %%zmm\\r, %%zmm\\r, %%zmm\\r\n\t"
      ".endr\n\t"
      ".irp r, 0, 1, 2, 3, 4, 5, 6, 7\n\t"
      "kxnorw %%k\\r, %%k\\r, %%k\\r\n\t"
      ".endr"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16",
        "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",
        "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0",
        "k1", "k2", "k3", "k4", "k5", "k6", "k7");
}
#else
constexpr char needs[] = "AVX2";
constexpr int width = 32;
[[gnu::always_inline]] inline void trash_wide() {
  asm volatile(
      ".irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "vpcmpeqd %%ymm\\r, %%ymm\\r, %%ymm\\r\n\t"
      ".endr"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#endif

using doubles = double __attribute__((vector_size(width)));

[[gnu::noinline]] bool runs_here() {
#ifdef __AVX512F__
  return __builtin_cpu_supports("avx512f");
#else
  return __builtin_cpu_supports("avx2");
#endif
}

void check(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "wide_vector_test: not so: %s\n", law);
  std::exit(1);
}

void vandalize() {
  for (;;) {
    trash_wide();
    yield();
  }
}

void vectors_survive() {
  const scheduler s;
  spawn(vandalize);
  spawn([] {
    check(weft_test::values_survive<doubles>([] { yield(); }),
          "vectors are the same after a blocking call");
  }).join();
}

#ifdef __AVX512F__

// Masks lie in registers that nothing else uses.
[[gnu::noinline]] std::uint32_t masks_across_yield() {
  std::uint16_t masks[8];
  for (unsigned i = 0; i < 8; ++i)
    asm volatile("kmovw %1, %0" : "=k"(masks[i]) : "r"(1U << i));
  yield();
  std::uint32_t sum = 0;
  for (const std::uint16_t& mask : masks) {
    std::uint32_t word;
    asm volatile("kmovw %1, %0" : "=r"(word) : "k"(mask));
    sum += word;
  }
  return sum;
}

void masks_survive() {
  const scheduler s;
  spawn(vandalize);
  spawn([] {
    check(masks_across_yield() == 255,
          "masks are the same after a blocking call");
  }).join();
}

#else

// Dirty ones would slow SSE code of another tasklet.
void upper_halves_are_clean() {
  const scheduler s;
  spawn(vandalize);
  spawn([] {
    for (int i = 0; i < 3; ++i) {
      yield();
      std::uint64_t upper[2];
      asm volatile(
          "vextractf128 $1, %%ymm15, %%xmm0\n\t"
          "vmovups %%xmm0, %0"
          : "=m"(upper)
          :
          : "xmm0");
      check((upper[0] | upper[1]) == 0,
            "a switch leaves the upper halves of vector registers clean");
    }
  }).join();
}

#endif

[[gnu::noinline]] void test_all() {
  vectors_survive();
#ifdef __AVX512F__
  masks_survive();
#else
  upper_halves_are_clean();
#endif
}

}  // namespace

int main() {
  if (runs_here()) {
    test_all();
  } else {
    std::printf("skipped: this processor has no %s\n", needs);
  }
}
