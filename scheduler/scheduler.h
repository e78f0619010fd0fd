// SPDX-License-Identifier: BSL-1.0
// A scheduler runs the tasklets of one OS thread, round robin.
//
//   int main() {
//     weft::scheduler s;                      // main() is now a tasklet
//     weft::spawn([] { std::puts("two"); });
//     std::puts("one");
//     weft::run();                            // until nothing can run any more
//   }
//
// Making one binds it to the thread: the code that made it becomes its main
// tasklet, which may yield, send and receive like any other, and every free
// function below means this scheduler.
//
// Ordering:       first in, first out: spawn() and yield() append to the tail.
// Thread safety:  none; everything is called in the thread that made it. A
//                 tasklet never leaves that thread.
// Lifetime:       ends in the thread, and in the tasklet, that made it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <vector>

#include "weft/scheduler/callbacks.h"
#include "weft/scheduler/idle_driver.h"
#include "weft/scheduler/run_result.h"
#include "weft/scheduler/stack_use.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

struct core;

struct scheduler_options {
  // Of a tasklet that asks for nothing else, in bytes; rounded up to a power of
  // two.
  std::size_t stack_size = default_stack;
  // What to do when nothing is runnable; not owned. Null: the thread sleeps.
  idle_driver* driver = nullptr;
  // A tasklet that runs out of stack is named on stderr before the program ends
  // by SIGSEGV; other faults go where they went before. Needs the handler of
  // that signal, and gives the thread a signal stack if it has none.
  bool report_overflow = true;
  // Every start paints its stack, and every end looks at it: see stack_uses().
  // A start then costs some microseconds, and a whole stack of memory.
  bool measure_stacks = false;
  // While other threads may yet do something for it, it looks for that for so
  // long before it sleeps in the kernel, which takes some microseconds each way;
  // much shorter where that was in vain. Zero: it sleeps at once.
  std::chrono::nanoseconds spin = std::chrono::microseconds(50);
  // Of the choices of select() between cases that can happen at once. The same
  // program with the same seed makes the same ones.
  std::uint64_t seed = 0;
};

class scheduler {
 public:
  // Throws error where the thread has a scheduler already; std::bad_alloc;
  // std::invalid_argument for a stack size out of range, or an environment
  // variable WEFT_STACK_GUARD that is none of madvise, mprotect and zeros.
  scheduler() : scheduler(scheduler_options{}) {}
  explicit scheduler(const scheduler_options& options);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  // As shutdown().
  ~scheduler();

  // Runs tasklets until none is runnable and nothing can wake any, and says
  // what is left. The caller is parked meanwhile, outside the queue. Waits for
  // timers and for what the driver expects; where only a clock that stands
  // still could help, it returns idle. Runs nest: the innermost returns
  // first. Throws what escapes a tasklet that nobody joins; the rest stays
  // queued, and the next run() goes on with it. Also wrong_scheduler,
  // switch_trap_error, and tasklet_exit when killed. (Stackless: run.)
  run_result run(std::source_location where = std::source_location::current());

  // As run(), but comes back once `budget` is spent; the clock is read between
  // switches, and at least one is made. Who would have run next is the first to
  // run next time. Never sleeps: with nothing runnable it returns idle, or drained
  // where nothing can wake anyone.
  run_result run_for(
      std::chrono::nanoseconds budget,
      std::source_location where = std::source_location::current());

  // As run(), but comes back at `when` at the latest; it waits for it if need
  // be, unless nothing can wake anyone.
  run_result run_until(
      std::chrono::steady_clock::time_point when,
      std::source_location where = std::source_location::current());

  // As run_for(), with a budget of `switches` to tasklets, direct hand-overs of
  // a channel included.
  run_result run_n(std::uint64_t switches, std::source_location where =
                                               std::source_location::current());
  run_result run_one(
      std::source_location where = std::source_location::current()) {
    return run_n(1, where);
  }

  // Ends every tasklet and unbinds the thread; what follows throws
  // no_scheduler. Kills those that never started, then the runnable, the paused
  // and the blocked, each in spawn order, and runs them until none is left; what
  // they spawn is killed at once. One that waits inside a shield with nothing
  // left to wake it gets deadlock_error there; what escapes goes to the error
  // handler, else to stderr.
  // One that swallows 16 kills is reported and abandoned with its stack: the
  // only leak. Requires: called by the main tasklet; stops the program
  // otherwise.
  void shutdown() noexcept;

  // How long a tasklet may run before checkpoint() yields; zero: for ever, which
  // is the default. While it is set, every switch reads the clock.
  void set_time_slice(std::chrono::nanoseconds slice);

  // While it is on, switches are counted and timed: see tasklet::account() and
  // run_result::switches. Every switch then reads the clock.
  void set_accounting(bool on);

  // Who watches: see callbacks.h. Null: nobody. Give what was set before.
  // Unset, they cost nothing. Throw std::bad_alloc with nothing changed.
  schedule_callback set_schedule_callback(schedule_callback f);
  spawn_callback set_spawn_callback(spawn_callback f);
  end_callback set_end_callback(end_callback f);
  error_handler set_error_handler(error_handler f);

  // Gives memory back to the system: that of free stacks, and what parked and
  // runnable tasklets have used of theirs below where they stand now, but where
  // stacks are measured or they stand in a generator or greenlet, whose own stacks
  // are not touched. A
  // scheduler that is about to sleep for long does the first by itself, for
  // free stacks beyond twice the number in use.
  // Cost: a system call for every stack.
  void trim();

  // How deep tasklets have used their stacks, the deepest first; those that are
  // alive with what they have used so far. Empty unless measure_stacks was set.
  [[nodiscard]] std::vector<stack_use> stack_uses() const;

  // The tasklet that made the scheduler.
  [[nodiscard]] tasklet main() const;
  // Tasklets that have not ended, main not counted.
  [[nodiscard]] std::size_t live() const;
  // Tasklets in the run queue: the current one does not stand there.
  [[nodiscard]] std::size_t runnable() const;
  // Those, and the current one. (Stackless: getruncount.)
  [[nodiscard]] std::size_t run_count() const { return runnable() + 1; }

 private:
  [[nodiscard]] core& here() const;

  std::unique_ptr<core> core_;
};

// Of this thread's scheduler. Throw no_scheduler where there is none.
run_result run(std::source_location where = std::source_location::current());

// This thread's. Throws no_scheduler.
[[nodiscard]] scheduler& this_scheduler();

// The tasklet that runs. Throws no_scheduler.
[[nodiscard]] tasklet current();

}  // namespace weft
