// SPDX-License-Identifier: BSL-1.0
// A number of permits.
//
//   weft::semaphore connections(4);
//   connections.acquire();
//   fetch(page);
//   connections.release();
//
// Any tasklet may release what another has acquired. A bounded_semaphore never
// has more than it began with: a release() too often throws.
//
// Ordering:       first in, first out, whatever each waits for: who wants many
//                 is not overtaken by those who want few.
// Thread safety:  belongs to the scheduler of the first operation on it; in any
//                 other thread operations throw wrong_scheduler or
//                 no_scheduler; queries and set_name() are not checked.
// Lifetime:       ending one has those who wait go on with an error.
// Cost:           O(1), and release() O(those who go on); no allocation.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/sync/waiting_line.h"

namespace weft {

struct acquiring {
  static constexpr char reason[] = "acquire";
};

class semaphore : public waiting_line {
  using time_point = std::chrono::steady_clock::time_point;

 public:
  explicit semaphore(std::uint32_t permits)
      : semaphore(kind, permits, std::numeric_limits<std::uint32_t>::max()) {}

  // Parks until the caller has `permits`, all at once.
  // Throws error where there could never be as many, or it is destroyed
  // meanwhile; no_scheduler, wrong_scheduler; deadlock_error where nobody could
  // release any; tasklet_exit when killed, and what throw_exception() raises;
  // block_trap_error, switch_trap_error. Main gets what escaped a tasklet. Then
  // the caller has none of them.
  [[gnu::always_inline]] void acquire(std::uint32_t permits = 1,
                                      location where = location::current()) {
    perform<acquiring>(*this, permits, wait_forever{}, where);
  }
  // As acquire(), but does not park: false instead, also where somebody waits.
  [[nodiscard]] bool try_acquire(std::uint32_t permits = 1) {
    return perform<acquiring>(*this, permits, wait_never{}, location());
  }
  // As acquire(), but park for `time`, or until `when`, at most: false then.
  template <typename Rep, typename Period>
  [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> time,
                                     std::uint32_t permits = 1,
                                     location where = location::current()) {
    return perform<acquiring>(*this, permits, wait_for{saturate(time)}, where);
  }
  [[nodiscard]] bool try_acquire_until(time_point when,
                                       std::uint32_t permits = 1,
                                       location where = location::current()) {
    return perform<acquiring>(*this, permits, wait_until{when}, where);
  }
  // The case of a select for one permit; its handler takes nothing.
  template <typename F = no_handler>
    requires std::invocable<std::decay_t<F>&>
  [[nodiscard]] claim_case<acquiring, semaphore, std::decay_t<F>> acquire_case(
      F&& handler = {}, location where = location::current()) {
    return acquire_case(1, std::forward<F>(handler), where);
  }
  // The same for several.
  template <typename F = no_handler>
  [[nodiscard]] claim_case<acquiring, semaphore, std::decay_t<F>> acquire_case(
      std::uint32_t permits, F&& handler = {},
      location where = location::current()) {
    return {*this, permits, std::forward<F>(handler), where};
  }

  // Those in front of the line who have enough now go on. Neither switches nor
  // parks. Throws error where there would be too many: over 2^32 - 1, or more
  // than a bounded_semaphore has; no_scheduler, wrong_scheduler. Then nothing
  // has changed.
  void release(std::uint32_t permits = 1) {
    attend();
    if (permits > most_ - available_) throw_too_many();
    give_back(permits);
  }

  // How many can be had at once, if nobody waits.
  [[nodiscard]] std::uint32_t available() const { return available_; }

 protected:
  semaphore(const wait_kind& what, std::uint32_t permits, std::uint32_t most)
      : waiting_line(what, &left_by<semaphore>),
        available_(permits),
        most_(most) {}

 private:
  friend waiting_line;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind{"semaphore"};

  [[nodiscard]] bool possible(std::uint32_t permits) const {
    return available_ >= permits;
  }
  void take(const descriptor*, std::uint32_t permits) { available_ -= permits; }
  void refuse(const descriptor*, std::uint32_t permits) const {
    if (permits > most_)
      throw error("weft: a bounded_semaphore never has as many permits");
  }
  void give_back(std::uint32_t permits) noexcept {
    // A release() too many may have come while they were somebody's.
    available_ += std::min(permits, most_ - available_);
    serve(*this);
  }
  [[noreturn]] static void throw_too_many() {
    throw error("weft: a semaphore was released more often than it allows");
  }

  std::uint32_t available_;
  std::uint32_t most_;
};

class bounded_semaphore : public semaphore {
 public:
  explicit bounded_semaphore(std::uint32_t permits)
      : semaphore(kind, permits, permits) {}

 private:
  static constexpr wait_kind kind{"bounded_semaphore"};
};

}  // namespace weft
