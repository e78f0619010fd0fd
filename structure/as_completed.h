// SPDX-License-Identifier: BSL-1.0
// Futures in the order in which they become ready.
//
//   std::vector<weft::future<page>> pages = ...;
//   for (weft::future<page>& f : weft::as_completed(pages)) print(f.get());
//
// An input range of references to the futures of another range, which it keeps
// if that is given away, and refers to otherwise; then the futures may be moved
// or dropped, but the range must stay. Those that are ready come first, in their
// order. To go on to the next parks until there is one.
//
// Failures:  a future that has failed comes like any, and get() throws.
// Throws:    as future::wait(); when made error for a future that is not valid,
//            wrong_scheduler, no_scheduler, std::bad_alloc.
// Lifetime:  one loop by one tasklet at a time; left early, the rest is as it
//            was.
// Cost:      O(1) each; two allocations.
// (Python: asyncio.as_completed. gevent: iwait.)
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/structure/future.h"

namespace weft {

// Private: those that are ready, in order, and who waits for the next.
class completion_line {
 public:
  class entry final : public follower {
   public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    ~entry() override { leave(); }  // before it drops what it follows

    void* what = nullptr;  // the future

   private:
    friend class completion_line;
    void now_ready() noexcept override { of_->came(*this); }

    completion_line* of_ = nullptr;
    reader<future_state> state_;
    entry* next_ = nullptr;
  };

  completion_line() : home_(this_dispatcher()) { home_->require_scheduler(); }
  completion_line(const completion_line&) = delete;
  completion_line& operator=(const completion_line&) = delete;

  // Throw what forbids to wait for it.
  void add(entry& e, const future_base& f);
  // Parks until another is ready; null: there are no more.
  entry* next(std::source_location where);

 private:
  void came(entry& e) noexcept;

  dispatcher* home_;
  wait_queue waiters_;
  entry* first_ = nullptr;
  entry* last_ = nullptr;
  std::size_t left_ = 0;  // that next() has not given
};

template <typename V>
  requires std::ranges::forward_range<V> &&
           std::derived_from<std::ranges::range_value_t<V>, future_base> &&
           std::is_lvalue_reference_v<std::ranges::range_reference_t<V>>
class completions : public std::ranges::view_interface<completions<V>> {
  using item = std::remove_reference_t<std::ranges::range_reference_t<V>>;
  using entry = completion_line::entry;
  struct body {
    explicit body(V&& v)
        : all(std::move(v)),
          entries(static_cast<std::size_t>(std::ranges::distance(all))) {
      std::size_t i = 0;
      for (item& each : all) {
        entries[i].what = const_cast<void*>(
            static_cast<const volatile void*>(std::addressof(each)));
        line.add(entries[i++], each);
      }
    }
    V all;
    completion_line line;
    std::vector<entry> entries;
  };

 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = std::ranges::range_value_t<V>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    item& operator*() const { return *static_cast<item*>(at_->what); }
    iterator& operator++() {
      at_ = of_->line.next(of_where_);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& i, std::default_sentinel_t) {
      return i.at_ == nullptr;
    }

   private:
    friend class completions;
    iterator(body* of, std::source_location where)
        : of_(of), of_where_(where), at_(of->line.next(where)) {}

    body* of_ = nullptr;
    std::source_location of_where_;
    entry* at_ = nullptr;
  };

  completions(V all, std::source_location where)
      : body_(std::make_unique<body>(std::move(all))), where_(where) {}

  // Once.
  iterator begin() { return {body_.get(), where_}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  std::unique_ptr<body> body_;
  std::source_location where_;
};

template <std::ranges::viewable_range R>
completions<std::views::all_t<R>> as_completed(
    R&& all, std::source_location where = std::source_location::current()) {
  return {std::views::all(std::forward<R>(all)), where};
}

}  // namespace weft
