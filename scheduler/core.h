// SPDX-License-Identifier: BSL-1.0
// Private: all of a scheduler's state, and the parts of its work that are not
// on the path of an ordinary switch.
//
//   core.cc       choosing the next, switching with something unusual afoot
//   life.cc       start and end of a tasklet
//   kill.cc       kill
//   run.cc        run() and its budgets
//   stacks.cc     what is known of stacks, and giving memory back
//   scheduler.cc  birth and shutdown of the scheduler
//   census.cc     what is alive
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/idle_driver.h"
#include "weft/scheduler/overflow.h"
#include "weft/scheduler/run_result.h"
#include "weft/scheduler/stack_survey.h"
#include "weft/scheduler/stack_use.h"
#include "weft/scheduler/thread_driver.h"
#include "weft/scheduler/timer_heap.h"
#include "weft/tasklet/descriptor_pool.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

// The reason of a wait_record whose slot is a run_frame.
inline constexpr char run_reason[] = "run";

// One active run(): its caller is parked until the frame is taken off the list.
struct run_frame {
  run_frame* outer = nullptr;
  control_block* who;
  bool limited = false;
  std::uint64_t switches_left = ~std::uint64_t{0};
  std::optional<idle_driver::clock::time_point> deadline;
  std::uint64_t switches = 0;  // counted while a budget is active
  bool listed = false;
  run_result::reason why = run_result::drained;
  std::exception_ptr failure;  // what escaped a tasklet
};

// What stands for the scheduler on a thread that has none.
dispatcher* no_dispatcher() noexcept;

struct scheduler_options;

struct core : dispatcher {
  explicit core(const scheduler_options& options);
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core();

  // The scheduler of this thread. Throws no_scheduler.
  static core& here();
  // The one of the dispatcher that it is the rest of.
  // Requires: not the dummy of a thread without a scheduler.
  static core& of(dispatcher* s) { return *static_cast<core*>(s); }

  // ---- run.cc
  run_result run(run_frame& f, std::source_location where);
  void drop_frame(run_frame& f) noexcept;
  // Takes the frame off the list; its caller may go on.
  control_block* end_run(run_frame& f, run_result::reason why) noexcept;
  // Counts a switch to `n` against the budgets; gives who runs instead if one
  // is spent.
  control_block* spend(control_block* n) noexcept;
  [[nodiscard]] run_frame* innermost_limited() const;
  [[nodiscard]] run_result describe(const run_frame& f) const;

  // ---- core.cc
  // What stands between choosing `n` and switching to it.
  control_block* intercept(control_block* n) noexcept;
  // Looks at timers and the driver; what is ready becomes runnable.
  void poll_sources() noexcept;
  // After a pop that gave null: a tombstone, or the marker that asks to poll.
  void popped_null() noexcept;
  [[nodiscard]] bool has_sources() const {
    return !timers.empty() || driver->expects();
  }
  [[nodiscard]] std::size_t parked() const;
  // What to throw out of the operation that `w` parks.
  [[nodiscard]] static deadlock_error deadlock(const wait_record& w);
  static std::string describe(const descriptor& d);
  static std::string describe(const spawn_site& site);
  void idle() noexcept;

  // ---- life.cc
  static void prepare_seed(descriptor& d) noexcept;
  // Gives a target that needs one its stack.
  control_block* ready(control_block* n) noexcept;
  control_block* start(descriptor& d) noexcept;
  [[gnu::cold]] control_block* start_in_vain(descriptor& d) noexcept;
  static void fail(dispatcher* s, control_block& me) noexcept;
  void restock() noexcept;
  static control_block* build(descriptor& d, void* place) noexcept;
  static void launch(dispatcher* s, control_block& seed) noexcept;
  static void enter(dispatcher* s, control_block& me) noexcept;
  [[noreturn]] void finish(control_block& me,
                           std::exception_ptr& failure) noexcept;
  // Tells those who care of the end and frees the descriptor. Gives who has to
  // run at once, or null. Leaves `failure` empty.
  [[gnu::always_inline]] control_block* settle(
      descriptor& d, std::exception_ptr& failure) noexcept {
    control_block* heir = nullptr;
    if (failure) [[unlikely]]
      heir = pass_on(d, failure);
    while (!d.joiners.empty())
      queue.push(unlink(d.joiners.front(), d.joiners, +1));
    d.id = 0;
    if (d.name || d.thrown) [[unlikely]]
      forget_details(d);
    --live;
    free_descriptor(&d);
    return heir;
  }
  control_block* pass_on(descriptor& d, std::exception_ptr& failure) noexcept;
  control_block* deliver_failure(const descriptor& d,
                                 const std::exception_ptr& failure) noexcept;
  // As next(); where nothing can run, main is told of the deadlock.
  control_block* next_or_tell_main() noexcept;
  [[gnu::cold]] control_block* tell_main() noexcept;
  static void forget_details(descriptor& d) noexcept;
  static void report_failure(const std::string& who,
                             const std::exception_ptr& failure) noexcept;
  // The stack that the next start begins on, or, without launches, that the
  // last end was made on.
  void take_spare() noexcept;
  void give_back_spare() noexcept;
  void retire(control_block& me, stack ground) noexcept;
  void prepare_starts();
  void end_starts() noexcept;
  [[nodiscard]] std::size_t stacks_in_use() const;
  [[nodiscard]] bool has_spare() const {
#ifdef WEFT_LAUNCHES
    return pad.ground != nullptr;
#else
    return retired != nullptr;
#endif
  }

  // What is asked of a stack when its tasklet ends.
  void inspect(const descriptor& d) const noexcept;

  // ---- stacks.cc
  void trim() noexcept;
  [[nodiscard]] std::vector<stack_use> stack_uses();

  // ---- kill.cc
  void rehearse_kill() const;
  void kill(descriptor& d, bool now);
  void end_unstarted(descriptor& d) noexcept;
  void run_now(control_block* t);
  // A kill of the current tasklet must wait.
  [[nodiscard]] bool held_back(const descriptor& d) const;
  // A kill of a suspended one must.
  [[nodiscard]] static bool held_back_away(const control_block& t);
  // Throws what is due to the current tasklet, unless that must wait.
  void raise_due(control_block* me);
  void watch_current() noexcept;
  void unwatch() noexcept;

  // ---- scheduler.cc
  void shutdown() noexcept;
  bool kill_all() noexcept;
  void forsake(descriptor& d) noexcept;
  [[noreturn]] void abandon(control_block& me) noexcept;

  // ---- census.cc
  void enlist();
  void delist() noexcept;
  static void count_abandoned() noexcept;

  stack_pool stacks;
  stack last_resort;
  std::unique_ptr<stack_survey> survey;  // where stacks are measured
  std::unique_ptr<overflow_watch> overflows;
  descriptor_pool descriptors;
#ifndef WEFT_LAUNCHES
  control_block* retired = nullptr;  // ended, and perhaps still stood upon
  stack retired_ground;
#endif
  run_frame* frames = nullptr;  // innermost first; main's is outermost
  timer_heap timers;
  thread_driver own_driver;
  idle_driver* driver;
  std::uint64_t last_poll = 0;  // position in the run queue
  control_block main_block;
  descriptor* main = nullptr;
  std::deque<std::exception_ptr> failures;  // to be raised in main
};

}  // namespace weft
