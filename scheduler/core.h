// SPDX-License-Identifier: BSL-1.0
// Private: all of a scheduler's state, and the parts of its work that are not
// on the path of an ordinary switch.
//
//   core.cc       choosing the next, switching with something unusual afoot
//   life.cc       start and end of a tasklet
//   kill.cc       kill, and other exceptions from outside
//   end_observer.cc  who is told of a tasklet's end
//   interruption.cc  what is to be raised in a tasklet when the time comes
//   inbox.cc      what other threads want of it
//   crossing.cc   waits that they may end
//   remote.cc     what handles want of another thread's
//   stop_guard.cc  stops that are asked for, in other threads too
//   select.cc     waiting for several things
//   sleep.cc      waits that end with the time
//   pause.cc      tasklets that stand nowhere
//   traps.cc      what forbids to block or to switch
//   run.cc        run() and its budgets
//   watch.cc      callbacks, accounting, time slices
//   standstill.cc  deadlocks of several schedulers
//   report.cc     who waits for what
//   stacks.cc     what is known of stacks, and giving memory back
//   scheduler.cc  birth and shutdown of the scheduler
//   census.cc     what is alive
//   wrong_scheduler.cc  what is used in another scheduler than its own
#pragma once

#include <any>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <iosfwd>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "weft/scheduler/callbacks.h"
#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/end_observer.h"
#include "weft/scheduler/idle_driver.h"
#include "weft/scheduler/inbox.h"
#include "weft/scheduler/interruption.h"
#include "weft/scheduler/overflow.h"
#include "weft/scheduler/run_result.h"
#include "weft/scheduler/stack_survey.h"
#include "weft/scheduler/stack_use.h"
#include "weft/scheduler/thread_driver.h"
#include "weft/scheduler/timer_wheel.h"
#include "weft/tasklet/descriptor_pool.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/tasklet/strand_home.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

// The reasons of wait_records whose slots are a run_frame, and a std::any.
inline constexpr char run_reason[] = "run";
inline constexpr char suspend_reason[] = "suspend";
inline constexpr char switch_reason[] = "switch_to";

// One active run(): its caller is parked until the frame is taken off the list.
struct run_frame {
  run_frame* outer = nullptr;
  control_block* who;
  bool limited = false;
  bool waits = false;  // for its deadline, if nothing is runnable
  std::uint64_t switches_left = ~std::uint64_t{0};
  std::optional<idle_driver::clock::time_point> deadline;
  std::uint64_t switches = 0;  // counted while a budget or the books are open
  std::uint64_t ended_before = 0;
  std::uint64_t order = 0;  // of the runs; main's come first
  bool listed = false;
  run_result::reason why = run_result::woken;
  std::exception_ptr failure;  // what escaped a tasklet
  tasklet failed;              // that one
};

// A failure that waits to be raised in main.
struct late_failure {
  tasklet who;
  std::exception_ptr what;
};

// What stands for the scheduler on a thread that has none.
dispatcher* no_dispatcher() noexcept;

class scheduler;
class stop_guard;
struct registry;
struct scheduler_options;

struct core : dispatcher {
  using time_point = idle_driver::clock::time_point;

  // Switches between two looks at the clock and the driver.
  static constexpr std::uint64_t poll_interval = 64;

  explicit core(const scheduler_options& options);
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core();

  // The scheduler of this thread. Throws no_scheduler.
  static core& present();
  // The same, for an operation on the tasklet that `d` describes, which is
  // alive. Throws wrong_scheduler, too.
  static core& owner_of(const descriptor& d);
  // As these, for one that may park or yield: they throw what is due, too.
  static core& here();
  static core& admitted(const descriptor& d);
  // The one of the dispatcher that it is the rest of.
  // Requires: not the dummy of a thread without a scheduler.
  static core& of(dispatcher* s) { return *static_cast<core*>(s); }

  // ---- run.cc
  run_result run(run_frame& f, std::source_location where);
  void drop_frame(run_frame& f) noexcept;
  void keep_failure(run_frame& f) noexcept;
  // Takes the frame off the list; its caller may go on.
  control_block* end_run(run_frame& f, run_result::reason why) noexcept;
  // Those that were begun after `f`, which somebody has woken, come back.
  void end_later_runs(const run_frame& f) noexcept;
  // Counts a switch from `me` to `n`; gives who runs instead if a budget is
  // spent.
  control_block* spend(const control_block* me, control_block* n) noexcept;
  // The outermost whose budget is spent, of those from `from` outwards.
  [[nodiscard]] run_frame* spent_frame(const control_block* me,
                                       run_frame* from) const;
  // The innermost that comes back rather than wait; null: all wait.
  [[nodiscard]] run_frame* impatient_frame() const;
  // Ends the outermost that has waited long enough.
  control_block* end_waiting_run() noexcept;
  [[nodiscard]] run_result describe(const run_frame& f) const;
  [[nodiscard]] std::uint64_t ended() const { return ids - ids_skipped - live; }

  // ---- core.cc
  // What stands between choosing `n` and leaving `me` for it. Null: nobody can
  // run.
  control_block* intercept(control_block* me, control_block* n) noexcept;
  // Looks at timers and the driver; what is ready becomes runnable.
  void poll_sources() noexcept;
  // Of a switch that passes the queue by, and never comes to its marker: one in
  // 64 does what that would have done.
  void pass_queue_by() noexcept {
    if (++passed_by % poll_interval == 0 && has_sources()) poll_sources();
  }
  // After a pop that gave null: a tombstone, or the marker that asks to poll.
  void popped_null() noexcept;
  [[nodiscard]] bool has_sources() const {
    return !timers.empty() || driver->expects() || stops_may_come();
  }
  // One of them may yet make somebody runnable while nobody runs.
  [[nodiscard]] bool may_come() const {
    return driver->expects() || stops_may_come() || mail_may_come() ||
           (!timers.empty() &&
            (driver->time_passes() || timers.next_deadline() <= driver->now()));
  }
  // Nothing is runnable and nothing can wake anyone: gives who goes on all the
  // same, because he waits for just that. Null: a deadlock.
  control_block* give_up() noexcept;

  // ---- what other threads want
  // Something that another thread does may yet make somebody runnable.
  [[nodiscard]] bool mail_may_come() const {
    // The flag last: who was outside may have posted something, then left.
    return awaited != 0 || crossings != 0 || hoped_for != 0 || patience != 0 ||
           (!flagged(closing) && mail->has_outsiders()) || flagged(has_mail);
  }
  void leave_crossing(wait_record& first) noexcept;
  // Looks for mail for a while, without sleeping. False: there is none.
  [[nodiscard]] bool spin(time_point until) const noexcept;
  // Until `deadline` by the driver, or, where there is a `look`, for so long of
  // real time.
  void sleep_for_mail(std::optional<time_point> deadline,
                      std::optional<std::chrono::nanoseconds> look) noexcept;
  [[nodiscard]] bool rests() const;

  // ---- standstill.cc
  bool rest() noexcept;
  static bool find_standstill(bool certain) noexcept;
  void note_others(const registry& r) noexcept;
  // Of each other scheduler in the report of a deadlock.
  static constexpr std::size_t lines_of_others = 100;

  // ---- stop_guard.cc
  [[nodiscard]] bool stops_may_come() const {
    return stop_guards != nullptr && !flagged(closing) && stops_possible();
  }
  [[nodiscard]] bool stops_possible() const;
  // Triggers those whose stop was asked for in other threads.
  void poll_stops() const noexcept;

  // How many are blocked, runnable, paused: one that is in its schedule
  // callback counts as what it is there.
  [[nodiscard]] std::size_t parked() const;
  [[nodiscard]] std::size_t runnable() const {
    const bool queued = (stand_in.flags & stands_in) != 0 && !stand_in_served &&
                        stand_in.waiting == nullptr;
    return queue.members() - queued;
  }
  [[nodiscard]] std::size_t pausing() const {
    const wait_record* w = stand_in.waiting;
    return paused - (w != nullptr && w->pause != 0);
  }
  bool idle() noexcept;

  // ---- report.cc
  // What to throw out of the operation that parks `t`.
  // `lines`: how many of those who wait it names.
  [[nodiscard]] std::exception_ptr deadlock(const control_block& t,
                                            std::size_t lines = 100) noexcept;
  // "tasklet 3 'miller'"; and with where it was spawned.
  static std::string name_of(const descriptor& d);
  static std::string describe(const descriptor& d);
  static std::string describe(const spawn_site& site);
  // Of anybody, also of another thread.
  static std::string describe_or_number(const tasklet& who);
  // "waits in receive on channel 'orders' at shop.cc:12".
  static std::string describe(const wait_record& w);
  static std::string describe_operation(const wait_record& w);
  static std::string describe_select(const wait_record& first);
  void report(std::ostream& out, std::size_t lines);

  // ---- timeout.cc
  static std::uint64_t new_range() noexcept;

  // ---- sleep.cc
  // Parks the current tasklet until `when`; yields if that has passed.
  void sleep(time_point now, time_point when, std::source_location where);
  using dispatcher::park_until;
  bool park_until(wait_record& w, wait_queue& q, time_point now,
                  time_point deadline);

  // ---- pause.cc
  std::optional<std::any> suspend_until(time_point now, time_point when,
                                        std::source_location where);
  // Takes a tasklet that is not current off the queue or what it waits for.
  void take_out(control_block* t) noexcept;
  // The tasklet, or, where it is about to pause and still in its schedule
  // callback, who stands in for it.
  control_block* who_pauses(const descriptor& d) noexcept;
  // What forbids that it be run, or inserted with `value`; null: nothing.
  static const char* why_not_run(const descriptor& d);
  // As tasklet::insert(), of one that is here and may be run: gives why not.
  const char* insert(descriptor& d, std::any& value) noexcept;
  // The record of those that wait for nothing and have not begun to.
  static wait_record& nowhere();
  void put_nowhere(control_block* t) noexcept;

  // ---- traps.cc
  // Fails the operation that has `me` park or yield, and has taken `n` off the
  // queue, if that is forbidden.
  void check_traps(control_block* me, control_block* n);
  [[noreturn]] static void throw_blocked(const descriptor& d,
                                         const wait_record& w);
  // After one has begun or ended.
  void watch_traps() noexcept;
  // If `me`, which is parked, left it to them.
  [[nodiscard]] bool others_go_on(const control_block* me) const;

  // ---- watch.cc
  // Calls the schedule callback, if there is one. `n` stands in no queue; gives
  // who runs after all, or null.
  control_block* tell_switch(control_block* me, control_block* n) noexcept;
  // What a tasklet that is about to end has to say, while it is alive.
  void last_words(control_block& me, std::exception_ptr& failure) noexcept;
  // Empties `failure` where the error handler takes it, or changes it.
  void offer_to_handler(const tasklet& who,
                        std::exception_ptr& failure) noexcept;
  void tell_spawn(const tasklet& who) noexcept;
  void tell_end(const tasklet& who, const std::exception_ptr& failure) noexcept;
  // Delivers what escaped a callback of the current tasklet. Who gets it is the
  // next to run; behind the first of the queue if a switch to that was told.
  void callback_failed(std::exception_ptr what,
                       bool switching = false) noexcept;
  // To the error handler, else to stderr.
  void report_failure(const tasklet& who,
                      const std::exception_ptr& failure) noexcept;
  static void print_failure(const tasklet& who,
                            const std::exception_ptr& failure) noexcept;
  static void print_failure(std::string_view who,
                            const std::exception_ptr& failure) noexcept;
  // The head of the queue, after a look at what may make somebody runnable where
  // it is empty; null: nobody.
  control_block* first_runnable() noexcept;
  // Who would run if the current tasklet ended; where nobody can, who goes on
  // where nobody ever will.
  control_block* foresee(const descriptor& d, bool failed) noexcept;
  void book_departure(control_block& me) noexcept;
  // The end of accounting: what has been counted until now stays.
  void close_books() noexcept;
  void book_arrival(const control_block* me, control_block& n) noexcept;
  // Somebody asks for it from now on.
  void keep_time() {
    if (!flagged(accounting | sliced)) switched_at = driver->now();
  }
  // Its caller must find the clock where it left it.
  [[nodiscard]] idle_driver::clock::time_point budget_clock() const {
    return foreseen ? *foreseen : driver->now();
  }

  // ---- life.cc
  static void prepare_seed(descriptor& d) noexcept;
  // Gives a target that needs one its stack.
  control_block* ready(control_block* n) noexcept;
  control_block* start(descriptor& d) noexcept;
  static control_block* start_on(stack ground, descriptor& d) noexcept;
  [[gnu::cold]] control_block* start_in_vain(descriptor& d) noexcept;
  // As enter(), of one whose seed had flags.
  static void enter_flagged(dispatcher* s, control_block& me) noexcept;
  void restock() noexcept;
  static control_block* build(descriptor& d, void* place) noexcept;
  static void launch(dispatcher* s, control_block& seed) noexcept;
  static void enter(dispatcher* s, control_block& me) noexcept;
  [[noreturn]] void finish(control_block& me,
                           std::exception_ptr& failure) noexcept;
  [[noreturn]] void depart(control_block& me, stack ground,
                           control_block* n) noexcept;
  // Tells those who care of the end and frees the descriptor. Gives who has to
  // run at once, or null. Leaves `failure` empty.
  control_block* settle(descriptor& d, std::exception_ptr& failure) noexcept;
  // One that nothing has to be cleared away of.
  [[gnu::always_inline]] void release(descriptor& d) noexcept {
    wake_joiners(d);
    d.id = 0;
    --live;
    free_descriptor(&d);
  }
  [[gnu::always_inline]] void wake_joiners(descriptor& d) noexcept {
    while (!d.joiners.empty()) serve(d.joiners.front(), d.joiners);
  }
  control_block* pass_on(descriptor& d, std::exception_ptr& failure) noexcept;
  // Gives who has to run at once, or null; he stands in no queue.
  control_block* deliver_failure(const tasklet& who,
                                 const std::exception_ptr& failure) noexcept;
  // Who would be given.
  [[nodiscard]] control_block* heir() const;
  // As next(); where nothing can run, main is told of the deadlock.
  control_block* next_or_tell_main() noexcept;
  [[gnu::cold]] control_block* tell_main() noexcept;
  static void forget_details(descriptor& d) noexcept;
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
  void inspect_if_asked(const descriptor& d) const noexcept {
    if (stacks.guard().must_be_asked() || survey) [[unlikely]]
      inspect(d);
  }

  // ---- stacks.cc
  void trim() noexcept;
  [[nodiscard]] std::vector<stack_use> stack_uses();

  // ---- kill.cc
  void rehearse_kill() const;
  void kill(descriptor& d, bool now);
  void throw_into(descriptor& d, std::exception_ptr what, bool now);
  // One who has got a kill or an exception goes on, now or at its turn.
  void send_on(control_block* t, bool now);
  void raise_or_hasten(control_block* me);
  void end_unstarted(descriptor& d) noexcept;
  void drop_unstarted(descriptor& d) noexcept;
  void run_now(control_block* t);
  // The same, and tasklet::insert(), for another thread; in a letter, where
  // nothing can be ended at once. They leave what nobody can have.
  void kill_from_afar(descriptor& d) noexcept;
  void throw_from_afar(descriptor& d, std::exception_ptr& what) noexcept;
  void insert_from_afar(descriptor& d, std::any& value) noexcept;
  // What is due to `t` is raised at its turn, out of what it waits for.
  void hasten(control_block* t) noexcept;
  // A kill of the current tasklet must wait.
  [[nodiscard]] bool held_back(const descriptor& d) const;
  // A kill of a suspended one must.
  [[nodiscard]] static bool held_back_away(const control_block& t);
  // Throws what is due to the current tasklet, unless that must wait;
  // interruptions only where they may.
  void raise_due(control_block* me, bool may_interrupt = true);
  // ---- interruption.cc
  // One that was due is not any more: is another?
  static void note_interruptions(descriptor& d) noexcept;
  static void raise_interruption(descriptor& d);
  // Ends what `t` waits for, for what has interrupted it.
  void cut(control_block* t) noexcept;
  static void drop_interruptions(descriptor& d) noexcept;
  // Throws std::bad_alloc.
  static void inherit(const descriptor& from, descriptor& child);
  template <typename See>
  static void for_each_interruption(const descriptor& d, See see) {
    for (const interruption* i = d.interruptions; i != nullptr; i = i->outer_)
      see(*i);
  }

  // ---- end_observer.cc
  // Requires: it is dead, and its control block is there still.
  static void tell_observers(descriptor& d) noexcept;
  // Somebody has asked for what escapes it.
  [[nodiscard]] static bool failure_taken(const descriptor& d) noexcept;
  // It is on its way: has all who ask for it keep it, and says whether there are
  // any.
  static bool claim_failure(const descriptor& d,
                            const std::exception_ptr& what) noexcept;

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
  // Posts to the scheduler that `t` is of, in any thread. False: that has ended.
  static bool post_home(const tasklet& t, letter& l) noexcept;
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
  timer_wheel timers;
  thread_driver own_driver;
  idle_driver* driver;
  std::uint64_t last_poll = 0;  // position in the run queue
  std::uint64_t passed_by = 0;  // switches that did not ask that
  control_block main_block;
  descriptor* main = nullptr;
  scheduler* face = nullptr;  // what a user has of it
  strand_home& strands = strand_home::here();
  std::deque<late_failure> failures;

  const std::shared_ptr<inbox> mail = std::make_shared<inbox>(*this);
  std::size_t awaited = 0;          // letters that are certain to come
  std::size_t crossings = 0;        // waits that other threads may end
  std::size_t hoped_for = 0;        // those that other schedulers may send
  std::atomic<bool> stuck = false;  // set by who has found a standstill
  // Not 0: it is not the one to be told of a deadlock, since it waits for work, or
  // for the end of others.
  std::size_t patience = 0;
  bool forlorn = false;  // has been told that nothing will ever come
  std::string others;    // what they wait for then
  std::chrono::nanoseconds impatience;  // the longest that it spins for mail
  std::chrono::nanoseconds spinning = impatience;  // how long it does now

  stop_guard* stop_guards = nullptr;     // whose stop has not come
  std::atomic<bool> stop_asked = false;  // for one of them, by another thread

  std::uint64_t limits = new_range();  // the number of the last limit of time
  std::uint64_t ids_skipped = 0;       // never given to a tasklet
  std::uint64_t runs = 0;              // begun so far
  std::uint32_t switch_traps = 0;
  std::uint32_t main_callbacks = 0;  // that main is in
  std::shared_ptr<schedule_callback> on_switch;
  std::shared_ptr<spawn_callback> on_spawn;
  std::shared_ptr<end_callback> on_end;
  std::shared_ptr<error_handler> on_error;
  std::shared_ptr<void> attached;
  control_block stand_in;  // see tell_switch()
  bool stand_in_served = false;
  std::exception_ptr stand_in_thrown;
  std::optional<idle_driver::clock::time_point> foreseen;
  idle_driver::clock::duration slice{0};
  idle_driver::clock::time_point switched_at;  // kept while asked for
};

}  // namespace weft
