// SPDX-License-Identifier: BSL-1.0
// channel<void> carries a signal: that something happened, and no more.
//
//   weft::channel<void> done;
//   weft::spawn([&] { work(); done.send(); });
//   done.receive();
#pragma once

#include "weft/channel/channel.h"

namespace weft {

struct signal {};

template <>
class channel<void> : private channel<signal> {
  using base = channel<signal>;
  using location = std::source_location;
  using time_point = std::chrono::steady_clock::time_point;

 public:
  friend class any_channel;
  using base::base;
  using value_type = void;

  // As those of any channel, but a receive says only whether a signal came:
  // false means closed and drained.
  void send(location where = location::current()) { base::send({}, where); }
  bool receive(location where = location::current()) {
    return base::receive(where).has_value();
  }
  op_status try_send() { return base::try_send({}); }
  op_status try_receive() { return base::try_receive().status(); }
  op_status send_until(time_point when, location where = location::current()) {
    return base::send_until(when, {}, where);
  }
  op_status receive_until(time_point when,
                          location where = location::current()) {
    return base::receive_until(when, where).status();
  }
  template <typename Rep, typename Period>
  op_status send_for(std::chrono::duration<Rep, Period> time,
                     location where = location::current()) {
    return base::send_for(time, {}, where);
  }
  template <typename Rep, typename Period>
  op_status receive_for(std::chrono::duration<Rep, Period> time,
                        location where = location::current()) {
    return base::receive_for(time, where).status();
  }

  // The handler of a receive case takes a bool, as receive() gives, or nothing.
  template <typename F = no_handler>
  [[nodiscard]] auto receive_case(F&& handler = {},
                                  location where = location::current()) {
    if constexpr (std::is_same_v<std::decay_t<F>, no_handler>)
      return base::receive_case(no_handler(), where);
    else
      return base::receive_case(on_signal(std::forward<F>(handler)), where);
  }
  template <typename F = no_handler>
  [[nodiscard]] auto send_case(F&& handler = {},
                               location where = location::current()) {
    static constexpr signal nothing{};
    return base::send_case(nothing, std::forward<F>(handler), where);
  }

  using base::balance;
  using base::begin;
  using base::capacity;
  using base::clear;
  using base::close;
  using base::closed;
  using base::end;
  using base::front;
  using base::get_preference;
  using base::name;
  using base::send_exception;
  using base::set_name;
  using base::set_preference;
  using base::size;

 private:
  template <typename F>
  static auto on_signal(F&& handler) {
    if constexpr (std::is_invocable_v<std::decay_t<F>&, bool>)
      return [h = std::forward<F>(handler)](std::optional<signal> s) mutable {
        h(s.has_value());
      };
    else
      return [h = std::forward<F>(handler)](signal) mutable { h(); };
  }
};

}  // namespace weft
