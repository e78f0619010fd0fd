// SPDX-License-Identifier: BSL-1.0
// The case of a select that happens when a tasklet has ended: made by
// tasklet::join_case().
//
//   weft::select(worker.join_case([] { std::puts("done"); }),
//                weft::timeout_case(1s, [&] { worker.kill(); }));
//
// What escapes the tasklet while the select waits comes out of select(), as out
// of join().
#pragma once

#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/remote.h"
#include "weft/scheduler/select.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

template <typename F>
class join_case : public conditional_case<join_case<F>> {
  using base = conditional_case<join_case<F>>;
  using typename base::verbs;
  static_assert(std::is_invocable_v<F&>,
                "weft: the handler of a join case takes nothing");

 public:
  join_case(tasklet whom, F handler, std::source_location where)
      : base(table, where), whom_(whom), handler_(std::move(handler)) {}

  void handle() { static_cast<void>(std::invoke(handler_)); }

 private:
  static join_case& of(select_case& c) { return static_cast<join_case&>(c); }
  static constexpr verbs table{
      .reason = join_reason,
      .ready =
          [](select_case& c, dispatcher*) {
            const tasklet& whom = of(c).whom_;
            if (!whom.alive()) return true;
            if (whom.joining() == nullptr) of(c).far_.renew(whom);
            return false;
          },
      .perform = [](select_case&, dispatcher*,
                    control_block*&) { return true; },
      .line = [](select_case& c) -> wait_queue& { return of(c).line(); },
      .handle = [](select_case& c) { of(c).handle(); }};

  wait_queue& line() {
    descriptor& d = *whom_.d_;
    dispatcher* const s = this_dispatcher();
    if (d.owner != s) {
      far_->ask(*s);
      far_->fill(this->record_);
      return far_->line();
    }
    this->record_.slot = &d;
    return d.joiners;
  }

  tasklet whom_;
  far_join_holder far_;  // while it is of another scheduler
  [[no_unique_address]] F handler_;
};

template <typename F>
join_case<std::decay_t<F>> tasklet::join_case(
    F&& handler, std::source_location where) const {
  return {*this, std::forward<F>(handler), where};
}

}  // namespace weft
