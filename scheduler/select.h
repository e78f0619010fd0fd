// SPDX-License-Identifier: BSL-1.0
// Waiting for the first of several things to happen.
//
//   weft::select(
//       orders.receive_case([&](std::optional<order> o) { serve(o); }),
//       bills.send_case(next_bill, [&] { ++sent; }).when(owed > 0),
//       weft::timeout_case(1s, [&] { look_at_the_clock(); }));
//
// Or without handlers, by index:
//
//   auto order_in = orders.receive_case();
//   auto quit = stop.receive_case();
//   switch (weft::select(order_in, quit)) {
//     case 0: serve(order_in.value()); break;
//     case 1: return;
//   }
//
// Exactly one case happens, and the others leave no trace. If several can
// happen at once, each has the same chance, drawn from the scheduler's seed so
// that a run can be repeated; after weft::in_order the first of them wins. If
// none can, the default case happens; without one, the caller parks until
// something can, or the time of a timeout case has come.
//
// A receive case of a closed and drained channel can happen, and gives nullopt.
// A send case of a closed one throws channel_closed. Several cases may be of
// one channel, in both directions too: a select never meets itself. Whoever is
// parked in a select stands in line like others, and counts in each balance.
//
// Failure:       as the operations that are selected between: no_scheduler,
//                wrong_scheduler, channel_closed, what send_exception() sent,
//                deadlock_error where nothing could ever happen, tasklet_exit
//                when killed. Until a case has happened nothing has changed.
// Handlers:      run in the caller, when all is settled; what they throw comes
//                out of select().
// Cost:          O(cases); no allocation, but for ranges of more than 16.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/scheduler/alarm.h"
#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/saturate.h"
#include "weft/scheduler/select_case.h"

namespace weft {

// For cases without a handler.
struct no_handler {
  void operator()() const {}
};

// Happens when it is waited for this long, or until then, and nothing else has.
// With several, the earliest counts. Zero or less: at once, as a default case.
template <typename F = no_handler>
class timeout_case;
// Happens when nothing else can, so that the select does not park.
template <typename F = no_handler>
class default_case;

template <typename Case>
concept selectable = std::derived_from<std::remove_cvref_t<Case>, select_case>;

struct in_order_t {};
inline constexpr in_order_t in_order{};

// Gives the index of the case that has happened.
template <selectable... Cases>
std::size_t select(Cases&&... cases);
template <selectable... Cases>
std::size_t select(in_order_t, Cases&&... cases);

// Of a range of cases, or of pointers to cases of any kind, as
// std::vector<weft::select_case*>. None at all, or none that is switched on,
// can never happen.
template <std::ranges::forward_range Cases>
std::size_t select(Cases&& cases);
template <std::ranges::forward_range Cases>
std::size_t select(in_order_t, Cases&& cases);

// ---------------------------------------------------------------------------

struct crossing_wait;

// The half of a select that no template is needed for:
//
//   begin:  choose a case that is ready - make it happen
//           or line up for all of them
//   (switch, inlined into the caller)
//   end:    which was it?
//
// Where nothing unusual is afoot the caller has seen at a glance which cases
// are ready, and begins with take(), or with wait() if none is.
class selection {
 public:
  // `ready`: room for as many.
  selection(select_case* const* cases, std::uint32_t* ready, std::size_t count,
            bool fair)
      : cases_(cases), ready_(ready), count_(count), fair_(fair) {}
  selection(const selection&) = delete;
  selection& operator=(const selection&) = delete;
  ~selection() {
    if (parked_) [[unlikely]]
      give_back();
  }

  // Each gives whether the caller has to switch, to `next`; null: to anybody.
  bool begin(dispatcher* s, control_block*& next);
  // One of the first `n` of `ready`; not of none.
  bool take(dispatcher* s, std::size_t n, control_block*& next) {
    next = nullptr;
    happened_ = choose(s, n);
    select_case& c = *cases_[happened_];
    if (!c.verbs_->perform(c, s, next)) [[unlikely]]
      return begin(s, next);
    return next != nullptr;
  }
  // None is ready.
  bool wait(dispatcher* s, control_block*& next);

  // The index of what has happened.
  std::size_t end() {
    if (parked_) look_back();
    return happened_;
  }
  void handle() const { cases_[happened_]->verbs_->handle(*cases_[happened_]); }

 private:
  std::size_t choose(dispatcher* s, std::size_t n) const {
    const bool drawn = fair_ && n > 1;
    return ready_[drawn ? s->draw(static_cast<std::uint32_t>(n)) : 0];
  }
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] bool may_wait() const;
  [[nodiscard]] guard_set guards() const;
  std::size_t find_ready(dispatcher* s);
  std::size_t look(dispatcher* s);
  std::size_t tell(dispatcher* s, std::size_t n);
  bool ends_at_once(dispatcher* s, std::optional<time_point>& deadline);
  wait_record* link(wait_record& last);
  void share(dispatcher* s, std::size_t told);
  void prepare_to_share(dispatcher* s);
  bool share_now(dispatcher* s, crossing_wait* to_wait, std::size_t told);
  void look_back() noexcept;
  void give_back() noexcept;
  select_case* take_served() noexcept;

  select_case* const* cases_;
  std::uint32_t* ready_;  // the indices of those that are ready
  std::size_t count_;
  std::size_t happened_;
  bool fair_;
  bool parked_ = false;
  // While it is parked:
  bool timed_;
  std::size_t timeout_;  // the earliest timeout case
  wait_record own_;      // the last of the chain; the alarm's
  union {
    alarm alarm_;  // if it is timed
  };
};

class timeout_case_base : public select_case {
 protected:
  using time_point = std::chrono::steady_clock::time_point;
  timeout_case_base(const verbs& v, std::chrono::nanoseconds time,
                    std::source_location where)
      : select_case(v, where, kind::timeout), time_(time) {}
  timeout_case_base(const verbs& v, time_point when, std::source_location where)
      : select_case(v, where, kind::timeout), when_(when) {}

 public:
  // Private: never ready at a glance.
  static bool glance(dispatcher*, bool&) { return false; }

 private:
  friend class selection;
  std::chrono::nanoseconds time_{0};
  std::optional<time_point> when_;
};

template <typename F>
class timeout_case
    : public conditional_case<timeout_case<F>, timeout_case_base> {
  using base = conditional_case<timeout_case<F>, timeout_case_base>;
  using typename base::time_point;
  using typename base::verbs;

 public:
  template <typename Rep, typename Period>
  explicit timeout_case(
      std::chrono::duration<Rep, Period> time, F handler = {},
      std::source_location where = std::source_location::current())
      : base(table, saturate(time), where), handler_(std::move(handler)) {}
  explicit timeout_case(
      time_point when, F handler = {},
      std::source_location where = std::source_location::current())
      : base(table, when, where), handler_(std::move(handler)) {}

  void handle() { static_cast<void>(std::invoke(handler_)); }

 private:
  static constexpr verbs table{
      .reason = "time-out",
      .handle = [](select_case& c) { static_cast<timeout_case&>(c).handle(); }};
  F handler_;
};
template <typename Time>
timeout_case(Time) -> timeout_case<no_handler>;
template <typename Time, typename F>
timeout_case(Time, F) -> timeout_case<F>;

template <typename F>
class default_case : public conditional_case<default_case<F>> {
  using base = conditional_case<default_case<F>>;
  using typename base::kind;
  using typename base::verbs;

 public:
  explicit default_case(F handler = {}, std::source_location where =
                                            std::source_location::current())
      : base(table, where, kind::otherwise), handler_(std::move(handler)) {}

  // Private: never ready at a glance.
  static bool glance(dispatcher*, bool&) { return false; }
  void handle() { static_cast<void>(std::invoke(handler_)); }

 private:
  static constexpr verbs table{
      .reason = "default",
      .handle = [](select_case& c) { static_cast<default_case&>(c).handle(); }};
  F handler_;
};
default_case() -> default_case<no_handler>;

// Whether a case can happen now. Clears `plain` where only verbs::ready knows.
template <typename Case>
[[gnu::always_inline]] inline bool glance_at(const Case& c, dispatcher* s,
                                             bool& plain) {
  if constexpr (requires { c.glance(s, plain); }) {
    return c.glance(s, plain);
  } else {
    plain = false;
    return false;
  }
}

template <selectable... Cases>
[[gnu::always_inline]] inline std::size_t select_among(bool fair,
                                                       Cases&... cases) {
  constexpr std::size_t count = sizeof...(cases);
  std::array<select_case*, count> all{&cases...};
  std::array<std::uint32_t, count>
      ready;  // NOLINT: filled as far as it is read
  selection s(all.data(), ready.data(), count, fair);
  dispatcher* d = this_dispatcher();
  bool plain = count != 0;
  std::size_t n = 0;
  std::uint32_t i = 0;
  ((ready[n] = i++, n += glance_at(cases, d, plain)), ...);
  control_block* next;
  const bool switches = !plain   ? s.begin(d, next)
                        : n != 0 ? s.take(d, n, next)
                                 : s.wait(d, next);
  if (switches) d->switch_to(d->current, next);
  const std::size_t happened = s.end();
  i = 0;
  ((i++ == happened ? cases.handle() : void()), ...);
  return happened;
}

template <selectable... Cases>
[[gnu::always_inline]] inline std::size_t select(Cases&&... cases) {
  return select_among(true, cases...);
}
template <selectable... Cases>
[[gnu::always_inline]] inline std::size_t select(in_order_t, Cases&&... cases) {
  return select_among(false, cases...);
}

template <typename Cases>
std::size_t select_from(bool fair, Cases& cases) {
  constexpr std::size_t few = 16;
  std::array<select_case*, few> place;
  std::array<std::uint32_t, few> ready_place;
  std::vector<select_case*> more;
  std::vector<std::uint32_t> more_ready;
  const auto count = static_cast<std::size_t>(std::ranges::distance(cases));
  select_case** all = place.data();
  std::uint32_t* ready = ready_place.data();
  if (count > few) {
    more.resize(count);
    more_ready.resize(count);
    all = more.data();
    ready = more_ready.data();
  }
  select_case** at = all;
  for (auto&& each : cases) {
    if constexpr (selectable<decltype(each)>) {
      static_assert(
          std::is_lvalue_reference_v<std::ranges::range_reference_t<Cases>>,
          "weft: the cases of a select outlive it: keep them in a container");
      *at++ = &each;
    } else {
      *at++ = std::to_address(each);
    }
  }
  selection s(all, ready, count, fair);
  dispatcher* d = this_dispatcher();
  control_block* next;
  if (s.begin(d, next)) d->switch_to(d->current, next);
  const std::size_t happened = s.end();
  s.handle();
  return happened;
}

template <std::ranges::forward_range Cases>
std::size_t select(Cases&& cases) {
  return select_from(true, cases);
}
template <std::ranges::forward_range Cases>
std::size_t select(in_order_t, Cases&& cases) {
  return select_from(false, cases);
}

}  // namespace weft
