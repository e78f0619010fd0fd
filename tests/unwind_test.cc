// SPDX-License-Identifier: BSL-1.0
// Where a tasklet's stack ends, for all who walk it: an exception's search for
// a handler, backtraces, profilers that follow frame pointers.
#include <unwind.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/flow.h"
#include "weft/tests/support/in_child.h"

namespace {

using namespace weft;

// No stack is larger here, under sanitizers either.
constexpr std::uintptr_t largest = 256 << 10;

// 0: the scheduler's class, which begins on the launch pad.
std::size_t stack_sizes() {
  return GENERATE(std::size_t{0}, std::size_t{32} << 10);
}

struct walk {
  std::uintptr_t first = 0;  // stack pointers of the innermost frame's caller
  std::uintptr_t last = 0;   // and of the outermost's
  std::uintptr_t ended_in = 0;
  int frames = 0;
  bool outwards = true;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* frame, void* into) {
  auto& w = *static_cast<walk*>(into);
  const std::uintptr_t at = _Unwind_GetIP(frame);
  if (at == 0) return _URC_NO_REASON;  // libgcc's word for the end
  const std::uintptr_t stack = _Unwind_GetCFA(frame);
  if (w.frames == 0) w.first = stack;
  w.outwards = w.outwards && stack >= w.last;
  w.last = stack;
  w.ended_in = at;
  return ++w.frames < 100 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

[[gnu::noinline]] _Unwind_Reason_Code walk_from(int depth, walk& w) {
  const _Unwind_Reason_Code code =
      depth == 0 ? _Unwind_Backtrace(&note_frame, &w) : walk_from(depth - 1, w);
  asm volatile("" : : : "memory");  // no tail call
  return code;
}

#ifdef WEFT_INLINE_SWITCH

TEST_CASE("a backtrace in a tasklet ends where its stack does") {
  const scheduler s;
  const std::size_t size = stack_sizes();
  walk before;
  walk after;
  std::array<_Unwind_Reason_Code, 2> codes{};
  spawn({.stack_size = size}, [&] {
    codes[0] = walk_from(5, before);
    yield();
    codes[1] = walk_from(5, after);
  });
  run();
  for (const _Unwind_Reason_Code code : codes) CHECK(code == _URC_END_OF_STACK);
  for (const walk& w : {before, after}) {
    CHECK(w.frames > 6);
    CHECK(w.outwards);
    CHECK(w.last - w.first < largest);
    const auto begin = reinterpret_cast<std::uintptr_t>(&weft_begin);
    CHECK(w.ended_in - begin < 32);
  }
}

#endif

// Whoever passes -fno-omit-frame-pointer for all of weft says so.
#if !defined(__OPTIMIZE__) || defined(WEFT_FRAME_POINTERS)

// How many links the chain of frame pointers has until its null; -1 where it
// leads elsewhere.
[[gnu::noinline]] int frame_pointers() {
  const auto* at = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  const auto first = reinterpret_cast<std::uintptr_t>(at);
  for (int n = 0; n < 100; ++n) {
    const std::uintptr_t next = *at;
    if (next == 0) return n;
    if (next <= reinterpret_cast<std::uintptr_t>(at) ||
        next - first > largest || next % sizeof(void*) != 0)
      return -1;
    at = reinterpret_cast<std::uintptr_t*>(next);  // NOLINT: it is an address
  }
  return -1;
}

TEST_CASE("the chain of frame pointers in a tasklet ends in null") {
  const scheduler s;
  const std::size_t size = stack_sizes();
  int before = -1;
  int after = -1;
  spawn({.stack_size = size}, [&] {
    before = frame_pointers();
    yield();
    after = frame_pointers();
  });
  run();
  CHECK(before > 0);
  CHECK(after == before);
}

#endif

[[gnu::noinline]] void throws(int depth) {
  if (depth == 0) throw depth;
  throws(depth - 1);
  asm volatile("" : : : "memory");
}

TEST_CASE(
    "an exception that meets a noexcept function in a tasklet terminates") {
  const std::size_t size = stack_sizes();
  const auto e = weft_test::in_child([size] {
    const scheduler s;
    spawn({.stack_size = size}, []() noexcept {
      yield();
      throws(3);
    });
    run();
  });
  CHECK(e.by_signal(SIGABRT));
  CHECK(e.said.find("terminate called") != std::string::npos);
}

#ifdef WEFT_INLINE_SWITCH

struct side : flow {};

void lets_out(side*, side&) { throws(3); }

TEST_CASE("an exception that finds no handler in a flow terminates") {
  alignas(64) static std::array<char, largest> ground;
  const auto e = weft_test::in_child([] {
    side here;
    side there;
    adopt(here);
    there.prepare<side, side, &lets_out>(ground.data(),
                                         ground.data() + ground.size());
    side* carried = &here;
    side* to = &there;
    flow::switch_to(carried, &here, to);
  });
  CHECK(e.by_signal(SIGABRT));
  CHECK(e.said.find("terminate called") != std::string::npos);
}

#endif

}  // namespace
