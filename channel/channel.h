// SPDX-License-Identifier: BSL-1.0
// A typed hand-over between tasklets.
//
//   weft::channel<int> numbers;
//   weft::spawn([&] { for (int i : {1, 2, 3}) numbers.send(i); numbers.close();
//   }); for (int n : numbers) std::printf("%d ", n);  // 1 2 3
//
// Unbuffered, a channel stores nothing: whoever arrives first parks, whoever
// arrives second moves the value from one stack to the other. Buffered, it
// holds up to `capacity` values, and a sender parks only when it is full.
//
// Values:         anything that can be moved: move-only, not default
// constructible,
//                 with moves that throw. Moved exactly once through an
//                 unbuffered channel, twice through a buffer.
// Ordering:       waiters are served in the order in which they came; who goes
// on
//                 first when two meet is its preference.
// Failure:        an operation that fails leaves queue, balance and values as
// they
//                 were; its argument has not been moved from. Where a value's
//                 move throws, the caller of the operation gets that and the
//                 partner stays parked.
// Thread safety:  belongs to the scheduler of the first operation on it; in any
//                 other thread operations throw wrong_scheduler or
//                 no_scheduler.
// Lifetime:       ending it wakes those who wait: receivers with nullopt,
// senders
//                 with channel_closed. Neither copied nor moved.
// Cost:           O(1) an operation; no allocation, no lock, no atomic
//                 read-modify-write.
//
// Every operation that may park or switch throws tasklet_exit when its tasklet
// is killed; in main, what escaped a tasklet; and deadlock_error where it would
// park for ever.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/channel/channel_core.h"
#include "weft/channel/op_status.h"
#include "weft/channel/preference.h"
#include "weft/channel/ring_buffer.h"
#include "weft/scheduler/saturate.h"

namespace weft {

// Small values are received raw: an optional that is written in part and loaded
// whole stalls on store forwarding.
template <typename T>
concept received_raw = std::is_trivially_copyable_v<T> &&
                       std::is_default_constructible_v<T> && sizeof(T) <= 16;

template <typename T>
class channel : private channel_core {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "weft: a channel carries objects; for nothing, channel<void>");
  static_assert(std::is_move_constructible_v<T>,
                "weft: what a channel carries can be moved");
  using time_point = std::chrono::steady_clock::time_point;
  using location = std::source_location;

 public:
  class iterator;
  using value_type = T;

  // Unbuffered; prefers the receiver. (Stackless's channel.)
  channel() : channel(0) {}
  // Holds up to `capacity` values; prefers neither, so that a sender goes on
  // filling it. 0: unbuffered. Throws std::length_error over 2^32 - 1,
  // std::bad_alloc.
  explicit channel(std::size_t capacity)
      : channel_core(capacity == 0 ? preference::receiver
                                   : preference::neither),
        buffer_(capacity) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() = default;

  // Parks until a receiver takes `value`, or there is room for it in the
  // buffer. Throws channel_closed if closed.
  [[gnu::always_inline]] void send(T&& value,
                                   location where = location::current()) {
    if (put(std::move(value), wait_forever{}, where) == op_status::closed)
      throw_closed();
  }
  [[gnu::always_inline]] void send(const T& value,
                                   location where = location::current())
    requires std::copy_constructible<T>
  {
    if (put(value, wait_forever{}, where) == op_status::closed) throw_closed();
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
  [[gnu::always_inline]] std::optional<T> receive(
      location where = location::current())
    requires received_raw<T>
  {
    T result;
    if (get(result, wait_forever{}, where) == op_status::done) [[likely]]
      return result;
    return std::nullopt;
  }

  // As receive(), but throws channel_closed where that returns nullopt. One
  // more move.
  T take(location where = location::current()) {
    std::optional<T> result = receive(where);
    if (!result) throw_closed();
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
  // timed_out then. They also throw std::bad_alloc.
  op_status send_until(time_point when, T&& value,
                       location where = location::current()) {
    return put(std::move(value), wait_until{when}, where);
  }
  template <typename Rep, typename Period>
  op_status send_for(std::chrono::duration<Rep, Period> time, T&& value,
                     location where = location::current()) {
    return put(std::move(value), wait_for{saturate(time)}, where);
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
    channel_core::send_exception(std::move(what), where);
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

  // for (auto&& v : ch): receives until closed and drained.
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  // No more sends: they throw channel_closed. Waiting senders and buffered
  // values are still received, then every receiver gets nullopt. A second
  // close() does nothing. Never switches. Throws wrong_scheduler, no_scheduler.
  using channel_core::close;
  using channel_core::closed;

  // How many senders (positive) or receivers (negative) are parked.
  using channel_core::balance;
  // Values in the buffer, and how many fit.
  [[nodiscard]] std::size_t size() const { return buffer_.size(); }
  [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

  // Holds from the next meeting on, also for those who wait already.
  using channel_core::get_preference;
  using channel_core::set_preference;

 private:
  static constexpr bool raw = received_raw<T>;
  using landing = std::conditional_t<raw, T, std::optional<T>>;

  // Value is const T& or T&&.
  template <typename Value, typename Wait>
  [[gnu::always_inline]] op_status put(Value&& value, Wait wait,
                                       location where) {
    dispatcher* s = this_dispatcher();
    bool room = !buffer_.full();
    if (key_ != s->key) [[unlikely]] {
      const admission a = admit_send(s);
      if (a == admission::closed) return op_status::closed;
      if (a == admission::behind_exception) room = false;
    }
    if (balance() < 0) {
      wait_record& w = waiting_.front();
      land(w.slot, std::forward<Value>(value));  // May throw; nothing changed.
      s->resume(s->unlink(w, -1), preference_ == preference::receiver);
      return op_status::done;
    }
    if (room) {
      buffer_.push(std::forward<Value>(value));
      return op_status::done;
    }
    // No receiver, no room: park, and offer the value where it lies.
    if constexpr (std::is_same_v<Wait, wait_never>) {
      return op_status::would_block;
    } else {
      wait_record w("send", where);
      w.slot = const_cast<std::remove_cvref_t<T>*>(std::addressof(value));
      w.kind = std::is_lvalue_reference_v<Value> ? copied : moved;
      return park(s, w, +1, wait);
    }
  }

  template <typename Wait>
  [[gnu::always_inline]] op_status get(landing& to, Wait wait, location where) {
    dispatcher* s = this_dispatcher();
    if (key_ != s->key) [[unlikely]] {
      const admission a = admit_receive(s, !buffer_.empty());
      if (a == admission::closed) return op_status::closed;
      if (a == admission::exception_first) throw_sent(s);
    }
    if (!buffer_.empty()) {
      land(&to, std::move(buffer_.front()));  // May throw; nothing changed.
      buffer_.pop();
      if (balance() > 0) refill(s);
      return op_status::done;
    }
    if (balance() > 0) {
      wait_record& w = waiting_.front();
      land_offered(to, w);  // May throw; nothing changed.
      s->resume(s->unlink(w, +1), preference_ == preference::sender);
      return op_status::done;
    }
    // Nothing there: park, and have the value put where it is wanted.
    if constexpr (std::is_same_v<Wait, wait_never>) {
      return op_status::would_block;
    } else {
      wait_record w("receive", where);
      w.slot = &to;
      return park(s, w, -1, wait);
    }
  }

  template <typename Wait>
  received<T> get_received(Wait wait, location where) {
    received<T> result;
    if constexpr (raw) {
      T value;
      result.status_ = get(value, wait, where);
      if (result.status_ == op_status::done) result.emplace(value);
    } else {
      result.status_ = get(result, wait, where);
    }
    return result;
  }

  template <typename Value>
  static void land(void* slot, Value&& value) {
    if constexpr (raw)
      *static_cast<T*>(slot) = value;
    else
      static_cast<landing*>(slot)->emplace(std::forward<Value>(value));
  }

  // The value that a waiting sender offers goes to `use`.
  template <typename Use>
  static void with_offered(const wait_record& w, Use use) {
    T& offered = *static_cast<T*>(w.slot);
    if constexpr (std::copy_constructible<T>)
      if (w.kind == copied) return use(std::as_const(offered));
    use(std::move(offered));
  }

  static void land_offered(landing& to, const wait_record& w) {
    if constexpr (raw)
      to = *static_cast<const T*>(w.slot);
    else
      with_offered(w, [&](auto&& value) {
        to.emplace(std::forward<decltype(value)>(value));
      });
  }

  // Room for one more: the values of waiting senders move up. Where such a move
  // throws, its sender gets that: the receiver's own value is safe.
  [[gnu::noinline]] void refill(dispatcher* s) {
    control_block* first = move_up(s);
    if (first != nullptr) s->resume(first, preference_ == preference::sender);
  }
  // Gives the first sender served, who is not yet runnable; the others are.
  control_block* move_up(dispatcher* s) {
    control_block* first = nullptr;
    while (balance() > 0 && !buffer_.full()) {
      wait_record& w = waiting_.front();
      if (w.kind == exception) break;
      try {
        with_offered(w, [&](auto&& value) {
          buffer_.push(std::forward<decltype(value)>(value));
        });
      } catch (...) {
        s->wake_throwing(w.who, std::current_exception());
        continue;
      }
      control_block* sender = s->unlink(w, +1);
      if (first == nullptr)
        first = sender;
      else
        s->queue.push(sender);
    }
    return first;
  }

  // The first in line is an exception.
  [[noreturn, gnu::noinline]] void throw_sent(dispatcher* s) {
    wait_record& w = waiting_.front();
    const std::exception_ptr what = *static_cast<std::exception_ptr*>(w.slot);
    control_block* sender = s->unlink(w, +1);
    const bool now = preference_ == preference::sender;
    if (control_block* next = move_up(s)) s->queue.push(next);
    s->resume(sender, now);
    std::rethrow_exception(what);
  }

  ring_buffer<T> buffer_;
};

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
    if constexpr (raw)
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

#include "weft/channel/signal_channel.h"  // IWYU pragma: export
