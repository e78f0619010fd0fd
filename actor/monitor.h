// SPDX-License-Identifier: BSL-1.0
// To learn of another tasklet's end, and how it ended.
//
//   weft::monitor m(worker);
//   const weft::down end = m.wait();
//   if (end.why == weft::end_reason::killed) replace(end.who);
//
// Or as one of several things that may happen:
//
//   weft::select(in.receive_case(handle),
//                m.wait_case([&](const weft::down& d) { replace(d.who); }));
//
// A monitor changes nothing for the tasklet. What escapes that goes where it
// always goes, unless the monitor was made with take_failure: then nobody else
// gets it but those who join. What leaves a function that was spawned in a scope,
// a group or a pool, or by async(), is told to whoever made it instead: such a
// tasklet ends normally.
//
// Ordering:      told when the tasklet is dead; those who wait go to the tail,
//                behind those who join, in the order in which they came.
// Thread safety: the thread of the tasklet's scheduler.
// Lifetime:      any: it may outlive the tasklet and the scheduler. Neither
//                copied nor moved. Ending it wakes those who wait: error.
// Cost:          O(1), no allocation; nothing for those whom nobody observes.
// (Erlang: monitor/2. With a flag, since nothing else takes a failure here.)
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/end_observer.h"
#include "weft/scheduler/saturate.h"
#include "weft/scheduler/select.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

// The end of a tasklet.
struct down {
  tasklet who;
  end_reason why = end_reason::unknown;
  std::exception_ptr failure;  // failed: what escaped it
};

struct take_failure_t {};
inline constexpr take_failure_t take_failure{};

template <typename F>
class monitor_case;

class monitor final : private end_observer {
 public:
  // Of a dead one: it has ended, for a reason that is unknown.
  // Throws no_scheduler, wrong_scheduler.
  explicit monitor(const tasklet& t) : monitor(t, false) {}
  // Takes what escapes the tasklet, if nobody joins it.
  monitor(const tasklet& t, take_failure_t) : monitor(t, true) {}
  ~monitor() override;

  // Parks until the tasklet has ended. Throws as join(), but not what escaped;
  // error where the monitor ends first.
  down wait(std::source_location where = std::source_location::current());
  // As wait(), until `when`, or for `time`, at most; nullopt: that passed first.
  std::optional<down> wait_until(
      std::chrono::steady_clock::time_point when,
      std::source_location where = std::source_location::current());
  template <typename Rep, typename Period>
  std::optional<down> wait_for(
      std::chrono::duration<Rep, Period> time,
      std::source_location where = std::source_location::current()) {
    return wait_for_ns(saturate(time), where);
  }
  // A case of a select: its handler takes a down; without one, value() has it.
  template <typename F = no_handler>
  [[nodiscard]] monitor_case<std::decay_t<F>> wait_case(
      F&& handler = {},
      std::source_location where = std::source_location::current()) {
    return {*this, std::forward<F>(handler), where};
  }

  // The tasklet has ended, or had when this was made.
  [[nodiscard]] bool ended() const { return !watching(); }
  // The tasklet, alive or not.
  [[nodiscard]] const tasklet& whose() const { return end_.who; }

 private:
  template <typename>
  friend class monitor_case;

  monitor(const tasklet& t, bool takes);
  std::optional<down> wait_for_ns(std::chrono::nanoseconds time,
                                  std::source_location where);
  // Throws no_scheduler, wrong_scheduler, what is due to the caller.
  void admit() const;
  void ended(end_reason why,
             const std::exception_ptr& failure) noexcept override;
  [[nodiscard]] bool takes_failure() const override { return takes_; }
  void wake_all(bool told) noexcept;
  [[noreturn]] static void throw_destroyed();

  dispatcher* home_;
  down end_;
  bool takes_;
  wait_queue waiting_;  // slots: where to put the end
};

template <typename F>
class monitor_case : public conditional_case<monitor_case<F>> {
  using base = conditional_case<monitor_case<F>>;
  using typename base::verbs;
  static_assert(std::is_same_v<F, no_handler> ||
                    std::is_invocable_v<F&, const down&>,
                "weft: the handler of a monitor's case takes a weft::down");

 public:
  monitor_case(monitor& of, F handler, std::source_location where)
      : base(table, where), of_(&of), handler_(std::move(handler)) {}

  // Requires: it is the case that has happened last.
  [[nodiscard]] const down& value() const { return *end_; }

  void handle() {
    if (!end_) monitor::throw_destroyed();
    if constexpr (!std::is_same_v<F, no_handler>)
      static_cast<void>(std::invoke(handler_, std::as_const(*end_)));
  }

 private:
  static monitor_case& of(select_case& c) {
    return static_cast<monitor_case&>(c);
  }
  static constexpr verbs table{
      .reason = "monitor",
      .ready =
          [](select_case& c, dispatcher*) {
            of(c).of_->admit();
            return of(c).of_->ended();
          },
      .perform =
          [](select_case& c, dispatcher*, control_block*&) {
            of(c).end_ = of(c).of_->end_;
            return true;
          },
      .line = [](select_case& c) -> wait_queue& {
        of(c).end_.reset();
        of(c).record_.slot = &of(c).end_;
        return of(c).of_->waiting_;
      },
      .handle = [](select_case& c) { of(c).handle(); }};

  monitor* of_;
  std::optional<down> end_;
  [[no_unique_address]] F handler_;
};

}  // namespace weft
