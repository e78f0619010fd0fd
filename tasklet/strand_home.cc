// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/strand_home.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "weft/tasklet/error.h"
#include "weft/tasklet/generator_flow.h"
#include "weft/tasklet/greenlet_core.h"
#include "weft/tasklet/stderr_line.h"

__attribute__((
    used)) constinit thread_local weft::strand_home* weft_this_strand_home =
    nullptr;

namespace weft {

unsigned long strand_home::this_thread() {
  return static_cast<unsigned long>(syscall(SYS_gettid));
}

strand_home::strand_home()
    : exceptions_(thread_exception_state()),
      current_(&own_current_),
      thread_(this_thread()) {
  own_block_.who = &own_;
  own_.block = &own_block_;
}

// A strand that lives on keeps the home: its stack is there. So does a
// scheduler. Either may be a static object, which main's thread destroys after
// this.
struct strand_home::at_thread_end {
  strand_home* home = nullptr;
  ~at_thread_end() {
    greenlet_core::end_all(home->own_.strands);
    {
      const std::lock_guard lock(home->forsaking_);
      home->over_ = true;
    }
    greenlet_core::end_forsaken(*home);  // Those that came meanwhile.
    if (home->stacks_.taken() == 0 && home->greenlets_ == 0 &&
        home->current_ == &home->own_current_) {
      weft_this_strand_home = nullptr;
      delete home;
    } else {
      keep(home);
    }
  }
  static void keep(strand_home* orphan) {
    static std::atomic<strand_home*> orphans;  // which are no leak
    orphan->next_orphan_ = orphans.exchange(orphan);
  }
};

strand_home& strand_home::make() {
  static thread_local at_thread_end guard;
  guard.home = new strand_home;
  weft_this_strand_home = guard.home;
  return *guard.home;
}

stack strand_home::take(std::uint32_t size_class) {
  const stack s = stacks_.take(size_class);
  if (s.top == nullptr) throw std::bad_alloc();
  return s;
}

void strand_home::inspect(stack s) const noexcept {
  if (stacks_.guard().intact(s.end())) return;
  stderr_line() << "a generator or greenlet has overflowed its stack of "
                << std::uint64_t{s.size()} << " bytes";
  std::abort();
}

stack running_stack(const strand_place& place) noexcept {
  if (place.innermost != nullptr) return place.innermost->ground;
  return place.greenlet != nullptr ? place.greenlet->ground() : stack{};
}

void strand_home::enter(control_block** current) noexcept {
  (*current)->who->strands = std::exchange(own_.strands, {});
  current_ = current;
}

void strand_home::leave() noexcept {
  own_.strands = std::exchange((*current_)->who->strands, {});
  current_ = &own_current_;
}

bool strand_home::forsake(greenlet_core* g) noexcept {
  const std::lock_guard lock(forsaking_);
  if (over_) return false;
  g->next_forsaken = forsaken_.load(std::memory_order_relaxed);
  forsaken_.store(g, std::memory_order_relaxed);
  return true;
}

greenlet_core* strand_home::take_forsaken() noexcept {
  const std::lock_guard lock(forsaking_);
  return forsaken_.exchange(nullptr, std::memory_order_relaxed);
}

void strand_home::throw_wrong_thread(const char* strand) const {
  throw wrong_thread(std::string("weft: this ") + strand +
                     " belongs to thread " + std::to_string(thread_) +
                     " and cannot be used in thread " +
                     std::to_string(this_thread()));
}

}  // namespace weft
