// SPDX-License-Identifier: BSL-1.0
// Private: the switch from one tasklet to the next, inlined into every
// operation.
//
// park() and wake() are the one way anything ever blocks: channels, join,
// sleep, run and whatever comes later are written in terms of them.
//
//   park:  link the record - choose the next - switch - deliver what is due
//   wake:  unlink the record - to the tail of the run queue
//
// The ordinary switch tests one word that holds everything unusual (scheduler
// flags, live exceptions, flags of the target) and, on arrival, one that holds
// what is due to the tasklet itself. It takes no lock, no allocation, no clock.
//
// Invariants:
// - current stands in no queue; everybody else who is alive stands in the run
//   queue (waiting == null) or is parked (waiting != null).
// - key is this, or null while operations must take the long way: while one of
//   the long_way flags is set.
#pragma once

#include <any>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weft/scheduler/run_queue.h"
#include "weft/tasklet/control_block.h"
#include "weft/tasklet/error.h"
#include "weft/tasklet/tasklet.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

struct core;

// A caller's broken contract: says so on stderr and stops the program.
[[noreturn]] void stop(const char* sentence) noexcept;

// The reason of wait_records whose slots are the descriptor of whom they join.
inline constexpr char join_reason[] = "join";

enum scheduler_flag : std::uint32_t {
  none_here = 1,           // the thread has no scheduler
  current_due = 2,         // current has a kill or a failure to be raised in it
  budgeted = 4,            // a run_for(), run_n() or run_one() counts switches
  closing = 8,             // what is spawned is killed at once
  polling = 16,            // the idle driver is at work and may not switch
  groundless = 32,         // there was no stack for the next start
  resortless = 64,         // the last resort is in use
  no_switching = 128,      // a switch_trap is alive
  channels_watched = 256,  // there is a channel callback
  switches_watched = 512,  // there is a schedule callback
  lives_watched = 1024,    // there is a spawn or an end callback
  accounting = 2048,       // switches are counted, and timed
  sliced = 4096,           // the time of the last switch is kept
  in_schedule_cb = 8192,   // the schedule callback has not returned
  in_channel_cb = 16384,   // the channel callback has not returned
  has_mail = 32768,        // another thread has posted something
  asleep = 65536,          // it is to be woken for that
  long_way = current_due | no_switching | channels_watched,
};

// What a switch needs of a scheduler; core is the rest.
struct dispatcher {
  static constexpr std::uint32_t a_turn = 1024;  // operations

  launch_pad pad;  // the switch expects it here; no ground: see groundless
  run_queue queue;
  control_block* current = nullptr;
  exception_state* exceptions = nullptr;  // this thread's
  dispatcher* key = nullptr;              // what a channel's owner must equal
  std::atomic<std::uint32_t> flags{
      0};  // read relaxed, written read-modify-write
  descriptor* free_descriptors = nullptr;
  std::uint64_t ids = 0;
  std::size_t live = 0;    // tasklets that have not ended, less main
  std::size_t paused = 0;  // parked on a record that is a pause
  std::uint32_t default_stack_class = 0;
  std::uint32_t launch_class = 0;  // whose seeds begin by themselves
  std::uint64_t random_state = 0;  // of the choices of select()
  std::uint32_t ahead = 0;  // operations since the last turn was given, and the
                            // time that they have passed

  constexpr dispatcher() noexcept = default;
  constexpr dispatcher(std::uint32_t f, exception_state* e) noexcept
      : exceptions(e), flags(f) {}

  [[nodiscard]] bool flagged() const {
    return flags.load(std::memory_order_relaxed) != 0;
  }
  // A switch to one with these flags needs more than a switch.
  [[nodiscard]] bool rare(std::uint32_t of_target = 0) const {
    return (flags.load(std::memory_order_relaxed) | of_target |
            exceptions->uncaught) != 0 ||
           exceptions->caught != nullptr;
  }

  [[nodiscard]] bool flagged(std::uint32_t which) const {
    return (flags.load(std::memory_order_relaxed) & which) != 0;
  }
  void set(std::uint32_t which) noexcept {
    flags.fetch_or(which, std::memory_order_relaxed);
  }
  void clear(std::uint32_t which) noexcept {
    flags.fetch_and(~which, std::memory_order_relaxed);
  }

  // Sets or clears one that sends operations the long way.
  void watch(std::uint32_t which, bool on) noexcept {
    on ? set(which) : clear(which);
    key = flagged(long_way) ? nullptr : this;
  }

  // Every operation that may park or yield begins with it: throws no_scheduler,
  // or what is due to the current tasklet.
  void admit() {
    if (flagged()) [[unlikely]]
      admit_slow();
  }

  // For those that only wake others. Throws no_scheduler.
  void require_scheduler() const {
    if (flagged()) [[unlikely]]
      require_slow();
  }

  // Something of `owner`, a scheduler that may have ended, was used in this
  // thread: the text has both threads. `whose` is like "this channel belongs to".
  [[noreturn, gnu::cold, gnu::noinline]] static void throw_wrong_scheduler(
      std::string_view whose, const void* owner,
      std::string_view advice =
          "it is used in the thread of its own scheduler");

  // Takes the next tasklet off the queue. Null: deadlock. May give current, if
  // that was woken meanwhile. Never throws.
  [[gnu::always_inline]] control_block* next() {
    control_block* n = queue.take();
    return n != nullptr ? n : next_slow();
  }

  // Suspends `me`, which is current and queued or parked already, runs `n`, and
  // returns when `me` is picked. Throws what is due to it then. Null: the next
  // of the queue; throws deadlock_error where there is none, and `me` is parked
  // no more.
  [[gnu::always_inline]] void switch_to(control_block* me, control_block* n) {
    if (n == nullptr || rare(n->flags)) [[unlikely]] {
      n = switch_rare(me, n);
      if (n == nullptr) return;
    }
    jump(me, n);
  }

  // Has the current tasklet wait on `w`, at the end of `q` or in no queue. Its
  // operation goes on with switch_to(), to what this gives: the next tasklet of
  // the queue, or null.
  [[gnu::always_inline]] control_block* line_up(wait_record& w, wait_queue& q) {
    q.append(w);
    return line_up(w);
  }
  [[gnu::always_inline]] control_block* line_up(wait_record& w) {
    w.who = current;
    current->waiting = &w;
    return queue.take();
  }

  // The current tasklet is parked on `first`, and what follows it, which stand
  // in their lines: other threads may serve it as soon as their guards are left.
  void line_up_crossing(wait_record& first) noexcept;
  // Throws what parking on `w` would: block_trap_error, switch_trap_error.
  void require_parking(const wait_record& w) const {
    if (flagged(no_switching | current_due)) [[unlikely]]
      check_parking(w);
  }

  // Parks the current tasklet on `w` until it is woken. Throws deadlock_error
  // with nothing changed; what is due when it goes on.
  [[gnu::always_inline]] void park(wait_record& w, wait_queue& q) {
    switch_to(current, line_up(w, q));
  }
  void park(wait_record& w) { switch_to(current, line_up(w)); }

  // As above; false where the time passed first.
  bool park_until(wait_record& w, wait_queue& q,
                  std::chrono::steady_clock::time_point deadline);
  bool park_for(wait_record& w, wait_queue& q, std::chrono::nanoseconds time);
  // By the clock that those go by.
  [[nodiscard]] std::chrono::steady_clock::time_point from_now(
      std::chrono::nanoseconds time) const;

  // Throws switch_trap_error where one is alive. What switches after it has
  // changed something calls it first; what parks or yields need not.
  void require_switching() const {
    if (flagged(no_switching)) [[unlikely]]
      trap_switch();
  }
  [[noreturn]] static void trap_switch();

  // Suspends the current tasklet until somebody inserts it, and runs `n`, who
  // stands in no queue; null: the next. Gives what insert() handed over. Throws
  // as park().
  std::any pause(control_block* n, const char* reason,
                 std::source_location where);
  // The same with a record that its caller has begun.
  void pause(control_block* n, wait_record& w, std::any& value);

  // See weft::checkpoint().
  void checkpoint();

  // Around a call of what a user wrote, in the middle of an operation: main must
  // not end the scheduler there.
  void enter_callback() noexcept;
  void leave_callback() noexcept;

  // A failure that nobody else hears of: to the error handler, else to stderr.
  void report_unheard(const tasklet& who,
                      const std::exception_ptr& failure) noexcept;

  // What a floor above keeps here for as long as the scheduler lives.
  std::shared_ptr<void>& attachment();

  // Goes on with a tasklet that has been unlinked already: now, the caller to
  // the tail; or later, it to the tail.
  void resume(control_block* t, bool now) {
    control_block* me = current;
    queue.push(now ? me : t);
    if (now) switch_to(me, t);
  }

  // Whoever serves a record that a select may have in this scheduler calls it
  // before he changes anything. False: another thread has been faster, and `w`
  // stands in its line no more.
  bool claim(wait_record& w) noexcept {
    return w.crossing == 0 || claim_crossing(w);
  }
  // He cannot be served after all: a select that was claimed looks again.
  void unclaim(wait_record& w) noexcept {
    if (w.crossing == 0) return;
    control_block* const t = w.who;
    leave_lines(t);
    queue.push(t);
  }
  // Takes the record that was matched off `q`: its tasklet may be resumed.
  // Requires: claimed.
  control_block* unlink(wait_record& w, wait_queue& q) {
    control_block* t = w.who;
    if (w.sibling != nullptr) [[unlikely]] {
      w.served = 1;
      leave_lines(t);
    } else {
      q.remove(w);
      t->waiting = nullptr;
    }
    return t;
  }

  // Who waits on it goes on, at the tail.
  void serve(wait_record& w, wait_queue& q) noexcept {
    if (claim(w)) queue.push(unlink(w, q));
  }

  // As serve(), and its operation throws `what`.
  void serve_throwing(wait_record& w, std::exception_ptr what) noexcept {
    if (claim(w)) fail(w, std::move(what));
  }
  // The same of one that has been claimed. Its select has not been served.
  void fail(wait_record& w, std::exception_ptr what) noexcept {
    control_block* const t = w.who;
    raise_in(t, std::move(what));
    leave_lines(t);
    queue.push(t);
  }

  // Passes the time of so many relax() for somebody who is about to park. False:
  // he had better: there is something to do, or to look for, or a scheduler that
  // has to wait does not spin. Looks at timers and the driver when a turn is due.
  [[nodiscard]] bool pass(std::uint32_t moments) noexcept;

  // With a partner in another thread that is always faster, a tasklet would never
  // park: no other one of its own would have its turn, no timer, no mail. So one
  // in many of the operations on what threads share yields, before it begins.
  // Asked of each that may wait; gives true until a turn has been given, or the
  // tasklet has parked.
  [[nodiscard]] bool is_turn() noexcept {
    const auto set = flags.load(std::memory_order_relaxed);
    return (set & none_here) == 0 &&
           (++ahead >= a_turn || (set & has_mail) != 0);
  }
  // Yields, unless that is forbidden, after a look at timers and the driver.
  void give_turn();
  // Its parts: nothing forbids it; the look, if it is due.
  [[nodiscard]] bool gives_turns() const noexcept;
  void poll_in_turn() noexcept;

  // Has timers and the driver looked at from now on, once a round. Whoever
  // makes the driver expect something calls it.
  void mark_sources() noexcept {
    if (!queue.marked()) queue.push_marker();
  }

  // Takes a parked tasklet off whatever it waits for. False: another thread has
  // been faster, and it is runnable.
  bool unpark(control_block* t) noexcept {
    if (t->waiting != nullptr && t->waiting->crossing != 0) [[unlikely]]
      return withdraw(t);
    leave_lines(t);
    return true;
  }
  // Those behind it, who is off all lines, may be served now.
  static void was_left(wait_record& first) noexcept;
  // Makes a parked tasklet runnable, at the tail.
  void wake(control_block* t) noexcept {
    if (unpark(t)) queue.push(t);
  }
  // As wake(), and its operation throws `what`.
  void wake_throwing(control_block* t, std::exception_ptr what) noexcept {
    if (!unpark(t)) return;
    raise_in(t, std::move(what));
    queue.push(t);
  }
  // While the callable of one is destroyed that ends before it begins: what was
  // thrown into it, for whoever hears of its failures. Null: nothing, or a kill.
  static std::exception_ptr take_escaped(descriptor& d) noexcept;
  // Has a parked tasklet throw `what` when it goes on.
  static void raise_in(control_block* t, std::exception_ptr what) noexcept;

  [[gnu::always_inline]] void yield() {
    control_block* n = rare() ? nullptr : queue.take();
    if (n == nullptr) [[unlikely]]
      return yield_rare();
    control_block* me = current;
    queue.push(me);
    if (n->flags != 0) [[unlikely]] {
      n = switch_rare(me, n);
      if (n == nullptr) return;
    }
    jump(me, n);
  }

  // A number below `n`, which is below 2^32, by the scheduler's seed. Knuth's
  // generator: what it gives does not wait for the multiplication.
  std::uint32_t draw(std::uint32_t n) noexcept {
    const std::uint64_t high = random_state >> 32;
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::uint32_t>(high * n >> 32);
  }

  // A descriptor for a new tasklet. Throws no_scheduler, std::bad_alloc.
  descriptor* new_descriptor() {
    if (free_descriptors == nullptr) [[unlikely]]
      make_descriptors();
    descriptor* d = free_descriptors;
    free_descriptors = d->next_free;
    return d;
  }
  static tasklet handle(descriptor* d) { return tasklet(d, d->id); }
  static tasklet handle(descriptor* d, std::uint64_t id) {
    return tasklet(d, id);
  }
  static descriptor* described(const tasklet& t) { return t.d_; }
  // The flags of a tasklet that has not started.
  [[nodiscard]] std::uint32_t seed_flags(std::uint32_t stack_class) const {
    if (stack_class == launch_class) [[likely]]
      return 0;
    return needs_stack;
  }
  void free_descriptor(descriptor* d) noexcept {
    d->next_free = free_descriptors;
    free_descriptors = d;
  }

 private:
  [[gnu::always_inline]] void jump(control_block* me, control_block* n) {
    dispatcher* s = this;
    s->current = n;
    flow::switch_to(s, me, n);
    // n is me now.
    if (n->flags != 0) [[unlikely]]
      s->deliver(n);
  }

  friend struct crossing_wait;
  bool claim_crossing(wait_record& w) noexcept;
  bool withdraw(control_block* t) noexcept;
  // Requires: its wait has been claimed.
  void leave_lines(control_block* t) noexcept;

  void check_parking(const wait_record& w) const;

  // The long ways, all out of line.
  void require_slow() const;
  void admit_slow();
  control_block* next_slow() noexcept;
  // Gives whom to switch to, so that the inlined operation makes the switch and
  // its return is predicted. Null: there is nothing left to do, and what was
  // due to `me` has been delivered.
  control_block* switch_rare(control_block* me, control_block* n);
  void deliver(control_block* me);
  void yield_rare();
  void make_descriptors();
};

// A switch carries it, and starts find the launch pad there.
static_assert(std::is_standard_layout_v<dispatcher>);

}  // namespace weft

// This thread's scheduler; without one, a constant dummy that sends every
// operation the long way. One scalar, read by one instruction pair: any other
// form lets compilers keep an offset in the few registers that survive a
// switch.
extern "C" constinit thread_local weft::dispatcher* weft_this_dispatcher
    __attribute__((tls_model("initial-exec")));

namespace weft {

[[gnu::always_inline]] inline dispatcher* this_dispatcher() {
#if defined(__x86_64__) && defined(__linux__)
  dispatcher* s;
  asm volatile(
      "movq weft_this_dispatcher@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0"
      : "=r"(s));
  return s;
#else
  return weft_this_dispatcher;
#endif
}

}  // namespace weft
