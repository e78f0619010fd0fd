// SPDX-License-Identifier: BSL-1.0
// Where contexts begin. The entry is entered by a jump, with a return address
// where all stacks end: whoever walks one (a debugger, an exception's search
// for a handler, a profiler that follows frame pointers) finds no caller there.
// A call would leave an entry in the processor's stack of return addresses that
// no return takes off, and so mislead every return that follows.
#include "weft/tasklet/context.h"

// Every object asks for the tag, and so for this file. gcc's link-time
// optimisation does not see what assembly defines, and would leave the file in
// its archive.
extern "C" {
const char WEFT_BUILD_TAG = 0;
}

#if defined(WEFT_INLINE_SWITCH)
static_assert(offsetof(weft::resume_point, stack) == 0);
static_assert(offsetof(weft::resume_point, frame) == 8);
static_assert(offsetof(weft::resume_point, address) == 16);
static_assert(offsetof(weft::resume_point, base) == 24);
static_assert(offsetof(weft::launch_pad, ground) == 0);

#if defined(__x86_64__)
asm(R"(
  .text
  .p2align 4
  .globl weft_launch
  .type weft_launch, @function
weft_launch:
  .cfi_startproc
  .cfi_undefined rip
  endbr64
  movq (%rdi), %rsp
  jmp 1f
  .cfi_endproc
  .size weft_launch, . - weft_launch

  .p2align 4
  .globl weft_begin
  .type weft_begin, @function
weft_begin:
  .cfi_startproc
  .cfi_undefined rip
  endbr64
1:
  leaq 2f(%rip), %rax
  pushq %rax
  jmpq *%rbx
  nop
2:
  ud2
  .cfi_endproc
  .size weft_begin, . - weft_begin
)");
#elif defined(__aarch64__)
asm(R"(
  .text
  .p2align 4
  .globl weft_launch
  .type weft_launch, %function
weft_launch:
  .cfi_startproc
  .cfi_undefined x30
  hint #36
  ldr x4, [x0]
  mov sp, x4
  b 1f
  .cfi_endproc
  .size weft_launch, . - weft_launch

  .p2align 4
  .globl weft_begin
  .type weft_begin, %function
weft_begin:
  .cfi_startproc
  .cfi_undefined x30
  hint #36
1:
  adr x30, 2f
  mov x16, x19
  br x16
  nop
2:
  brk #1
  .cfi_endproc
  .size weft_begin, . - weft_begin
)");
#endif
#endif
