// SPDX-License-Identifier: BSL-1.0
// Waiting for the first, or for all, of several things of any kind.
//
//   switch (weft::wait_any(reply, cancelled)) {
//     case 0: return reply.get();
//     case 1: throw interrupted();
//   }
//   if (!weft::wait_all_for(5s, parts)) complain();  // a vector of futures
//
// Things are what gives a case to a select by wait_case(): futures, and
// whatever else can only be waited for. They are waited for as by select(), in
// order: of those that are there already the first counts. None, or an empty
// range: wait_any() can never end, wait_all() does at once.
//
// wait_all() waits for one after the other, so that each has happened, not all
// at the same time.
//
// The timed forms do not fail: nullopt, or false, where the time passed first;
// then something may have happened already.
//
// Throws: as select().
// Cost:   O(n) for wait_any(), whose ranges allocate; O(1) each for wait_all().
// (gevent: wait, joinall.)
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include "weft/scheduler/saturate.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/timeout.h"

namespace weft {

template <typename T>
concept has_wait_case = requires(T& thing) {
  { thing.wait_case() } -> selectable;
};
// Of things, or of pointers to such.
template <typename R>
concept waitable_range = std::ranges::forward_range<R> &&
                         (has_wait_case<std::ranges::range_reference_t<R>> ||
                          requires(std::ranges::range_reference_t<R> p) {
                            { (*p).wait_case() } -> selectable;
                          });

// Parks until one has happened; its index.
template <has_wait_case... Things>
std::size_t wait_any(Things&&... things);
template <waitable_range R>
std::size_t wait_any(R&& things);

// As above, until then, or for so long.
template <has_wait_case... Things>
std::optional<std::size_t> wait_any_until(
    std::chrono::steady_clock::time_point when, Things&&... things);
template <waitable_range R>
std::optional<std::size_t> wait_any_until(
    std::chrono::steady_clock::time_point when, R&& things);
template <typename Rep, typename Period, typename... Things>
std::optional<std::size_t> wait_any_for(std::chrono::duration<Rep, Period> time,
                                        Things&&... things);

// Parks until all have happened.
template <has_wait_case... Things>
void wait_all(Things&&... things);
template <waitable_range R>
void wait_all(R&& things);

// As above, until then, or for so long: whether they have.
template <has_wait_case... Things>
bool wait_all_until(std::chrono::steady_clock::time_point when,
                    Things&&... things);
template <waitable_range R>
bool wait_all_until(std::chrono::steady_clock::time_point when, R&& things);
template <typename Rep, typename Period, typename... Things>
bool wait_all_for(std::chrono::duration<Rep, Period> time, Things&&... things);

// ---------------------------------------------------------------------------

template <typename T>
auto wait_case_of(T&& thing) {
  if constexpr (has_wait_case<T>)
    return thing.wait_case();
  else
    return (*thing).wait_case();
}

// `limit` is a timeout_case, or none.
template <waitable_range R, typename... Limit>
std::size_t wait_any_of(R&& things, Limit... limit) {
  using each_case =
      decltype(wait_case_of(*std::ranges::begin(std::declval<R&>())));
  std::vector<each_case> cases;
  const auto count = static_cast<std::size_t>(std::ranges::distance(things));
  cases.reserve(count);
  for (auto&& each : things) cases.push_back(wait_case_of(each));
  std::vector<select_case*> all;
  all.reserve(count + sizeof...(Limit));
  for (each_case& each : cases) all.push_back(&each);
  (all.push_back(&limit), ...);
  return select(in_order, all);
}

inline std::optional<std::size_t> unless(std::size_t over, std::size_t index) {
  return index == over ? std::nullopt : std::optional(index);
}

template <has_wait_case... Things>
std::size_t wait_any(Things&&... things) {
  return select(in_order, things.wait_case()...);
}

template <waitable_range R>
std::size_t wait_any(R&& things) {
  return wait_any_of(things);
}

template <has_wait_case... Things>
std::optional<std::size_t> wait_any_until(
    std::chrono::steady_clock::time_point when, Things&&... things) {
  return unless(sizeof...(Things),
                select(in_order, things.wait_case()..., timeout_case(when)));
}

template <waitable_range R>
std::optional<std::size_t> wait_any_until(
    std::chrono::steady_clock::time_point when, R&& things) {
  const auto count = static_cast<std::size_t>(std::ranges::distance(things));
  return unless(count, wait_any_of(things, timeout_case(when)));
}

template <typename Rep, typename Period, typename... Things>
std::optional<std::size_t> wait_any_for(std::chrono::duration<Rep, Period> time,
                                        Things&&... things) {
  return wait_any_until(time_limit::after(saturate(time)), things...);
}

template <has_wait_case... Things>
void wait_all(Things&&... things) {
  (select(in_order, things.wait_case()), ...);
}

template <waitable_range R>
void wait_all(R&& things) {
  for (auto&& each : things) select(in_order, wait_case_of(each));
}

template <has_wait_case... Things>
bool wait_all_until(std::chrono::steady_clock::time_point when,
                    Things&&... things) {
  return ((select(in_order, things.wait_case(), timeout_case(when)) == 0) &&
          ...);
}

template <waitable_range R>
bool wait_all_until(std::chrono::steady_clock::time_point when, R&& things) {
  for (auto&& each : things)
    if (select(in_order, wait_case_of(each), timeout_case(when)) != 0)
      return false;
  return true;
}

template <typename Rep, typename Period, typename... Things>
bool wait_all_for(std::chrono::duration<Rep, Period> time, Things&&... things) {
  return wait_all_until(time_limit::after(saturate(time)), things...);
}

}  // namespace weft
