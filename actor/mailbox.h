// SPDX-License-Identifier: BSL-1.0
// What an actor reads: messages of several types, from many senders to one.
//
//   struct deposit { int amount; };
//   using balance = weft::request<int>;  // asks for an int
//   weft::mailbox<deposit, balance> in;
//
//   weft::spawn([&] {                    // the actor
//     int money = 0;
//     while (in.receive([&](deposit d) { money += d.amount; },
//                       [&](balance q) { q.reply(money); })) {
//     }                                  // until the mailbox is closed
//   });
//   in.send(deposit{5});
//   int five = in.ask<balance>();
//
// A mailbox holds a number of messages; a sender to a full one parks until there
// is room. Unbounded ones are not offered, and 16 is the default, as a sender
// that is faster than its actor should be slowed down where it is, rather than
// fill the memory; and actors that wait for each other's room are told as a
// deadlock.
//
// Messages:       objects that can be moved without throwing. Moved once into
//                 the mailbox and once out of it.
// Ordering:       first in, first out; so the messages of one sender stay in
//                 order. Waiting senders are served in the order they came.
// Choosing:       receive_if() and receive_only() take the first message that
//                 fits, of those that are there and those that senders wait
//                 with. The others stay where they are, in order, and take their
//                 room: nothing is set aside or allocated. Looks at all again
//                 whenever something comes: O(messages).
// Thread safety,
// failure:        as channel.h says. It is read by one tasklet.
// Lifetime:       ending it wakes senders with channel_closed, the reader as if
//                 it had been closed, and askers with error.
// Cost:           O(1) but for choosing; one allocation, at the start.
//
// With handlers, an operation calls the one for the message's type, as an
// overload would be chosen, with the message as an rvalue. What it throws comes
// out of the operation; the message has been received all the same.
// (Erlang: receive. Akka: ask.)
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "weft/actor/request.h"
#include "weft/channel/channel_case.h"
#include "weft/channel/op_status.h"
#include "weft/channel/rendezvous.h"
#include "weft/scheduler/saturate.h"

namespace weft {

// Several callables as one.
template <typename... F>
struct overloaded : F... {
  using F::operator()...;
};
template <typename... F>
overloaded(F...) -> overloaded<F...>;

template <typename... Messages>
class mailbox : private rendezvous<std::variant<Messages...>> {
  static_assert(sizeof...(Messages) != 0, "weft: a mailbox of no messages");
  static_assert((std::is_nothrow_move_constructible_v<Messages> && ...),
                "weft: a message can be moved, and that does not throw");
  using core = rendezvous<std::variant<Messages...>>;
  using time_point = std::chrono::steady_clock::time_point;
  using location = std::source_location;

  static constexpr wait_kind kind{"mailbox"};
  template <typename M>
  static constexpr std::size_t count = (std::same_as<M, Messages> + ... + 0);
  static_assert(((count<Messages> == 1) && ...),
                "weft: the messages of a mailbox are of different types");

 public:
  using message = std::variant<Messages...>;

  // 0: holds nothing; a sender parks until its message is received.
  // Throws std::length_error over 2^32 - 1, std::bad_alloc.
  explicit mailbox(std::size_t capacity = 16)
      : core(preference::neither, capacity) {
    this->set_kind(kind);
  }

  // ---- for senders

  // Parks until there is room. Takes a message, or what one can be made of. On
  // failure a message that can be assigned to without throwing is as it was; what
  // one was made of has been moved from.
  // Throws channel_closed if closed, or destroyed meanwhile.
  template <typename M>
    requires std::constructible_from<message, M>
  void send(M&& m, location where = location::current()) {
    const op_status status = put_any(std::forward<M>(m), wait_forever{}, where);
    if (status != op_status::done) core::throw_unsent(status);
  }
  // As send(), but do not park, or until `when`, or for `time`, at most.
  template <typename M>
    requires std::constructible_from<message, M>
  op_status try_send(M&& m) {
    return put_any(std::forward<M>(m), wait_never{}, location::current());
  }
  template <typename M>
    requires std::constructible_from<message, M>
  op_status send_until(time_point when, M&& m,
                       location where = location::current()) {
    return put_any(std::forward<M>(m), wait_until{when}, where);
  }
  template <typename Rep, typename Period, typename M>
    requires std::constructible_from<message, M>
  op_status send_for(std::chrono::duration<Rep, Period> time, M&& m,
                     location where = location::current()) {
    return put_any(std::forward<M>(m), wait_for{saturate(time)}, where);
  }

  // Sends a request, made of `body`, and parks until it is answered. Question is
  // one of the messages, or the type of the reply where just one asks for that.
  // Throws what fail() was given; error where the request was destroyed without
  // an answer; channel_closed.
  template <typename Question, typename... Body>
  auto ask(Body&&... body) {
    using asked = question<Question>;
    asker<typename asked::reply_type> me;
    pose<asked>(me, wait_forever{}, std::forward<Body>(body)...);
    me.wait(wait_forever{}, location::current());
    if constexpr (!std::is_void_v<typename asked::reply_type>)
      return std::move(*me.value);
  }
  // As ask(), for `time` at most, or until `when`: nullopt then, or false where
  // the reply is void.
  template <typename Question, typename... Body>
  auto ask_until(time_point when, Body&&... body) {
    using asked = question<Question>;
    asker<typename asked::reply_type> me;
    const bool answered =
        pose<asked>(me, wait_until{when}, std::forward<Body>(body)...) &&
        me.wait(wait_until{when}, location::current());
    if constexpr (std::is_void_v<typename asked::reply_type>)
      return answered;
    else
      return answered ? std::move(me.value) : std::nullopt;
  }
  template <typename Question, typename Rep, typename Period, typename... Body>
  auto ask_for(std::chrono::duration<Rep, Period> time, Body&&... body) {
    dispatcher* s = this_dispatcher();
    s->require_scheduler();
    return ask_until<Question>(s->from_now(saturate(time)),
                               std::forward<Body>(body)...);
  }

  // No more messages. Those that are there, and those of waiting senders, are
  // still received. Never switches.
  using core::close;
  using core::closed;

  // ---- for the actor

  // Parks until there is a message. nullopt: closed and drained.
  std::optional<message> receive(location where = location::current()) {
    std::optional<message> m;
    static_cast<void>(core::get(m, wait_forever{}, where));
    return m;
  }
  // As above, and calls a handler; false: closed and drained.
  template <typename H, typename... Hs>
    requires(!std::same_as<std::remove_cvref_t<H>, location>)
  bool receive(H&& h, Hs&&... hs) {
    return deliver(wait_forever{}, std::forward<H>(h),
                   std::forward<Hs>(hs)...) == op_status::done;
  }
  // As above, but do not park, or until `when`, or for `time`, at most.
  template <typename... Hs>
  op_status try_receive(Hs&&... hs) {
    return deliver(wait_never{}, std::forward<Hs>(hs)...);
  }
  template <typename... Hs>
  op_status receive_until(time_point when, Hs&&... hs) {
    return deliver(wait_until{when}, std::forward<Hs>(hs)...);
  }
  template <typename Rep, typename Period, typename... Hs>
  op_status receive_for(std::chrono::duration<Rep, Period> time, Hs&&... hs) {
    return deliver(wait_for{saturate(time)}, std::forward<Hs>(hs)...);
  }

  // The first message for which `match` holds; it takes const references, and
  // does not hold for those of types that it does not take. It neither blocks
  // nor touches the mailbox. Throws error where another tasklet receives by
  // choice.
  template <typename Match, typename... Hs>
  bool receive_if(Match match, Hs&&... hs) {
    return choose(match, wait_forever{}, std::forward<Hs>(hs)...) ==
           op_status::done;
  }
  template <typename Match, typename... Hs>
  op_status try_receive_if(Match match, Hs&&... hs) {
    return choose(match, wait_never{}, std::forward<Hs>(hs)...);
  }
  template <typename Match, typename... Hs>
  op_status receive_if_until(time_point when, Match match, Hs&&... hs) {
    return choose(match, wait_until{when}, std::forward<Hs>(hs)...);
  }
  template <typename Rep, typename Period, typename Match, typename... Hs>
  op_status receive_if_for(std::chrono::duration<Rep, Period> time, Match match,
                           Hs&&... hs) {
    return choose(match, wait_for{saturate(time)}, std::forward<Hs>(hs)...);
  }

  // The first message of that type. nullopt: closed and without one; of the
  // second, or the time has passed. Throw error where another tasklet chooses.
  template <typename Only>
  std::optional<Only> receive_only(location where = location::current()) {
    return get_only<Only>(wait_forever{}, where);
  }
  template <typename Only, typename Rep, typename Period>
  std::optional<Only> receive_only_for(std::chrono::duration<Rep, Period> time,
                                       location where = location::current()) {
    return get_only<Only>(wait_for{saturate(time)}, where);
  }

  // A case of a select. Where the mailbox is closed and drained, the select
  // throws channel_closed; without handlers, value() has an optional message.
  template <typename... Hs>
  [[nodiscard]] auto receive_case(Hs&&... hs) {
    core& self = *this;
    if constexpr (sizeof...(Hs) == 0) {
      return weft::receive_case<message, no_handler>(self, {},
                                                     location::current());
    } else {
      using handler = dispatch<std::decay_t<Hs>...>;
      return weft::receive_case<message, handler>(
          self, handler{{std::forward<Hs>(hs)...}}, location::current());
    }
  }

  // Messages in it, and how many fit.
  [[nodiscard]] std::size_t size() const { return core::buffer_.size(); }
  [[nodiscard]] std::size_t capacity() const {
    return core::buffer_.capacity();
  }
  // How many senders (positive) or readers (negative) are parked, but for one
  // that chooses.
  using core::balance;

  // For reports.
  using core::name;
  using core::set_name;

 private:
  template <typename... F>
  struct dispatch {
    static_assert((std::is_invocable_v<overloaded<F...>&, Messages> && ...),
                  "weft: every message of a mailbox has a handler: one that "
                  "takes it, by value, const reference or rvalue reference, or "
                  "a generic one");
    overloaded<F...> each;
    template <std::same_as<message> M>
    void operator()(M&& m) {
      std::visit(
          [this](auto&& one) {
            static_cast<void>(each(std::forward<decltype(one)>(one)));
          },
          std::forward<M>(m));
    }
  };

  template <typename M>
  struct reply_of {
    struct type {};
  };
  template <typename M>
    requires requires { typename M::reply_type; }
  struct reply_of<M> {
    using type = typename M::reply_type;
  };
  template <typename Reply>
  static constexpr std::size_t asking =
      (std::is_same_v<typename reply_of<Messages>::type, Reply> + ... + 0);
  template <typename Reply, typename First, typename... Rest>
  static auto find_question() {
    if constexpr (std::is_same_v<typename reply_of<First>::type, Reply>)
      return std::type_identity<First>();
    else
      return find_question<Reply, Rest...>();
  }
  template <typename Question>
  static auto question_of() {
    if constexpr (count<Question> == 1) {
      return std::type_identity<Question>();
    } else {
      static_assert(asking<Question> == 1,
                    "weft: what is asked is one of the mailbox's messages, or "
                    "what exactly one of them has for a reply");
      return find_question<Question, Messages...>();
    }
  }
  template <typename Question>
  using question = typename decltype(question_of<Question>())::type;

  // Gives a message back that has not been sent.
  template <typename M>
  class loan {
   public:
    loan(M& owner, message& lent) : owner_(owner), lent_(lent) {}
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    ~loan() {
      if (!sent) owner_ = std::get<M>(std::move(lent_));
    }
    bool sent = false;

   private:
    M& owner_;
    message& lent_;
  };

  // g++ 12 takes what another alternative would move for uninitialised.
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
  template <typename M, typename Wait>
  op_status put_any(M&& m, Wait wait, location where) {
    using given = std::remove_cvref_t<M>;
    if constexpr (std::same_as<given, message>) {
      return core::put(std::forward<M>(m), wait, where);
    } else {
      message whole(std::forward<M>(m));
      if constexpr (std::same_as<M, given> && count<given> == 1 &&
                    std::is_nothrow_move_assignable_v<given>) {
        loan<given> lent(m, whole);
        const op_status status = core::put(std::move(whole), wait, where);
        lent.sent = status == op_status::done;
        return status;
      } else {
        return core::put(std::move(whole), wait, where);
      }
    }
  }
#pragma GCC diagnostic pop

  // False: the time passed first.
  template <typename Asked, typename Wait, typename... Body>
  bool pose(asker<typename Asked::reply_type>& me, Wait wait, Body&&... body) {
    message m(std::in_place_type<Asked>, std::forward<Body>(body)...);
    me.ask(std::get<Asked>(m));
    const op_status status = core::put(std::move(m), wait, location::current());
    if (status == op_status::timed_out) return false;
    if (status != op_status::done) core::throw_unsent(status);
    return true;
  }

  template <typename... Hs>
  static void handle(message&& m, Hs&&... hs) {
    dispatch<std::decay_t<Hs>...>{{std::forward<Hs>(hs)...}}(std::move(m));
  }

  template <typename Wait, typename... Hs>
  op_status deliver(Wait wait, Hs&&... hs) {
    std::optional<message> m;
    const op_status status = core::get(m, wait, location::current());
    if (status == op_status::done)
      handle(std::move(*m), std::forward<Hs>(hs)...);
    return status;
  }

  template <typename Match, typename Wait, typename... Hs>
  op_status choose(Match& match, Wait wait, Hs&&... hs) {
    const auto fits = [&match](const message& m) {
      return std::visit(
          [&match](const auto& one) -> bool {
            if constexpr (std::is_invocable_v<Match&, decltype(one)>)
              return match(one);
            else
              return false;
          },
          m);
    };
    std::optional<message> m;
    const op_status status = core::get_if(m, fits, wait, location::current());
    if (status == op_status::done)
      handle(std::move(*m), std::forward<Hs>(hs)...);
    return status;
  }

  template <typename Only, typename Wait>
  std::optional<Only> get_only(Wait wait, location where) {
    static_assert(count<Only> == 1,
                  "weft: receive_only() of what is no message of the mailbox");
    const auto fits = [](const message& m) {
      return std::holds_alternative<Only>(m);
    };
    std::optional<message> m;
    if (core::get_if(m, fits, wait, where) != op_status::done)
      return std::nullopt;
    return std::get<Only>(std::move(*m));
  }
};

}  // namespace weft
