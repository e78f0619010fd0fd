// SPDX-License-Identifier: BSL-1.0
// A typed hand-over between tasklets.
//
//   weft::channel<int> numbers;
//   weft::spawn([&] {
//     for (int i : {1, 2, 3}) numbers.send(i);
//     numbers.close();
//   });
//   for (int n : numbers) std::printf("%d ", n);  // 1 2 3
//
// Unbuffered, a channel stores nothing: whoever arrives first parks, whoever
// arrives second moves the value from one stack to the other. Buffered, it
// holds up to `capacity` values, and a sender parks only when it is full.
//
// Values:         anything that can be moved: move-only, not default
//                 constructible, with moves that throw. Moved exactly once
//                 through an unbuffered channel, twice through a buffer. To
//                 copy or move one as it passes, and to destroy what it was
//                 moved from, must neither park nor yield, nor use the channel.
// Ordering:       waiters are served in the order in which they came; who goes
//                 on first when two meet is its preference.
// Failure:        an operation that fails leaves queue, balance and values as
//                 they were; its argument has not been moved from. Where a
//                 value's move throws, the caller of the operation gets that
//                 and the partner stays parked.
// Thread safety:  belongs to the scheduler of the first operation on it; in any
//                 other thread operations throw wrong_scheduler or
//                 no_scheduler; queries and set_ functions are not checked.
//                 One that is made with weft::shared belongs to all: see below.
// Lifetime:       ending it wakes those who wait: receivers with nullopt,
//                 senders with channel_closed. Neither copied nor moved.
// Cost:           O(1) an operation; no allocation, no lock, no atomic
//                 read-modify-write.
//
// A shared channel is used by tasklets of any threads, and by threads without a
// scheduler, which block:
//
//   weft::channel<job> jobs(128, weft::shared);
//
// All of the above holds, in one order for all threads; but an lvalue whose copy
// may throw, and whose move does not, is copied first and then moved. What is
// done before a send happens before what is done after the receive that gets it;
// before a close, before what is done after a receive that gives nullopt.
// Preference matters where both that meet are of one scheduler; between two, the
// caller goes on. Values move under the channel's lock, but for buffered ones whose moves
// throw nothing: neither these, nor copies, nor the destructors of what was moved
// from block or use a shared channel. It outlives every operation on it; whoever
// ends it while tasklets of other threads wait has the program stopped: close()
// it before. (Go's channels; Stackless's between threads.)
// Cost: a switch to another thread, about 1 us if that is awake; a buffered
// value some 10 ns where two threads stream.
//
// Every operation that may park or switch throws tasklet_exit when its tasklet
// is killed; what throw_exception() raises in it; in main, what escaped a
// tasklet; deadlock_error where it would park for ever; and where they forbid
// it, block_trap_error and switch_trap_error.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/channel/channel_case.h"
#include "weft/channel/op_status.h"
#include "weft/channel/preference.h"
#include "weft/channel/rendezvous.h"
#include "weft/scheduler/saturate.h"

namespace weft {

template <typename T>
class channel : private rendezvous<T> {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "weft: a channel carries objects; for nothing, channel<void>");
  static_assert(std::is_move_constructible_v<T>,
                "weft: what a channel carries can be moved");
  using core = rendezvous<T>;
  using core::get;
  using core::put;
  using core::throw_drained;
  using core::throw_unsent;
  using time_point = std::chrono::steady_clock::time_point;
  using location = std::source_location;

 public:
  class iterator;
  using value_type = T;

  // Unbuffered; prefers the receiver. (Stackless's channel.)
  channel() : channel(0) {}
  // Holds up to `capacity` values, in memory for the next power of two; prefers
  // neither, so that a sender goes on filling it. 0: unbuffered. Throws
  // std::length_error over 2^32 - 1, std::bad_alloc.
  explicit channel(std::size_t capacity)
      : core(capacity == 0 ? preference::receiver : preference::neither,
             capacity) {}
  // The same, shared. Throws std::length_error over 2^31, std::bad_alloc.
  explicit channel(shared_t) : channel(0, shared) {}
  channel(std::size_t capacity, shared_t)
      : core(capacity == 0 ? preference::receiver : preference::neither,
             capacity, shared) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() = default;

  // Parks until a receiver takes `value`, or there is room for it in the
  // buffer. Throws channel_closed if closed, or destroyed meanwhile.
  [[gnu::always_inline]] void send(T&& value,
                                   location where = location::current()) {
    const op_status status = put(std::move(value), wait_forever{}, where);
    if (status != op_status::done) [[unlikely]]
      throw_unsent(status);
  }
  [[gnu::always_inline]] void send(const T& value,
                                   location where = location::current())
    requires std::copy_constructible<T>
  {
    const op_status status = put(value, wait_forever{}, where);
    if (status != op_status::done) [[unlikely]]
      throw_unsent(status);
  }

  // Parks until there is a value; nullopt means closed and drained.
  // Throws what send_exception() sent.
  [[gnu::always_inline]] std::optional<T> receive(
      location where = location::current())
    requires(!received_raw<T>)
  {
    std::optional<T> result;
    static_cast<void>(get(result, wait_forever{}, where));
    return result;
  }
#if defined(__GNUC__) && !defined(__clang__)
// *c.receive() is not wrong where nobody closes the channel.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
  [[gnu::always_inline]] std::optional<T> receive(
      location where = location::current())
    requires received_raw<T>
  {
    T result;
    if (get(result, wait_forever{}, where) == op_status::done) [[likely]]
      return result;
    return std::nullopt;
  }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

  // As receive(), but throws channel_closed where that returns nullopt. One
  // more move.
  T take(location where = location::current()) {
    std::optional<T> result = receive(where);
    if (!result) throw_drained();
    return std::move(*result);
  }

  // As send() and receive(), but do not park: would_block instead.
  op_status try_send(T&& value) {
    return put(std::move(value), wait_never{}, location::current());
  }
  op_status try_send(const T& value)
    requires std::copy_constructible<T>
  {
    return put(value, wait_never{}, location::current());
  }
  [[nodiscard]] received<T> try_receive() {
    return get_received(wait_never{}, location::current());
  }

  // As send() and receive(), but park until `when`, or for `time`, at most:
  // timed_out then. No clock is read where the operation need not wait.
  op_status send_until(time_point when, T&& value,
                       location where = location::current()) {
    return put(std::move(value), wait_until{when}, where);
  }
  op_status send_until(time_point when, const T& value,
                       location where = location::current())
    requires std::copy_constructible<T>
  {
    return put(value, wait_until{when}, where);
  }
  template <typename Rep, typename Period>
  op_status send_for(std::chrono::duration<Rep, Period> time, T&& value,
                     location where = location::current()) {
    return put(std::move(value), wait_for{saturate(time)}, where);
  }
  template <typename Rep, typename Period>
  op_status send_for(std::chrono::duration<Rep, Period> time, const T& value,
                     location where = location::current())
    requires std::copy_constructible<T>
  {
    return put(value, wait_for{saturate(time)}, where);
  }
  [[nodiscard]] received<T> receive_until(
      time_point when, location where = location::current()) {
    return get_received(wait_until{when}, where);
  }
  template <typename Rep, typename Period>
  [[nodiscard]] received<T> receive_for(std::chrono::duration<Rep, Period> time,
                                        location where = location::current()) {
    return get_received(wait_for{saturate(time)}, where);
  }

  // As send(), but the receiver's operation throws `what`. Waits in line behind
  // values that are buffered, and is never buffered itself: parks until a
  // receiver has got it. Throws std::invalid_argument for a null pointer.
  // (Stackless: send_throw.)
  void send_exception(std::exception_ptr what,
                      location where = location::current()) {
    core::send_exception(std::move(what), where);
  }

  // Sends every value of `range` in turn; gives how many.
  template <typename Range>
  std::size_t send_range(Range&& range, location where = location::current()) {
    std::size_t count = 0;
    for (auto&& value : range) {
      send(std::forward<decltype(value)>(value), where);
      ++count;
    }
    return count;
  }

  // Cases of a select: select.h says more. A handler takes a std::optional<T>,
  // or a T.
  template <typename F = no_handler>
  [[nodiscard]] weft::receive_case<T, std::decay_t<F>> receive_case(
      F&& handler = {}, location where = location::current()) {
    return {*this, std::forward<F>(handler), where};
  }
  // `value` is referred to, unless it is small, and outlives the select: it is
  // moved from, or copied, if this case happens.
  template <typename F = no_handler>
  [[nodiscard]] weft::send_case<T, std::decay_t<F>> send_case(
      T&& value, F&& handler = {}, location where = location::current()) {
    return {*this, std::move(value), std::forward<F>(handler), where};
  }
  template <typename F = no_handler>
  [[nodiscard]] weft::send_case<T, std::decay_t<F>> send_case(
      const T& value, F&& handler = {}, location where = location::current())
    requires std::copy_constructible<T>
  {
    return {*this, value, std::forward<F>(handler), where};
  }

  // for (auto&& v : ch): receives until closed and drained.
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  // No more sends: they throw channel_closed. Waiting senders and buffered
  // values are still received, then every receiver gets nullopt. A second
  // close() does nothing. Never switches. Throws wrong_scheduler, no_scheduler;
  // of a shared channel, nothing.
  using core::close;
  using core::closed;

  // Kills all who wait here, as kill(pending); those of other threads by a
  // request. Throws wrong_scheduler,
  // no_scheduler, std::bad_alloc, what is due to the caller. (CCP's channel.)
  using core::clear;

  // The following tell of an instant, which may be over where it is shared.

  // How many senders (positive) or receivers (negative) are parked.
  using core::balance;
  // Who has waited here longest; not alive where nobody waits.
  // (Stackless: queue.)
  using core::front;
  // Values in the buffer, and how many fit.
  [[nodiscard]] std::size_t size() const { return core::size(); }
  [[nodiscard]] std::size_t capacity() const { return core::capacity(); }

  // Holds from the next meeting on, also for those who wait already.
  using core::get_preference;
  using core::set_preference;

  // For reports. Of a shared channel: set before others ask.
  using core::name;
  using core::set_name;

 private:
  friend class any_channel;
  template <typename Wait>
  received<T> get_received(Wait wait, location where) {
    received<T> result;
    if constexpr (received_raw<T>) {
      T value;
      result.status_ = get(value, wait, where);
      if (result.status_ == op_status::done) result.emplace(value);
    } else {
      result.status_ = get(result, wait, where);
    }
    return result;
  }
};

// Carries a signal and no value: signal_channel.h.
template <>
class channel<void>;

template <typename T>
class channel<T>::iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = T;

  explicit iterator(channel& from) : from_(&from) { ++*this; }
  T& operator*() const { return *value_; }
  iterator& operator++() {
    value_.reset();
    if constexpr (received_raw<T>)
      value_ = from_->receive();
    else
      static_cast<void>(
          from_->get(value_, wait_forever{}, location::current()));
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& i, std::default_sentinel_t) {
    return !i.value_;
  }

 private:
  channel* from_;
  mutable std::optional<T> value_;
};

}  // namespace weft
