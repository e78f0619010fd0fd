// SPDX-License-Identifier: BSL-1.0
// Private: what all that tasklets wait for here has in common: one line, served
// strictly in order, and how to stand in it.
//
// A primitive P derives from waiting_line and says what there is to be had:
//
//   bool possible(claim) const   whoever is first in line may have it now
//   void take(who, claim)        he has it
//   void give_back(claim)        he has it no more (if that means anything)
//   void refuse(who, claim)      throws what forbids to wait (if anything does)
//   bool passes(who, claim)      he may have it whoever stands in line (if
//     const                      anybody may)
//
// A claim is a number that P reads: how many, or which kind. From these five
// come the plain, timed and try_ forms of an operation, and its case of a
// select:
//
//   perform():  admitted? - nobody waits, and possible? take - may not park?
//               - park - something is raised instead? give back
//   serve():    while the first in line may have what he waits for: take for
//               him, take him off the line, to the tail of the run queue
//
// Invariants:
// - Whoever is first in line cannot have what he waits for: what becomes free
//   is his at once. Who comes later never overtakes.
// - What has been granted to one who has not gone on yet is listed in granted_,
//   if it can be given back: something may be raised in him first, and what he
//   waited for may be gone by then.
// - home_ equals the scheduler's key exactly while nothing unusual is afoot, so
//   that one compare admits an operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/waits.h"
#include "weft/tasklet/control_block.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

class waiting_line : private wait_target {
 public:
  waiting_line(const waiting_line&) = delete;
  waiting_line& operator=(const waiting_line&) = delete;

  // How many tasklets wait here.
  [[nodiscard]] std::size_t waiters() const { return line_.size(); }
  // For reports.
  [[nodiscard]] std::string_view name() const {
    return wait_target::name ? std::string_view(*wait_target::name)
                             : std::string_view();
  }
  void set_name(std::string name);

 protected:
  using location = std::source_location;
  using target = wait_target;

  // `left` is left_by<P>.
  waiting_line(const wait_kind& what, void (*left)(wait_queue&));
  // Those who wait go on with an error.
  ~waiting_line();

  // Every operation that may park begins with it: throws no_scheduler,
  // wrong_scheduler, what is due to the current tasklet.
  dispatcher* admit() {
    dispatcher* s = this_dispatcher();
    if (home_ != s->key) [[unlikely]]
      admit_slowly(s);
    return s;
  }
  // Those that only wake others: nothing that is due is raised, so that they
  // may stand in destructors.
  dispatcher* attend() {
    dispatcher* s = this_dispatcher();
    if (home_ != s->key) [[unlikely]]
      bind(s);
    return s;
  }
  static descriptor* current(const dispatcher* s) { return s->current->who; }
  // Of those that one who holds something may call.
  static const waiting_line& of(const target& t) {
    return static_cast<const waiting_line&>(t);
  }

  // `Operation` names it: its `reason` is what reports say. False: it has not
  // happened, since it may not wait, or not any longer.
  template <typename Operation, typename P, typename Wait>
  [[gnu::always_inline]] static bool perform(P& p, std::uint32_t claim,
                                             Wait wait, location where) {
    dispatcher* s = p.admit();
    if (ready(p, s, claim)) {
      p.take(current(s), claim);
      return true;
    }
    if constexpr (std::is_same_v<Wait, wait_never>) {
      return false;
    } else {
      if constexpr (requires { p.refuse(current(s), claim); })
        p.refuse(current(s), claim);
      wait_record w(Operation::reason, where);
      w.kind = claim;
      try {
        if constexpr (std::is_same_v<Wait, wait_forever>)
          s->park(w, p.line_);
        else if (!park(s, w, p.line_, wait))
          return false;
      } catch (...) {
        if (w.served != 0) undo(p, w);
        throw;
      }
      settle(w);
      return true;
    }
  }

  // Grants what can be had to those who wait for it, in order.
  template <typename P>
  static void serve(P& p) noexcept {
    if (!p.line_.empty()) serve_first(p);
  }
  // The same of one, whoever it is, unless its select has got something else in
  // another thread. Requires: somebody waits.
  template <typename P>
  static void serve_one(P& p, bool returnable = true) noexcept {
    wait_record& w = p.line_.front();
    if (!p.home_->claim(w)) return;
    p.take(w.who->who, w.kind);
    p.grant(w, returnable && requires { p.give_back(w.kind); });
  }

  // One who waited has left, killed or timed out: those behind may go on.
  template <typename P>
  static void left_by(wait_queue& line) {
    serve(static_cast<P&>(
        static_cast<waiting_line&>(*line.target())));  // NOLINT: it is one
  }

 private:
  template <typename Operation, typename P, typename F>
  friend class claim_case;

  static dispatcher unbound;

  void bind(dispatcher* s);
  void admit_slowly(dispatcher* s);
  static bool park(dispatcher* s, wait_record& w, wait_queue& line,
                   wait_until wait) {
    return s->park_until(w, line, wait.deadline);
  }
  static bool park(dispatcher* s, wait_record& w, wait_queue& line,
                   wait_for wait) {
    return s->park_for(w, line, wait.time);
  }

  template <typename P>
  static bool ready(P& p, const dispatcher* s, std::uint32_t claim) {
    if constexpr (requires { p.passes(current(s), claim); })
      if (p.passes(current(s), claim)) return true;
    return p.line_.empty() && p.possible(claim);
  }

  template <typename P>
  [[gnu::noinline]] static void serve_first(P& p) noexcept {
    while (!p.line_.empty() && p.possible(p.line_.front().kind)) serve_one(p);
  }

  void grant(wait_record& w, bool returnable) noexcept;
  // He has gone on. Touches what he waited for only if that is still there.
  static void settle(wait_record& w) {
    if (w.queue != nullptr) w.queue->remove(w);
  }
  // He was granted it, and has gone on with an exception.
  template <typename P>
  static void undo(P& p, wait_record& w) noexcept {
    if (w.queue == nullptr) return;
    settle(w);
    if constexpr (requires { p.give_back(w.kind); }) p.give_back(w.kind);
  }

  dispatcher* home_ = &unbound;  // the scheduler it belongs to
  wait_queue line_{this};
  wait_queue granted_;
};

// A claim as one of the cases of a select.
template <typename Operation, typename P, typename F>
class claim_case : public conditional_case<claim_case<Operation, P, F>> {
  using base = conditional_case<claim_case<Operation, P, F>>;
  using typename base::verbs;
  static_assert(std::is_invocable_v<F&>,
                "weft: the handler of this case takes nothing");

 public:
  claim_case(P& of, std::uint32_t claim, F handler, std::source_location where)
      : base(table, where),
        of_(&of),
        claim_(claim),
        handler_(std::move(handler)) {}

  void handle() { static_cast<void>(std::invoke(handler_)); }

 private:
  static claim_case& of(select_case& c) { return static_cast<claim_case&>(c); }
  bool ready(dispatcher* s) {
    of_->bind(s);
    if (waiting_line::ready(*of_, s, claim_)) return true;
    if constexpr (requires { of_->refuse(s->current->who, claim_); })
      of_->refuse(s->current->who, claim_);
    return false;
  }
  static constexpr verbs table{
      .reason = Operation::reason,
      .ready = [](select_case& c, dispatcher* s) { return of(c).ready(s); },
      .perform =
          [](select_case& c, dispatcher* s, control_block*&) {
            of(c).of_->take(s->current->who, of(c).claim_);
            return true;
          },
      .line = [](select_case& c) -> wait_queue& {
        of(c).record_.kind = of(c).claim_;
        return of(c).of_->line_;
      },
      .waited = [](select_case& c) { waiting_line::settle(of(c).record_); },
      .undo =
          [](select_case& c) noexcept {
            waiting_line::undo(*of(c).of_, of(c).record_);
          },
      .handle = [](select_case& c) { of(c).handle(); }};

  P* of_;
  std::uint32_t claim_;
  [[no_unique_address]] F handler_;
};

}  // namespace weft
