// SPDX-License-Identifier: BSL-1.0
// What one waits for without having to say what: an event, a latch, a wait
// group. The forms of the wait are the same for all of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/sync/waiting_line.h"

namespace weft {

struct waiting {
  static constexpr char reason[] = "wait";
};

template <typename P>
class waitable : public waiting_line {
  using time_point = std::chrono::steady_clock::time_point;

 public:
  // Parks until it has come to pass; returns at once if it has.
  // Throws no_scheduler, wrong_scheduler; error where it is destroyed
  // meanwhile; deadlock_error where it could never happen; tasklet_exit when
  // killed, and what throw_exception() raises; block_trap_error,
  // switch_trap_error. Main gets what escaped a tasklet.
  [[gnu::always_inline]] void wait(location where = location::current()) {
    perform<waiting>(self(), 0, wait_forever{}, where);
  }
  // As wait(), but does not park: false instead.
  [[nodiscard]] bool try_wait() {
    return perform<waiting>(self(), 0, wait_never{}, location());
  }
  // As wait(), but park for `time`, or until `when`, at most: false then.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> time,
                location where = location::current()) {
    return perform<waiting>(self(), 0, weft::wait_for{saturate(time)}, where);
  }
  bool wait_until(time_point when, location where = location::current()) {
    return perform<waiting>(self(), 0, weft::wait_until{when}, where);
  }
  // The case of a select; its handler takes nothing.
  template <typename F = no_handler>
  [[nodiscard]] claim_case<waiting, P, std::decay_t<F>> wait_case(
      F&& handler = {}, location where = location::current()) {
    return {self(), 0, std::forward<F>(handler), where};
  }

 protected:
  explicit waitable(const wait_kind& what) : waiting_line(what, &left_by<P>) {}
  ~waitable() = default;

 private:
  P& self() { return static_cast<P&>(*this); }
};

}  // namespace weft
