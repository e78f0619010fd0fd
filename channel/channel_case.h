// SPDX-License-Identifier: BSL-1.0
// The cases that a channel gives to a select: made by channel::receive_case()
// and channel::send_case().
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/channel/rendezvous.h"
#include "weft/scheduler/branchless.h"
#include "weft/scheduler/select.h"

namespace weft {

// What a receive case is, whatever its handler.
template <typename T>
class receive_case_of : public select_case {
 protected:
  using core = rendezvous<T>;

 public:
  // What has been received; nullopt: closed and drained. Requires: it is the
  // case that has happened last.
  std::optional<T> value() {
    if constexpr (core::raw)
      return status_ == op_status::done ? std::optional<T>(landing_)
                                        : std::nullopt;
    else
      return std::exchange(landing_, std::nullopt);
  }

  // Private: see glance_at() in select.h.
  [[gnu::always_inline]] bool glance(dispatcher* s, bool& plain) const {
    if (!from_->usual(s)) [[unlikely]] {
      plain = both(plain, !enabled());
      return false;
    }
    return both(enabled(), from_->has_value());
  }

 protected:
  receive_case_of(const verbs& v, core& from, std::source_location where)
      : select_case(v, where), from_(&from) {}

  static bool ready(select_case& c, dispatcher* s) {
    return of(c).from_->can_get(s);
  }
  static bool perform(select_case& c, dispatcher* s, control_block*& next) {
    receive_case_of& self = of(c);
    self.clear();
    self.status_ = self.from_->get_now(s, self.landing_, next);
    return self.status_ != op_status::would_block;
  }
  static guard::number its_guard(const select_case& c) {
    return static_cast<const receive_case_of&>(c).from_->guard_;
  }
  static bool share(select_case& c, shared_service& by) {
    receive_case_of& self = of(c);
    self.clear();
    self.status_ = self.from_->share_get(by, self.landing_);
    return self.status_ != op_status::would_block;
  }
  static wait_queue& line(select_case& c) {
    receive_case_of& self = of(c);
    self.clear();
    self.record_.slot = &self.landing_;
    self.from_->mark(self.record_);
    return self.from_->receivers_;
  }
  static void waited(select_case& c) {
    receive_case_of& self = of(c);
    self.status_ =
        self.record_.slot != nullptr ? op_status::done : op_status::closed;
  }
  static void undo(select_case& c) noexcept { of(c).clear(); }
  static void tell(select_case& c, dispatcher* s, bool waits) {
    core& from = *of(c).from_;
    if (from.observe([&] {
          return !from.closed_ || from.size() != 0 || !from.senders_.empty();
        }))
      from.tell_of_case(s, false, waits);
  }

 private:
  static receive_case_of& of(select_case& c) {
    return static_cast<receive_case_of&>(c);
  }
  void clear() {
    if constexpr (!core::raw) landing_.reset();
  }

  core* from_;
  typename core::landing landing_;
  op_status status_ = op_status::would_block;
};

// A handler takes what receive() gives, an optional; or only the value: then
// a channel that is closed and drained makes the select throw channel_closed,
// as take() does. Without a handler, value() has it.
template <typename T, typename F>
class receive_case
    : public conditional_case<receive_case<T, F>, receive_case_of<T>> {
  using base = conditional_case<receive_case<T, F>, receive_case_of<T>>;
  using typename base::core;
  using typename base::verbs;
  static constexpr bool takes_optional =
      std::is_invocable_v<F&, std::optional<T>&&>;
  static_assert(std::is_same_v<F, no_handler> || takes_optional ||
                    std::is_invocable_v<F&, T&&>,
                "weft: the handler of a receive case takes a std::optional of "
                "what the channel carries, or the value itself");

 public:
  receive_case(core& from, F handler, std::source_location where)
      : base(table, from, where), handler_(std::move(handler)) {}

  void handle() {
    if constexpr (std::is_same_v<F, no_handler>) {
    } else if constexpr (takes_optional) {
      static_cast<void>(std::invoke(handler_, this->value()));
    } else {
      std::optional<T> v = this->value();
      if (!v) core::throw_drained();
      static_cast<void>(std::invoke(handler_, std::move(*v)));
    }
  }

 private:
  static constexpr verbs table{
      .reason = "receive",
      .ready = base::ready,
      .perform = base::perform,
      .line = base::line,
      .waited = base::waited,
      .undo = base::undo,
      .tell = base::tell,
      .guarded_by = base::its_guard,
      .share = base::share,
      .handle = [](select_case& c) { static_cast<receive_case&>(c).handle(); }};

  [[no_unique_address]] F handler_;
};

// What a send case is, whatever its handler. Refers to its value, which is
// moved from, or copied if it was given as a const one, only if this case
// happens. A small one (received_raw) it keeps, so that a case of a literal may
// have a name.
template <typename T>
class send_case_of : public select_case {
 protected:
  using core = rendezvous<T>;

 public:
  // Private: see glance_at() in select.h.
  [[gnu::always_inline]] bool glance(dispatcher* s, bool& plain) const {
    if (!to_->usual(s)) [[unlikely]] {
      plain = both(plain, !enabled());
      return false;
    }
    return both(enabled(), to_->has_taker());
  }

 protected:
  send_case_of(const verbs& v, core& to, T&& value, std::source_location where)
      : send_case_of(v, to, value, core::moved, where) {}
  send_case_of(const verbs& v, core& to, const T& value,
               std::source_location where)
      : send_case_of(v, to, const_cast<T&>(value), core::copied, where) {}

  static bool ready(select_case& c, dispatcher* s) {
    return of(c).to_->can_put(s);
  }
  static bool perform(select_case& c, dispatcher* s, control_block*& next) {
    return of(c).give([&](core& to, auto&& value) {
      return to.put_now(s, std::forward<decltype(value)>(value), next);
    });
  }
  static guard::number its_guard(const select_case& c) {
    return static_cast<const send_case_of&>(c).to_->guard_;
  }
  static bool share(select_case& c, shared_service& by) {
    return of(c).give([&](core& to, auto&& value) {
      return to.share_put(by, std::forward<decltype(value)>(value));
    });
  }
  static wait_queue& line(select_case& c) {
    send_case_of& self = of(c);
    self.record_.slot = &self.value();
    self.record_.kind = self.kind_;
    self.to_->mark(self.record_);
    return self.to_->senders_;
  }
  static void waited(select_case& c) {
    send_case_of& self = of(c);
    self.status_ =
        self.record_.slot != nullptr ? op_status::done : core::destroyed;
  }
  static void tell(select_case& c, dispatcher* s, bool waits) {
    if (!of(c).to_->closed()) of(c).to_->tell_of_case(s, true, waits);
  }
  void throw_if_unsent() const {
    if (status_ != op_status::done) [[unlikely]]
      core::throw_unsent(status_);
  }

 private:
  send_case_of(const verbs& v, core& to, T& value, typename core::offer_kind k,
               std::source_location where)
      : select_case(v, where), to_(&to), value_(keep(value)), kind_(k) {}

  static send_case_of& of(select_case& c) {
    return static_cast<send_case_of&>(c);
  }
  template <typename Put>
  [[gnu::always_inline]] bool give(Put put) {
    status_ = [&] {
      if constexpr (std::copy_constructible<T>)
        if (core::raw || kind_ == core::copied)
          return put(*to_, std::as_const(value()));
      return put(*to_, std::move(value()));
    }();
    return status_ != op_status::would_block;
  }
  static auto keep(T& value) {
    if constexpr (core::raw)
      return value;
    else
      return &value;
  }
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
};

template <typename T, typename F>
class send_case : public conditional_case<send_case<T, F>, send_case_of<T>> {
  using base = conditional_case<send_case<T, F>, send_case_of<T>>;
  using typename base::core;
  using typename base::verbs;
  static_assert(std::is_invocable_v<F&>,
                "weft: the handler of a send case takes nothing");

 public:
  // Value: T&&, or const T&.
  template <typename Value>
  send_case(core& to, Value&& value, F handler, std::source_location where)
      : base(table, to, std::forward<Value>(value), where),
        handler_(std::move(handler)) {}

  void handle() {
    this->throw_if_unsent();
    static_cast<void>(std::invoke(handler_));
  }

 private:
  static constexpr verbs table{
      .reason = "send",
      .ready = base::ready,
      .perform = base::perform,
      .line = base::line,
      .waited = base::waited,
      .tell = base::tell,
      .guarded_by = base::its_guard,
      .share = base::share,
      .handle = [](select_case& c) { static_cast<send_case&>(c).handle(); }};

  [[no_unique_address]] F handler_;
};

}  // namespace weft
