// SPDX-License-Identifier: BSL-1.0
// A function of every element of a range, several calls at a time.
//
//   std::vector<page> pages = weft::map(urls, fetch, 8);
//
//   for (page& p : weft::map_unordered(urls, fetch, 8)) print(p);
//
//   weft::for_each(urls, [](const url& u) { remove(u); }, 8);
//
// Each element is copied or moved out of the range into a tasklet of its own,
// which calls f(element). At most n of them are alive at a time. The range is
// read in the caller, one element when there is room for it, so it may be an
// input range, may block, and need not end.
//
// The first failure kills the others and is thrown when they have ended; so is
// what the range throws. Later ones go to the error handler, else to stderr.
// What leaves the caller early, a kill, a time-out, has all killed first. While
// the range blocks, the consumer of map_unordered() does: it hears of results and
// of a failure when the range gives an element or ends. So the range must not wait
// for what is done with the results.
//
// Thread safety: the thread of the scheduler; elsewhere begin() and ++ throw
//                wrong_scheduler.
// Cost:          a spawn and amortised O(1) an element; no more than n elements
//                and results, less the vector of map().
// (gevent: Pool.map, imap_unordered.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/spawn.h"
#include "weft/structure/broken_promise.h"
#include "weft/structure/crew.h"
#include "weft/structure/scope.h"
#include "weft/structure/slots.h"

namespace weft {

// A copy of f is called for all elements, by several tasklets.
template <typename F, typename R>
concept maps = std::ranges::input_range<R> &&
               std::constructible_from<std::ranges::range_value_t<R>,
                                       std::ranges::range_reference_t<R>> &&
               std::invocable<F&, std::ranges::range_value_t<R>>;

template <typename F, typename R>
using mapped_t = std::invoke_result_t<F&, std::ranges::range_value_t<R>>;

// Parks until f has been called for all. n: 0 is taken for 1.
template <std::ranges::input_range R, typename F>
  requires maps<F, R>
void for_each(R&& range, F f, std::size_t n,
              std::source_location where = std::source_location::current()) {
  const auto room = std::make_shared<slots>(std::max<std::size_t>(n, 1));
  scope all(where);
  auto at = std::ranges::begin(range);
  const auto end = std::ranges::end(range);
  for (bool first = true;; first = false) {
    auto one = room->take("for_each", where);
    if (all.cancelled()) break;
    if (!first) ++at;
    if (at == end) break;
    all.spawn({.site = where},
              [&f, one = std::move(one),
               element = std::ranges::range_value_t<R>(*at)]() mutable {
                std::invoke(f, std::move(element));
              });
  }
}

// What f gave, in the order of the elements.
// Throws broken_promise, too, where a call was killed.
template <std::ranges::input_range R, typename F>
  requires maps<F, R> && std::movable<mapped_t<F, R>>
std::vector<mapped_t<F, R>> map(
    R&& range, F f, std::size_t n,
    std::source_location where = std::source_location::current()) {
  std::deque<std::optional<mapped_t<F, R>>> results;  // They stay in place.
  auto numbered = std::views::transform(
      std::views::all(std::forward<R>(range)), [&results](auto&& element) {
        return std::pair<std::optional<mapped_t<F, R>>*,
                         std::ranges::range_value_t<R>>(
            &results.emplace_back(), std::forward<decltype(element)>(element));
      });
  for_each(
      std::move(numbered),
      [&f](auto&& task) {
        task.first->emplace(std::invoke(f, std::move(task.second)));
      },
      n, where);
  std::vector<mapped_t<F, R>> all;
  all.reserve(results.size());
  for (auto& r : results) {
    if (!r)
      throw broken_promise(
          "weft: a call of map() was killed before its result");
    all.push_back(*std::move(r));
  }
  return all;
}

// What f gives, as an input range: of one consumer, in the order in which the
// calls return. Calls begin when the consumer asks for a result, and go on while
// it does other things; those that run and the results that it has not come to
// are n together. Its end kills those that run, and waits.
template <std::ranges::view V, typename F>
  requires maps<F, V> && std::movable<mapped_t<F, V>>
class map_unordered_view {
  struct state;

 public:
  using value_type = mapped_t<F, V>;

  map_unordered_view(V range, F f, std::size_t n, std::source_location where)
      : state_(
            std::make_shared<state>(std::move(range), std::move(f), n, where)) {
    state_->workers = std::make_shared<crew>(*state_);
  }
  map_unordered_view(map_unordered_view&&) = default;
  map_unordered_view& operator=(map_unordered_view&&) = delete;
  ~map_unordered_view() {
    if (state_) state_->end();
  }

  class iterator {
   public:
    using value_type = map_unordered_view::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    value_type& operator*() const { return *of_->current; }
    // Parks until there is one. Throws the first failure; as join().
    iterator& operator++() {
      of_->step();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& i, std::default_sentinel_t) {
      return !i.of_->current.has_value();
    }

   private:
    friend class map_unordered_view;
    explicit iterator(state* of) : of_(of) {}
    state* of_ = nullptr;
  };

  // Once. Throws as ++.
  iterator begin() {
    state_->step();
    return iterator(state_.get());
  }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  // Whatever the end of a call, the consumer hears of it.
  struct bell {
    explicit bell(std::shared_ptr<state> s) : of(std::move(s)) {}
    bell(bell&&) = default;
    bell& operator=(bell&&) = delete;
    ~bell() {
      if (of) of->wake();
    }
    std::shared_ptr<state> of;
  };

  struct state final : crew::overseer, std::enable_shared_from_this<state> {
    state(V r, F g, std::size_t limit, std::source_location where)
        : range(std::move(r)),
          f(std::move(g)),
          n(std::max<std::size_t>(limit, 1)),
          site(where) {}

    // Those that run are as many as there is room for.
    void fill() {
      while (!drained && !failed && workers->size() + ready.size() < n) {
        at ? static_cast<void>(++*at)
           : static_cast<void>(at.emplace(std::ranges::begin(range)));
        if (*at == std::ranges::end(range)) {
          drained = true;
          break;
        }
        workers->spawn(
            {.site = site},
            [at_end = bell(this->shared_from_this()),
             element = std::ranges::range_value_t<V>(**at)]() mutable {
              state& self = *at_end.of;
              self.ready.push_back(std::invoke(self.f, std::move(element)));
            });
      }
    }

    void step() {
      workers->require_home();
      current.reset();
      dispatcher* s = this_dispatcher();
      s->admit();
      try {
        fill();
        while (ready.empty() && !failure && workers->size() != 0) {
          wait_record w("map_unordered", site);
          s->park(w, waiting);
          if (!ready.empty()) break;
          s->admit();
          fill();
        }
      } catch (...) {
        workers->drain("map_unordered", site);
        drained = true;
        ready.clear();
        throw;
      }
      if (failure) {
        workers->drain("map_unordered", site);
        drained = true;
        ready.clear();
        std::rethrow_exception(std::exchange(failure, nullptr));
      }
      if (ready.empty()) return;
      current.emplace(std::move(ready.front()));
      ready.pop_front();
    }

    void member_failed(const tasklet& who,
                       std::exception_ptr what) noexcept override {
      if (std::exchange(failed, true))
        return this_dispatcher()->report_unheard(who, what);
      failure = std::move(what);
      victim = who;
      workers->cancel();
    }

    void wake() noexcept {
      dispatcher* s = this_dispatcher();
      while (!waiting.empty()) s->serve(waiting.front(), waiting);
    }

    void end() noexcept {
      workers->drain("map_unordered", site);
      workers->forget_overseer();
      if (failure) this_dispatcher()->report_unheard(victim, failure);
    }

    V range;
    F f;
    std::size_t n;
    std::source_location site;
    std::optional<std::ranges::iterator_t<V>> at;
    bool drained = false;
    bool failed = false;
    std::exception_ptr failure;  // the first, until it is thrown
    tasklet victim;
    std::deque<value_type> ready;
    std::optional<value_type> current;
    wait_queue waiting;  // the consumer
    std::shared_ptr<crew> workers;
  };

  std::shared_ptr<state> state_;
};

template <std::ranges::viewable_range R, typename F>
  requires maps<F, R>
auto map_unordered(
    R&& range, F f, std::size_t n,
    std::source_location where = std::source_location::current()) {
  return map_unordered_view<std::views::all_t<R>, F>(
      std::views::all(std::forward<R>(range)), std::move(f), n, where);
}

}  // namespace weft
