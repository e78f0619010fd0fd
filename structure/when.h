// SPDX-License-Identifier: BSL-1.0
// Futures of several futures: of all of them, or of the first.
//
//   auto [page, size] = weft::when_all(async(fetch, url), async(measure)).get();
//
//   std::vector<weft::future<page>> pages = ...;
//   std::vector<page> all = weft::when_all(std::move(pages)).get();
//
//   auto first = weft::when_any(std::move(mirrors)).get();
//   print(first.futures[first.index].get());  // does not park
//
// They take the futures over; who drops what they give drops these. No tasklet
// waits for them: whoever makes the last of them ready, or the first, makes the
// whole ready, before it goes on. Values are moved together by who gets them.
//
// Failures:  when_all() fails as soon as one of the futures does, with that; when
//            later ones fail, nobody has looked (see future.h).
//            when_any() does not fail: a future that has is ready.
// Throws:    error for a future that is not valid, wrong_scheduler for one of
//            another scheduler, no_scheduler, std::bad_alloc. Futures that
//            were given are dropped then.
// Cost:      O(n); one allocation, for a range two more, or three.
// (std::experimental: when_all, when_any. gevent: joinall.)
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "weft/structure/future.h"

namespace weft {

// What a T is among others: a void has a place, too.
template <typename T>
using element = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename... T>
future<std::tuple<element<T>...>> when_all(future<T>... all);

template <typename Futures>
struct when_any_result {
  std::size_t index;  // of the first that was ready
  Futures futures;    // all of them, as they were given
};

template <typename T, typename... More>
future<when_any_result<std::tuple<future<T>, future<More>...>>> when_any(
    future<T> first, future<More>... more);

template <typename T>
inline constexpr bool is_future = false;
template <typename T>
inline constexpr bool is_future<future<T>> = true;

// A range that is given away: std::move(futures).
template <typename R>
concept futures_given =
    std::ranges::input_range<R> && !std::is_lvalue_reference_v<R> &&
    is_future<std::ranges::range_value_t<R>>;

// The values of a range: in a vector, of references a vector of
// std::reference_wrapper; nothing of voids.
template <typename T>
struct values_of {
  using type = std::vector<T>;
};
template <>
struct values_of<void> {
  using type = void;
};
template <typename T>
struct values_of<T&> {
  using type = std::vector<std::reference_wrapper<T>>;
};
template <typename R>
using values_in = typename values_of<
    typename std::ranges::range_value_t<R>::value_type>::type;

template <typename R>
  requires futures_given<R>
future<values_in<R>> when_all(R&& all);

// Throws std::invalid_argument for an empty range, too.
template <typename R>
  requires futures_given<R>
future<when_any_result<std::vector<std::ranges::range_value_t<R>>>> when_any(
    R&& all);

// ---------------------------------------------------------------------------

// The half of both that no template is needed for.
class gathering {
 protected:
  class entry final : public follower {
   public:
    gathering* of = nullptr;
    future_state* state = nullptr;
    std::size_t index = 0;

   private:
    void now_ready() noexcept override { of->came(*this); }
  };

  gathering() = default;
  ~gathering() = default;

  // Looks at all, in order, then waits for those that are not ready.
  void begin(entry* first, entry* last) noexcept {
    for (entry* e = first; e != last; ++e) e->of = this;
    for (entry* e = first; e != last; ++e)
      e->state->ready() ? came(*e) : e->follow(*e->state);
  }

 private:
  // One is ready.
  virtual void came(entry& e) noexcept = 0;
};

template <typename... T, typename See>
void for_each_future(std::tuple<future<T>...>& all, See see) {
  std::apply([&](auto&... each) { (see(each), ...); }, all);
}
template <typename T, typename See>
void for_each_future(std::vector<future<T>>& all, See see) {
  for (future<T>& each : all) see(each);
}

// The entries of a tuple or a vector of futures.
template <typename Futures, typename Entry>
struct entries_of;
template <typename... T, typename Entry>
struct entries_of<std::tuple<future<T>...>, Entry> {
  explicit entries_of(std::tuple<future<T>...>& all) {
    std::size_t i = 0;
    for_each_future(all, [&](const future_base& f) {
      place[i].state = future_access::state_of(f).get();
      place[i].index = i;
      ++i;
    });
  }
  std::array<Entry, sizeof...(T)> place;
};
template <typename T, typename Entry>
struct entries_of<std::vector<future<T>>, Entry> {
  explicit entries_of(std::vector<future<T>>& all) : place(all.size()) {
    for (std::size_t i = 0; i != place.size(); ++i) {
      place[i].state = future_access::state_of(all[i]).get();
      place[i].index = i;
    }
  }
  std::vector<Entry> place;
};

template <typename Result, typename Futures>
class all_state final : public future_state_of<Result>, private gathering {
 public:
  explicit all_state(Futures&& all)
      : futures_(std::move(all)),
        entries_(futures_),
        missing_(entries_.place.size()) {
    if constexpr (requires { room_.reserve(missing_); })
      room_.reserve(missing_);  // Nothing but a move may fail later.
    if (missing_ == 0) this->conclude_deferred();
    begin(entries_.place.data(), entries_.place.data() + missing_);
  }

 private:
  void came(entry& e) noexcept override {
    if (this->ready()) return;
    if (e.state->failed())
      this->fail_as(*e.state);
    else if (--missing_ == 0)
      this->conclude_deferred();
  }

  template <typename T>
  static element<T> take(future<T>& f) {
    future_state* const s = future_access::state_of(f).get();
    s->require_value(true);
    auto& own = *static_cast<future_state_of<T>*>(s);
    if constexpr (std::is_void_v<T>) {
      own.take();
      return {};
    } else {
      return own.take();
    }
  }

  void collect() override {
    this->make_value([this]() -> Result { return values(futures_); });
  }
  template <typename... T>
  static Result values(std::tuple<future<T>...>& all) {
    return std::apply([](auto&... each) { return Result{take(each)...}; }, all);
  }
  template <typename T>
  Result values(std::vector<future<T>>& all) {
    if constexpr (std::is_void_v<T>) {
      for (future<T>& each : all) take(each);
    } else {
      for (future<T>& each : all) room_.push_back(take(each));
      return std::move(room_);
    }
  }

  // Where values that come as a vector are put together.
  using room = std::conditional_t<requires(Result r) { r.reserve(1); }, Result,
                                  std::monostate>;

  Futures futures_;
  entries_of<Futures, entry> entries_;
  std::size_t missing_;
  [[no_unique_address]] room room_;
};

template <typename Futures>
class any_state final : public future_state_of<when_any_result<Futures>>,
                        private gathering {
 public:
  explicit any_state(Futures&& all) : entries_(all) {
    this->make_value(
        [&] { return when_any_result<Futures>{0, std::move(all)}; });
    begin(entries_.place.data(), entries_.place.data() + entries_.place.size());
  }

 private:
  void came(entry& e) noexcept override {
    if (this->ready()) return;
    for (entry& each : entries_.place) each.leave();
    this->value().index = e.index;
    this->publish();
  }

  entries_of<Futures, entry> entries_;
};

// Throws what forbids to wait for one of them.
template <typename Futures>
void require_futures(Futures& all) {
  const dispatcher* s = this_dispatcher();
  s->require_scheduler();
  for_each_future(all, [s](const future_base& f) {
    future_access::state_of(f)->require_here(s);
  });
}

template <typename R>
auto as_vector(R&& all) {
  using futures = std::vector<std::ranges::range_value_t<R>>;
  if constexpr (std::is_same_v<std::remove_cvref_t<R>, futures>) {
    return futures(std::forward<R>(all));
  } else {
    futures those;
    for (auto&& each : all) those.push_back(std::move(each));
    return those;
  }
}

template <typename Result, typename State, typename Futures>
future<Result> gather(Futures&& all) {
  require_futures(all);
  return future_access::make<Result>(
      reader<future_state>(new State(std::forward<Futures>(all))));
}

template <typename... T>
future<std::tuple<element<T>...>> when_all(future<T>... all) {
  using result = std::tuple<element<T>...>;
  using futures = std::tuple<future<T>...>;
  return gather<result, all_state<result, futures>>(futures(std::move(all)...));
}

template <typename R>
  requires futures_given<R>
future<values_in<R>> when_all(R&& all) {
  using futures = std::vector<std::ranges::range_value_t<R>>;
  return gather<values_in<R>, all_state<values_in<R>, futures>>(
      as_vector(std::forward<R>(all)));
}

template <typename T, typename... More>
future<when_any_result<std::tuple<future<T>, future<More>...>>> when_any(
    future<T> first, future<More>... more) {
  using futures = std::tuple<future<T>, future<More>...>;
  return gather<when_any_result<futures>, any_state<futures>>(
      futures(std::move(first), std::move(more)...));
}

template <typename R>
  requires futures_given<R>
future<when_any_result<std::vector<std::ranges::range_value_t<R>>>> when_any(
    R&& all) {
  using futures = std::vector<std::ranges::range_value_t<R>>;
  futures those = as_vector(std::forward<R>(all));
  if (those.empty())
    throw std::invalid_argument("weft: when_any() of no futures");
  return gather<when_any_result<futures>, any_state<futures>>(std::move(those));
}

}  // namespace weft
