// SPDX-License-Identifier: BSL-1.0
// Private: the two objects that a tasklet consists of.
//
//   descriptor  identity. In dense slabs that are reused but never unmapped, so
//               that a handle {descriptor, id} is valid for ever.
//   control     what a switch touches, one cache line. At the top of the stack,
//   block       beside the hottest frames, from the first run to the end;
//               before that the seed in the descriptor stands for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "weft/tasklet/account.h"
#include "weft/tasklet/callable.h"
#include "weft/tasklet/flow.h"
#include "weft/tasklet/heritage.h"
#include "weft/tasklet/shared_word.h"
#include "weft/tasklet/spawn_site.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tasklet/strand_place.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

struct descriptor;
class end_observer;
class interruption;

// Non-zero flags send whoever switches to or from the tasklet the long way.
enum tasklet_flag : std::uint32_t {
  needs_stack = 1,  // a seed that takes its stack before the switch to it
  killed = 2,       // sticky: raised at every operation until the tasklet ends
  thrown = 4,       // descriptor::thrown is to be raised when it goes on
  failure_due = 8,  // main only: a tasklet's failure is to be raised in it
  unwinding = 16,   // was left while an exception was on its way
  in_exit = 32,     // was left in a handler of its own kill
  injected = 64,    // descriptor::injected is to be raised when nothing forbids
  trapped = 128,    // it must not block
  interrupted = 512,  // one of descriptor::interruptions is due
  exited = 2048,      // a tasklet_exit has left it: it ends
  stands_in = 256,    // for a tasklet that is in its schedule callback
  cut_short = 1024,   // its operation was ended for what has interrupted it
  doomed = 4096,   // a seed that another thread has killed: ends when it begins
  run_out = 8192,  // its callable has been destroyed, and it has not ended yet
};

struct alignas(64) control_block : flow {
  std::uint32_t flags = 0;
  std::uint64_t position = 0;  // in the run queue, while it stands there
  wait_record* waiting =
      nullptr;  // what it is parked on; null: it is not parked
  descriptor* who = nullptr;
};

// A tasklet's account, and what is not settled yet.
struct ledger : account {
  std::chrono::steady_clock::time_point blocked_at;
  bool is_blocked = false;
};

struct descriptor {
  control_block seed;
  control_block* block = &seed;
  shared_word<std::uint64_t> id{0};  // 0: no tasklet
  // Its scheduler's core; where that has ended, the strand_home of its thread.
  shared_word<const void*> owner{nullptr};
  std::uint32_t stack_class = 0;
  std::uint16_t shields = 0;
  std::uint16_t exits_alive = 0;  // its kills that somebody is still handling
  std::uint32_t kills = 0;        // raised so far
  bool abandoned = false;         // outlived its scheduler: never reused
  bool detailed = false;          // one of what follows, to heritage, may be
  std::uint16_t atomics = 0;      // atomic sections that it is in
  std::unique_ptr<std::string> name;
  std::unique_ptr<ledger> books;
  std::exception_ptr thrown;              // the outcome of its operation
  std::exception_ptr injected;            // from outside: throw_exception()
  interruption* interruptions = nullptr;  // innermost first
  end_observer* observers = nullptr;      // of its end
  std::exception_ptr escaped;             // what ends it; see enter_flagged()
  spawn_site site;
  wait_queue joiners;
  belonging* heritage = nullptr;  // what it carries with it; newest first
  strand_place strands;
  descriptor* next_free = nullptr;
  callable body;
};
// Where there are a million, each line more costs: four, and the seed.
static_assert(sizeof(descriptor) - sizeof(control_block) <= 256);

// Its tasklet has run: it is no seed.
inline bool started(const control_block& t) { return &t != &t.who->seed; }

// The stack that a tasklet which has started stands on; not main's.
inline stack ground_of(const descriptor& d) {
  return {reinterpret_cast<char*>(d.block + 1), d.stack_class};
}

}  // namespace weft
