// SPDX-License-Identifier: BSL-1.0
// The case that a future gives to a select: made by future::wait_case().
//
// Lifetime: keeps what it waits for, so the future may be dropped.
#pragma once

#include <functional>
#include <source_location>
#include <utility>

#include "weft/scheduler/select.h"
#include "weft/structure/future_state.h"

namespace weft {

template <typename F>
class future_case : public conditional_case<future_case<F>> {
  using base = conditional_case<future_case<F>>;
  using typename base::verbs;

 public:
  future_case(reader<future_state> of, F handler, std::source_location where)
      : base(table, where), of_(std::move(of)), handler_(std::move(handler)) {}

  void handle() { static_cast<void>(std::invoke(handler_)); }

 private:
  static future_state& of(select_case& c) {
    return *static_cast<future_case&>(c).of_.get();
  }
  static constexpr verbs table{
      .reason = "wait for a future",
      .ready =
          [](select_case& c, dispatcher* s) {
            of(c).require_here(s);
            return of(c).ready();
          },
      .perform =
          [](select_case&, dispatcher*, control_block*&) {
            return true;  // It stays ready.
          },
      .line = [](select_case& c) -> wait_queue& { return of(c).line(); },
      .handle = [](select_case& c) { static_cast<future_case&>(c).handle(); }};

  reader<future_state> of_;
  [[no_unique_address]] F handler_;
};

}  // namespace weft
