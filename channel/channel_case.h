// SPDX-License-Identifier: BSL-1.0
// The cases that a channel gives to a select: made by channel::receive_case()
// and channel::send_case().
#pragma once

#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/channel/rendezvous.h"
#include "weft/scheduler/select.h"

namespace weft {

// A handler takes what receive() gives, an optional; or only the value: then
// a channel that is closed and drained makes the select throw channel_closed,
// as take() does. Without a handler, value() has it.
template <typename T, typename F>
class receive_case : public conditional_case<receive_case<T, F>> {
  using base = conditional_case<receive_case<T, F>>;
  using typename base::verbs;
  using core = rendezvous<T>;
  static constexpr bool takes_optional =
      std::is_invocable_v<F&, std::optional<T>&&>;
  static_assert(std::is_same_v<F, no_handler> || takes_optional ||
                    std::is_invocable_v<F&, T&&>,
                "weft: the handler of a receive case takes a std::optional of "
                "what the channel carries, or the value itself");

 public:
  receive_case(core& from, F handler, std::source_location where)
      : base(table, where), from_(&from), handler_(std::move(handler)) {}

  // What has been received; nullopt: closed and drained. Requires: it is the
  // case that has happened last.
  std::optional<T> value() {
    if constexpr (core::raw)
      return status_ == op_status::done ? std::optional<T>(landing_)
                                        : std::nullopt;
    else
      return std::exchange(landing_, std::nullopt);
  }

  void handle() {
    if constexpr (std::is_same_v<F, no_handler>) {
    } else if constexpr (takes_optional) {
      static_cast<void>(std::invoke(handler_, value()));
    } else {
      std::optional<T> v = value();
      if (!v) core::throw_drained();
      static_cast<void>(std::invoke(handler_, std::move(*v)));
    }
  }

 private:
  static receive_case& of(select_case& c) {
    return static_cast<receive_case&>(c);
  }
  static constexpr verbs table{
      .reason = "receive",
      .ready = [](select_case& c,
                  dispatcher* s) { return of(c).from_->can_get(s); },
      .perform =
          [](select_case& c, dispatcher* s) {
            receive_case& self = of(c);
            self.clear();
            control_block* next = nullptr;
            self.status_ = self.from_->get_now(s, self.landing_, next);
            return next;
          },
      .line = [](select_case& c) -> wait_queue& {
        of(c).clear();
        of(c).record_.slot = &of(c).landing_;
        return of(c).from_->receivers_;
      },
      .waited =
          [](select_case& c) {
            of(c).status_ = of(c).record_.slot != nullptr ? op_status::done
                                                          : op_status::closed;
          },
      .tell = [](select_case& c, dispatcher* s,
                 bool waits) { of(c).from_->tell_of_case(s, false, waits); },
      .handle = [](select_case& c) { of(c).handle(); }};

  void clear() {
    if constexpr (!core::raw) landing_.reset();
  }

  core* from_;
  typename core::landing landing_;
  op_status status_ = op_status::would_block;
  [[no_unique_address]] F handler_;
};

// Refers to its value, which is moved from, or copied if it was given as a
// const one, only if this case happens. A small one (received_raw) it keeps, so
// that a case of a literal may have a name.
template <typename T, typename F>
class send_case : public conditional_case<send_case<T, F>> {
  using base = conditional_case<send_case<T, F>>;
  using typename base::verbs;
  using core = rendezvous<T>;
  static_assert(std::is_invocable_v<F&>,
                "weft: the handler of a send case takes nothing");

 public:
  send_case(core& to, T&& value, F handler, std::source_location where)
      : send_case(to, value, core::moved, std::move(handler), where) {}
  send_case(core& to, const T& value, F handler, std::source_location where)
      : send_case(to, const_cast<T&>(value), core::copied, std::move(handler),
                  where) {}

  void handle() {
    if (status_ != op_status::done) core::throw_unsent(status_);
    static_cast<void>(std::invoke(handler_));
  }

 private:
  send_case(core& to, T& value, typename core::offer_kind k, F handler,
            std::source_location where)
      : base(table, where),
        to_(&to),
        value_(keep(value)),
        kind_(k),
        handler_(std::move(handler)) {}

  static auto keep(T& value) {
    if constexpr (core::raw)
      return value;
    else
      return &value;
  }
  static send_case& of(select_case& c) { return static_cast<send_case&>(c); }
  static constexpr verbs table{
      .reason = "send",
      .ready = [](select_case& c,
                  dispatcher* s) { return of(c).to_->can_put(s); },
      .perform =
          [](select_case& c, dispatcher* s) {
            send_case& self = of(c);
            control_block* next = nullptr;
            if constexpr (std::copy_constructible<T>) {
              if (self.kind_ == core::copied) {
                self.status_ = self.to_->put_now(
                    s, static_cast<const T&>(self.value()), next);
                return next;
              }
            }
            self.status_ = self.to_->put_now(s, std::move(self.value()), next);
            return next;
          },
      .line = [](select_case& c) -> wait_queue& {
        of(c).record_.slot = &of(c).value();
        of(c).record_.kind = of(c).kind_;
        return of(c).to_->senders_;
      },
      .waited =
          [](select_case& c) {
            of(c).status_ = of(c).record_.slot != nullptr ? op_status::done
                                                          : core::destroyed;
          },
      .tell = [](select_case& c, dispatcher* s,
                 bool waits) { of(c).to_->tell_of_case(s, true, waits); },
      .handle = [](select_case& c) { of(c).handle(); }};

  T& value() {
    if constexpr (core::raw)
      return value_;
    else
      return *value_;
  }

  core* to_;
  std::conditional_t<core::raw, T, T*> value_;
  typename core::offer_kind kind_;
  op_status status_ = op_status::would_block;
  [[no_unique_address]] F handler_;
};

}  // namespace weft
