// SPDX-License-Identifier: BSL-1.0
// A handle to a tasklet: a flow of control that a scheduler runs.
//
//   weft::tasklet t = weft::spawn([] { ... });
//   t.join();
//
// A handle is two words, cheap to copy and safe for ever: on a tasklet that has
// ended, and on one whose scheduler has. It neither owns the tasklet nor keeps
// it alive; a spawned tasklet runs whether or not anybody holds a handle.
//
// A tasklet is, until it ends,
//
//   current     it runs
//   scheduled   it stands in the run queue
//   blocked     it waits for something: a channel, a join(), the time
//   paused      it stands nowhere and waits for nothing in particular: made by
//               create(), taken out by remove(), inside suspend(), switch_to()
//               or run(). Whoever holds a handle can insert() or run() it.
//
// Thread safety: alive(), id(), comparison, join(), kill(), throw_exception() and
//                insert() in any thread, with a scheduler or without. Where the
//                tasklet's scheduler is not that of the thread, the last three
//                are requests to it: they do not wait, and are carried out
//                between two of its tasklets, those of one thread in their
//                order. All else is for the scheduler's thread only, and throws
//                wrong_scheduler elsewhere, with everything as it was; what is
//                no query, no_scheduler in a thread without one.
// Cost:          O(1), no allocation, unless said otherwise.
//
// The queries stand here; the verbs are scheduling: scheduler/ defines them.
#pragma once

#include <any>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>

#include "weft/tasklet/account.h"
#include "weft/tasklet/control_block.h"
#include "weft/tasklet/error.h"

namespace weft {

// kill(pending), throw_exception(what, pending): at the target's next turn
// instead of now.
struct pending_t {};
inline constexpr pending_t pending{};

struct dispatcher;
struct no_handler;
template <typename F>
class join_case;

class tasklet {
 public:
  tasklet() = default;  // of no tasklet: not alive

  // Parks until the tasklet has ended; returns at once if it already has.
  // An exception that escapes the tasklet meanwhile is thrown here, to all who
  // wait. Throws deadlock_error where nothing could end it; error where a
  // tasklet would join itself; tasklet_exit when killed; block_trap_error,
  // switch_trap_error. What the tasklet has done has been done for whoever
  // joins it.
  // Of another scheduler: the same, and what ends with that has ended; there is
  // no deadlock; std::bad_alloc. A thread without a scheduler sleeps.
  void join(std::source_location where = std::source_location::current()) const;

  // As join(), but park until `when`, or for `time`, at most. False: that passed
  // first; the tasklet lives.
  bool join_until(
      std::chrono::steady_clock::time_point when,
      std::source_location where = std::source_location::current()) const;
  template <typename Rep, typename Period>
  bool join_for(
      std::chrono::duration<Rep, Period> time,
      std::source_location where = std::source_location::current()) const;

  // The same as the case of a select: scheduler/join_case.h. Its handler takes
  // nothing.
  template <typename F = no_handler>
  [[nodiscard]] weft::join_case<std::decay_t<F>> join_case(
      F&& handler = {},
      std::source_location where = std::source_location::current()) const;

  // Raises tasklet_exit out of the tasklet's blocking call; destructors run.
  // - It runs now, and the caller goes on as soon as it yields, blocks or ends.
  //   Does not wait for the end; join() does.
  // - A blocked one leaves its queue at once, with the balance restored.
  // - One that has not started ends without running; its callable is destroyed.
  // - Sticky: a tasklet that swallows it gets it again from its next operation
  //   that may park or yield.
  // - Held back while a weft::shield is alive, while the tasklet unwinds, and
  //   in a handler of the kill itself: then it stays where it is and kill()
  //   returns.
  // - The caller itself: raised here. A dead one: nothing happens.
  // - One of another scheduler: as kill(pending); one that has not started ends
  //   at its turn. std::bad_alloc: nothing has happened.
  // Throws switch_trap_error; tasklet_exit when killed itself.
  // (Stackless: tasklet.kill, in the flat order of CCP's scheduler.)
  void kill() const;

  // As kill(), but the caller goes on: the tasklet gets it at its turn; one
  // that was blocked or paused goes to the tail of the run queue. One that has
  // not started ends at once all the same.
  void kill(pending_t) const;

  // Raises `what` out of the tasklet's blocking call, once. As kill() in when
  // and where, also in what holds it back; but
  // - one that has not started ends as if it had thrown `what`: it goes to
  //   those who join it, else to run(), else to main;
  // - a second one replaces a first that has not been raised yet, and a kill
  //   that is due comes first; a tasklet that ends first never gets it;
  // - a dead one: throws error, unless it is a tasklet_exit: nothing happens.
  //   Nothing happens either where it was of another thread: it may always have
  //   ended by then.
  // Throws as kill(), and std::invalid_argument for a null pointer.
  // (Stackless: tasklet.throw, in flat order.)
  void throw_exception(std::exception_ptr what) const;
  void throw_exception(std::exception_ptr what, pending_t) const;

  // Puts a paused tasklet at the tail of the run queue; nothing happens to one
  // that is scheduled or current. `value` is what its suspend() or switch_to()
  // returns. One inside run() comes back from there, and so do runs that were
  // begun later, with run_result::woken.
  // Throws error for one that is blocked, dead or has nothing to run, and for a
  // value that nobody would receive; what is due to the caller. Of another
  // thread nothing happens where it would throw error.
  // (Stackless: tasklet.insert, and tempval for the value.)
  void insert(std::any value = {}) const;

  // Takes a scheduled tasklet off the run queue: it is paused. Nothing happens
  // to one that is paused or dead. Throws error for the current one, which
  // would suspend(), and for one that is blocked; wrong_scheduler,
  // no_scheduler; what is due to the caller. (Stackless: tasklet.remove.)
  void remove() const;

  // Runs the tasklet now; the caller stands at the front of the queue and goes
  // on as soon as it yields, blocks or ends. The caller itself: nothing
  // happens. Throws error for one that is blocked, dead or has nothing to run,
  // wrong_scheduler, no_scheduler, switch_trap_error; tasklet_exit when killed.
  // (Stackless: tasklet.run, flat.)
  void run() const;

  // As run(), but the caller is paused, as by suspend(), and gets what insert()
  // hands it. (Stackless: tasklet.switch.)
  std::any switch_to(
      std::source_location where = std::source_location::current()) const;

  // What a tasklet made by create() will run, if that was given nothing:
  // f(args...), decayed as by spawn(). setup() inserts it, too.
  // Throws error for one that is dead or has something to run; wrong_scheduler,
  // no_scheduler, std::bad_alloc, what copying throws, what is due to the
  // caller. Then nothing has changed. Cost: an allocation. (Stackless:
  // tasklet.bind, setup.)
  template <typename F, typename... Args>
  void bind(F&& f, Args&&... args) const;
  template <typename F, typename... Args>
  void setup(F&& f, Args&&... args) const;

  // While it is on, the tasklet's operations throw block_trap_error where they
  // would block it, and leave everything as it was. Gives what it was before;
  // false for a dead one. A weft::block_trap does it for a scope. Throws
  // wrong_scheduler, no_scheduler.
  // (Stackless: tasklet.block_trap.)
  bool set_block_trap(bool on) const;
  [[nodiscard]] bool block_trap() const;

  // For reports. Nothing happens to a dead one. Throws std::bad_alloc,
  // wrong_scheduler, no_scheduler.
  void set_name(std::string name) const;

  // It has not ended. If it has, all that it has done has been done.
  [[nodiscard]] bool alive() const { return d_ != nullptr && d_->id == id_; }
  [[nodiscard]] bool blocked() const { return waits(0); }
  [[nodiscard]] bool paused() const { return waits(1); }
  // It stands in the run queue. (Stackless's is true of a blocked one, too.)
  [[nodiscard]] bool scheduled() const;
  [[nodiscard]] bool is_current() const;
  // It is the one that its scheduler was made in.
  [[nodiscard]] bool is_main() const;
  // The name given at spawn; empty without one, and when it has ended.
  [[nodiscard]] std::string_view name() const;
  // Counts up in order of spawning; never used twice by one scheduler. 0: none.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  // Where it was spawned; empty when it has ended.
  [[nodiscard]] spawn_site site() const;
  // What was counted while scheduler::set_accounting() was on, up to its last
  // switch; zeros when it has ended.
  [[nodiscard]] weft::account account() const;

  friend auto operator<=>(const tasklet&, const tasklet&) = default;

 private:
  friend struct dispatcher;
  template <typename F>
  friend class weft::join_case;
  tasklet(descriptor* d, std::uint64_t id) : d_(d), id_(id) {}

  // The scheduler of one who joins this one, which is alive; null: it is
  // another one's. Throws as join().
  [[nodiscard]] dispatcher* joining() const;
  void throw_at(std::exception_ptr what, bool now) const;
  bool join_for_ns(std::chrono::nanoseconds time,
                   std::source_location where) const;
  // Throws as bind().
  void require_unbound() const;
  // Null: it has ended. Throws wrong_scheduler.
  [[nodiscard]] const descriptor* look() const;
  [[nodiscard]] bool waits(std::uint8_t pause) const;

  descriptor* d_ = nullptr;
  std::uint64_t id_ = 0;
};

}  // namespace weft

template <>
struct std::hash<weft::tasklet> {
  std::size_t operator()(const weft::tasklet& t) const noexcept {
    return std::hash<std::uint64_t>()(t.id());
  }
};
