// SPDX-License-Identifier: BSL-1.0
// Private: how a switch is made. It has two backends, the inline switch and
// Boost.Context's fcontext, and tells the sanitizers of every switch; flow.h is
// what the rest of weft sees of it.
//
//   WEFT_INLINE_SWITCH    the backend is inline_switch.h, not
//                         fcontext_switch.h
//   WEFT_FCONTEXT         set by the build: fcontext even where the other would
//                         do
//   WEFT_ASAN, WEFT_TSAN  which sanitizer the file is compiled for
#pragma once

#include <cstddef>
#include <cstdlib>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(WEFT_ASAN)
#define WEFT_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(WEFT_TSAN)
#define WEFT_TSAN 1
#endif

#ifdef WEFT_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#if !defined(WEFT_FCONTEXT) && defined(__linux__) && \
    (defined(__x86_64__) || defined(__aarch64__))
#define WEFT_INLINE_SWITCH 1
#include "weft/tasklet/inline_switch.h"
#else
#include "weft/tasklet/fcontext_switch.h"
#endif
#include "weft/tasklet/build_tag.h"

// A context may begin on a launch pad, and one that is left for ever is not
// touched any more: its stack may be begun on at once.
#if defined(WEFT_INLINE_SWITCH) && !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
#define WEFT_LAUNCHES
#endif

namespace weft {

struct context : resume_point {
#ifdef WEFT_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake_stack = nullptr;
  context* left = nullptr;  // who switched here
#endif
#ifdef WEFT_TSAN
  void* fiber = nullptr;
#endif
};

// Tells memory checkers of a range that serves as a stack from now on,
void announce_stack(char* low, char* high) noexcept;
// and that it does no more.
void retract_stack(char* low, char* high) noexcept;

// Forgets what frames that were left behind on a stack told the checkers.
void forget_frames(void* low, void* high) noexcept;

// A sentence that says why no switch can be made in this process, or null.
const char* why_no_switch() noexcept;

// The sanitizers' hooks; nothing without them. Inlined into whoever jumps: a
// function of its own that ThreadSanitizer sees would be left on another fiber
// than it was entered on.
[[gnu::always_inline]] inline void before_jump([[maybe_unused]] context& from,
                                               [[maybe_unused]] context& to,
                                               [[maybe_unused]] bool for_ever) {
#ifdef WEFT_ASAN
  to.left = &from;
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &from.fake_stack,
                                 to.bottom, to.size);
#endif
#ifdef WEFT_TSAN
  // A tasklet may be suspended inside of a generator or a greenlet.
  from.fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.fiber, 0);
#endif
}

[[gnu::always_inline]] inline void after_jump([[maybe_unused]] context& self) {
#ifdef WEFT_ASAN
  __sanitizer_finish_switch_fiber(self.fake_stack, &self.left->bottom,
                                  &self.left->size);
#endif
}

// Makes `self` the context of the code that runs now on this thread.
inline void adopt([[maybe_unused]] context& self) {
#ifdef WEFT_TSAN
  self.fiber = __tsan_get_current_fiber();
#endif
}

// Makes `self` a context that begins with entry(carried, self) on the stack
// [low, high), where `carried` is what the switch to it carries.
// Requires: high is aligned to 16; entry calls after_jump() first, lets no
// exception out and ends with leave_context().
inline void prepare_context(context& self, const char* low, char* high,
                            switch_entry entry) {
  const auto size = static_cast<std::size_t>(high - low);
  prepare_switch(self, high, size, entry);
#ifdef WEFT_ASAN
  self.bottom = low;
  self.size = size;
  self.fake_stack = nullptr;
#endif
#ifdef WEFT_TSAN
  self.fiber = __tsan_create_fiber(0);
#endif
}

// The lowest byte that a suspended context still needs of its stack.
inline const char* lowest_in_use(const context& self) {
  // x86-64's red zone; there is none on aarch64, and fcontext pushes.
  constexpr std::ptrdiff_t red_zone = 128;
  return static_cast<const char*>(stack_pointer(self)) - red_zone;
}

// Drops what a context that was left for ever still holds.
// Requires: another switch has been made since.
inline void discard_context([[maybe_unused]] context& self) {
#ifdef WEFT_TSAN
  __tsan_destroy_fiber(self.fiber);
#endif
}

// Suspends the caller in `from` and goes on in `to`, which finds `carried`.
// Returns when somebody switches to `from`: then `to` is `from`, and `carried`
// what that one carried.
template <typename Carried, typename Context>
[[gnu::always_inline]] inline void switch_context(Carried*& carried,
                                                  Context* from, Context*& to) {
  before_jump(*from, *to, false);
  void* with = carried;
  void* there = to;
  jump(with, from, there);
  carried = static_cast<Carried*>(with);
  to = static_cast<Context*>(there);
  after_jump(*to);
}

// As switch_context(), but the caller is never resumed.
template <typename Carried, typename Context>
[[noreturn, gnu::always_inline]] inline void leave_context(
    Carried* carried, [[maybe_unused]] Context* from, Context* to) {
  before_jump(*from, *to, true);
#ifdef WEFT_INLINE_SWITCH
  jump_for_ever(carried, to);
#else
  void* with = carried;
  void* there = to;
  jump(with, from, there);
  std::abort();
#endif
}

}  // namespace weft
