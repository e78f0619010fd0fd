// SPDX-License-Identifier: BSL-1.0
// Private: what the generators and greenlets of one thread share: stacks, and
// how to find where the running code is.
//
// A strand (a generator or a greenlet) runs on a stack of its own, but it is
// the tasklet that runs: one that blocks inside of a strand is suspended there
// and goes on there, since a switch between tasklets saves where it is made and
// asks nothing else.
//
// Thread safety: each thread has its own. It outlives the strands that have
//                taken a stack of it, even beyond the end of its thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

#include "weft/tasklet/control_block.h"
#include "weft/tasklet/exception_state.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tasklet/strand_place.h"

namespace weft {

// How often a strand may refuse to end before it is given up.
inline constexpr int patience = 16;

class strand_home;

}  // namespace weft

extern "C" constinit thread_local weft::strand_home* weft_this_strand_home
    __attribute__((tls_model("initial-exec")));

namespace weft {

class strand_home {
 public:
  // This thread's. Throws std::bad_alloc.
  static strand_home& here() {
    strand_home* h = weft_this_strand_home;
    return h != nullptr ? *h : make();
  }
  strand_home(const strand_home&) = delete;
  strand_home& operator=(const strand_home&) = delete;

  // The tasklet that runs, or what stands for the thread, if that has no
  // scheduler; and where it is.
  [[nodiscard]] descriptor& who() const { return *(*current_)->who; }
  [[nodiscard]] strand_place& place() const { return who().strands; }
  [[nodiscard]] bool is_here() const { return this == weft_this_strand_home; }
  // The system's number of its thread, and of this one.
  [[nodiscard]] unsigned long thread() const { return thread_; }
  static unsigned long this_thread();
  // That of its thread has changed, by a fork().
  void renumber() { thread_ = this_thread(); }
  [[nodiscard]] exception_state& exceptions() const { return *exceptions_; }
  // What runs is unwound, or handles a kill, which holds kills back.
  [[nodiscard]] bool unwinds() const {
    return exceptions_->uncaught != 0 ||
           (who().exits_alive != 0 && exceptions_->caught != nullptr);
  }

  // Throw std::bad_alloc where the system gives no more memory.
  stack take(std::uint32_t size_class);
  // Stops the program where the stack has overflowed and had no guard page.
  void give(stack s) noexcept {
    if (stacks_.guard().must_be_asked()) [[unlikely]]
      inspect(s);
    stacks_.give(s);
  }
  [[nodiscard]] std::size_t stacks_taken() const { return stacks_.taken(); }

  // A scheduler says where it keeps its current tasklet, whose place this one
  // becomes; and takes that back.
  void enter(control_block** current) noexcept;
  void leave() noexcept;

  // Greenlets keep the home as long as they live.
  void join() noexcept { greenlets_.fetch_add(1, std::memory_order_relaxed); }
  void part() noexcept { greenlets_.fetch_sub(1, std::memory_order_release); }
  // From any thread: this one has to drop `g`. False: it has ended.
  bool forsake(greenlet_core* g) noexcept;
  // All who have been forsaken, linked; and none any more.
  greenlet_core* take_forsaken() noexcept;
  [[nodiscard]] bool has_forsaken() const {
    return forsaken_.load(std::memory_order_relaxed) != nullptr;
  }

  // Who is told of switches between greenlets.
  std::shared_ptr<void> trace;

  // Says what is wrong with a strand that another thread made.
  [[noreturn]] void throw_wrong_thread(const char* strand) const;

 private:
  struct at_thread_end;
  strand_home();
  ~strand_home() = default;
  static strand_home& make();
  void inspect(stack s) const noexcept;

  stack_pool stacks_;
  exception_state* exceptions_;
  control_block** current_;
  // What stands for the current tasklet on a thread without a scheduler.
  control_block own_block_;
  descriptor own_;
  control_block* own_current_ = &own_block_;
  unsigned long thread_;
  strand_home* next_orphan_ = nullptr;
  std::atomic<std::size_t> greenlets_ = 0;
  std::mutex forsaking_;
  std::atomic<greenlet_core*> forsaken_ = nullptr;  // written under the lock
  bool over_ = false;                               // the same
};

// The stack of the strand that runs there; no top: none does.
stack running_stack(const strand_place& place) noexcept;

}  // namespace weft
