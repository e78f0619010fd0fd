// SPDX-License-Identifier: BSL-1.0
// A place where a number of tasklets meet, again and again.
//
//   weft::barrier step(robots.size(), [&] { ++tick; });
//   for (auto& robot : robots)
//     weft::spawn([&] { for (;;) { robot.move(); step.arrive_and_wait(); } });
//
// A phase ends when as many have arrived as take part: whoever arrives last
// calls the completion function, then all go on.
//
// Ordering, thread safety, lifetime, cost: as event.h says. Who is killed while
// it waits has arrived, and is expected in the next phase, too, unless it then
// calls arrive_and_drop(). (std::barrier.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/sync/waitable.h"

namespace weft {

template <typename Completion = no_handler>
class barrier : public waiting_line {
  using time_point = std::chrono::steady_clock::time_point;

 public:
  // The phase that somebody has arrived in, to be waited for.
  class arrival_token {
    friend barrier;
    explicit arrival_token(std::uint32_t phase) : phase_(phase) {}
    std::uint32_t phase_;
  };

  explicit barrier(std::size_t parties, Completion completion = {})
      : waiting_line(kind, &left_by<barrier>),
        parties_(parties),
        missing_(parties),
        completion_(std::move(completion)) {}

  // So many have arrived; does not wait. The last one calls the completion
  // function, and all who wait go on, also where that throws: then out of here.
  // Throws error where more arrive than are missing; no_scheduler,
  // wrong_scheduler. Then nothing has changed.
  arrival_token arrive(std::size_t count = 1) {
    attend();
    if (count == 0 || count > missing_) throw_too_many();
    const arrival_token mine(phase_);
    missing_ -= count;
    if (missing_ == 0) complete();
    return mine;
  }
  // arrive(), and take part no more.
  void arrive_and_drop() {
    attend();
    if (missing_ == 0) throw_too_many();
    --parties_;
    static_cast<void>(arrive());
  }

  // Parks until that phase has ended. Throws as waitable::wait().
  [[gnu::always_inline]] void wait(arrival_token token,
                                   location where = location::current()) {
    perform<waiting>(*this, token.phase_, wait_forever{}, where);
  }
  // As wait(), but for `time`, or until `when`, at most: false then.
  template <typename Rep, typename Period>
  bool wait_for(arrival_token token, std::chrono::duration<Rep, Period> time,
                location where = location::current()) {
    return perform<waiting>(*this, token.phase_, weft::wait_for{saturate(time)},
                            where);
  }
  bool wait_until(arrival_token token, time_point when,
                  location where = location::current()) {
    return perform<waiting>(*this, token.phase_, weft::wait_until{when}, where);
  }
  // The case of a select; its handler takes nothing.
  template <typename F = no_handler>
  [[nodiscard]] claim_case<waiting, barrier, std::decay_t<F>> wait_case(
      arrival_token token, F&& handler = {},
      location where = location::current()) {
    return {*this, token.phase_, std::forward<F>(handler), where};
  }
  // arrive(), then wait().
  [[gnu::always_inline]] void arrive_and_wait(
      location where = location::current()) {
    admit();
    wait(arrive(), where);
  }

  // How many are missing in this phase.
  [[nodiscard]] std::size_t missing() const { return missing_; }

 private:
  friend waiting_line;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind{"barrier"};
  [[nodiscard]] bool possible(std::uint32_t phase) const {
    return phase != phase_;
  }
  // Those in line wait for a later phase.
  [[nodiscard]] bool passes(const descriptor*, std::uint32_t phase) const {
    return possible(phase);
  }
  void take(const descriptor*, std::uint32_t) {}

  void complete() {
    const struct finish {
      explicit finish(barrier& b) : of(b) {}
      finish(const finish&) = delete;
      finish& operator=(const finish&) = delete;
      ~finish() {
        ++of.phase_;
        of.missing_ = of.parties_;
        serve(of);
      }
      barrier& of;
    } afterwards(*this);
    static_cast<void>(std::invoke(completion_));
  }
  [[noreturn]] static void throw_too_many() {
    throw error("weft: more arrive at a barrier than are missing");
  }

  std::size_t parties_;
  std::size_t missing_;
  std::uint32_t phase_ = 0;
  [[no_unique_address]] Completion completion_;
};

}  // namespace weft
