// SPDX-License-Identifier: BSL-1.0
// Private: how a switch is made. The only file that names Boost.Context and the
// sanitizers' fiber hooks; flow.h is what the rest of weft sees of it.
//
// Invariants:
// - A suspended context's `place` says where it goes on; a running one's is
// stale.
// - Whoever arrives records the place of whoever left: the jump carries a
// pointer
//   to both contexts, which lives on the stack that was left.
// - A context that was left for the last time is written to once more, by the
//   arriving side: its memory stays valid until another switch has been made.
#pragma once

#include <boost/context/detail/fcontext.hpp>
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

namespace weft {

struct context {
  void* place = nullptr;
  void (*entry)(context&) = nullptr;
  context* left_for = nullptr;  // whom it switched to
#ifdef WEFT_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake_stack = nullptr;
#endif
#ifdef WEFT_TSAN
  void* fiber = nullptr;
#endif
};

// Tells memory checkers of a range that serves as a stack from now on, once.
void announce_stack(void* low, void* high) noexcept;

// Forgets what frames that were left behind on a stack told the checkers.
void forget_frames(void* low, void* high) noexcept;

// The sanitizers' hooks; nothing without them. Inlined into whoever jumps: a
// function of its own that ThreadSanitizer sees would be left on another fiber
// than it was entered on.
[[gnu::always_inline]] inline void before_jump([[maybe_unused]] context& from,
                                               [[maybe_unused]] context& to,
                                               [[maybe_unused]] bool for_ever) {
#ifdef WEFT_ASAN
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &from.fake_stack,
                                 to.bottom, to.size);
#endif
#ifdef WEFT_TSAN
  __tsan_switch_to_fiber(to.fiber, 0);
#endif
}

[[gnu::always_inline]] inline void after_jump(
    boost::context::detail::transfer_t arrival,
    [[maybe_unused]] context* self_if_resumed) {
  context& left = *static_cast<context*>(arrival.data);
  left.place = arrival.fctx;
#ifdef WEFT_ASAN
  __sanitizer_finish_switch_fiber(
      self_if_resumed ? self_if_resumed->fake_stack : nullptr, &left.bottom,
      &left.size);
#endif
}

// Makes `self` the context of the code that runs now on this thread.
inline void adopt([[maybe_unused]] context& self) {
#ifdef WEFT_TSAN
  self.fiber = __tsan_get_current_fiber();
#endif
}

// Where every flow begins.
[[noreturn]] inline void begin_context(
    boost::context::detail::transfer_t arrival) noexcept {
  context& self = *static_cast<context*>(arrival.data)->left_for;
  after_jump(arrival, nullptr);
  self.entry(self);
  std::abort();  // An entry leaves by leave_context().
}

// Makes `self` a flow that begins with entry(self) on the stack [low, high).
// Requires: entry does not return. Does not throw.
inline void prepare_context(context& self, const char* low, char* high,
                            void (*entry)(context&)) {
  const auto size = static_cast<std::size_t>(high - low);
  self.entry = entry;
  self.place =
      boost::context::detail::make_fcontext(high, size, &begin_context);
#ifdef WEFT_ASAN
  self.bottom = low;
  self.size = size;
#endif
#ifdef WEFT_TSAN
  self.fiber = __tsan_create_fiber(0);
#endif
}

// Drops what a context that was left for ever still holds.
// Requires: another switch has been made since.
inline void discard_context([[maybe_unused]] context& self) {
#ifdef WEFT_TSAN
  __tsan_destroy_fiber(self.fiber);
#endif
}

// Suspends the caller in `from` and goes on in `to`; returns when somebody
// switches to `from`.
[[gnu::always_inline]] inline void switch_context(context& from, context& to) {
  from.left_for = &to;
  before_jump(from, to, false);
  after_jump(boost::context::detail::jump_fcontext(to.place, &from), &from);
}

// As switch_context(), but `from` is never resumed.
[[noreturn, gnu::always_inline]] inline void leave_context(context& from,
                                                           context& to) {
  from.left_for = &to;
  before_jump(from, to, true);
  boost::context::detail::jump_fcontext(to.place, &from);
  std::abort();
}

}  // namespace weft
