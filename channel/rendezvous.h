// SPDX-License-Identifier: BSL-1.0
// Private: how values of one type go through a channel. Inlined into the
// operations of channel<T>, which adds what a user sees.
//
//   put, get:  admitted? - partner waiting? - buffer? - may not park? - park
//
// Invariant: whatever may throw is done before anything is changed.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/channel/channel_core.h"
#include "weft/channel/op_status.h"
#include "weft/channel/ring_buffer.h"
#include "weft/scheduler/branchless.h"

namespace weft {

// Small values are received raw: an optional that is written in part and loaded
// whole stalls on store forwarding.
template <typename T>
concept received_raw =
    std::is_trivially_copyable_v<T> &&
    std::is_trivially_default_constructible_v<T> &&
    std::is_trivially_copy_assignable_v<T> && sizeof(T) <= 16;

template <typename T>
class rendezvous : protected channel_core {
  using location = std::source_location;

 protected:
  static constexpr bool raw = received_raw<T>;
  using landing = std::conditional_t<raw, T, std::optional<T>>;

  rendezvous(preference p, std::size_t capacity)
      : channel_core(p), buffer_(capacity) {}

  void send_exception(std::exception_ptr what, location where) {
    channel_core::send_exception(std::move(what), where, &someone_left);
  }

  // Value is const T& or T&&.
  template <typename Value, typename Wait>
  [[gnu::always_inline]] op_status put(Value&& value, Wait wait,
                                       location where) {
    dispatcher* s = this_dispatcher();
    if (key_ != s->key) [[unlikely]]
      return put_slowly(std::forward<Value>(value), wait, where);
    return put_admitted(s, std::forward<Value>(value), !buffer_.full(), wait,
                        where);
  }

  template <typename Wait>
  [[gnu::always_inline]] op_status get(landing& to, Wait wait, location where) {
    dispatcher* s = this_dispatcher();
    if (key_ != s->key) [[unlikely]]
      return get_slowly(to, wait, where);
    return get_admitted(s, to, wait, where);
  }

  // As get(), of the first value that match(const T&) agrees to; the others
  // stay in their order. match() neither switches nor touches the channel.
  template <typename Match, typename Wait>
  op_status get_if(landing& to, Match& match, Wait wait, location where) {
    dispatcher* s = this_dispatcher();
    look(s);
    if constexpr (std::is_same_v<Wait, wait_for>) {
      return get_if(to, match, wait_until{s->from_now(wait.time)}, where);
    } else {
      constexpr bool waits = !std::is_same_v<Wait, wait_never>;
      chooser me(*this);
      for (bool told = !s->flagged(channels_watched);;) {
        const choice found = choose(match);
        if (!told && (found.any() || (waits && !closed_))) {
          told = true;
          tell_of_case(s, false, !found.any());
          continue;  // The callback may have done anything.
        }
        if (found.any()) {
          take(s, to, found);
          return op_status::done;
        }
        if (closed_) return op_status::closed;
        if constexpr (!waits) return op_status::would_block;
        s->admit();  // What has come since it was roused.
        wait_record w("receive", where);
        if constexpr (std::is_same_v<Wait, wait_until>) {
          if (!s->park_until(w, me.line, wait.deadline))
            return op_status::timed_out;
        } else {
          s->park(w, me.line);
        }
        if (me.of == nullptr) return op_status::closed;
      }
    }
  }

  ring_buffer<T> buffer_;

 private:
  template <typename>
  friend class receive_case_of;
  template <typename>
  friend class send_case_of;
  template <typename, typename>
  friend class receive_case;

  // ---- of a select

  // Nothing unusual is afoot: the next two tell whether a case can happen.
  [[nodiscard]] bool usual(const dispatcher* s) const { return key_ == s->key; }
  [[nodiscard]] bool has_taker() const {
    return either(!receivers_.empty(), !buffer_.full());
  }
  [[nodiscard]] bool has_value() const {
    return either(!senders_.empty(), !buffer_.empty());
  }
  // The same, of any channel: a closed one can fail now. They throw what
  // forbids the operation.
  bool can_put(dispatcher* s) {
    if (!usual(s)) look(s);
    return closed_ || !receivers_.empty() || (!exceptions_ && !buffer_.full());
  }
  bool can_get(dispatcher* s) {
    if (!usual(s)) look(s);
    return closed_ || has_value();
  }
  template <typename Value>
  op_status put_now(dispatcher* s, Value&& value, control_block*& next) {
    if (closed_) [[unlikely]]
      return op_status::closed;
    require_receiver_may_run(s);
    static_cast<void>(offer(s, std::forward<Value>(value),
                            !exceptions_ && !buffer_.full(), next));
    return op_status::done;
  }
  op_status get_now(dispatcher* s, landing& to, control_block*& next) {
    if (closed_ && !has_value()) [[unlikely]]
      return op_status::closed;
    require_sender_may_run(s, !buffer_.empty());
    if (buffer_.empty() && exception_first()) [[unlikely]]
      throw_sent(s);
    static_cast<void>(accept(s, to, next));
    return op_status::done;
  }

  // ---- by choice

  // Where a value lies.
  struct choice {
    std::size_t buffered;
    wait_record* sender;
    [[nodiscard]] bool any() const { return buffered != ~std::size_t{0}; }
  };
  template <typename Match>
  choice choose(Match& match) {
    for (std::size_t i = 0; i != buffer_.size(); ++i)
      if (match(std::as_const(buffer_.at(i)))) return {i, nullptr};
    wait_record* found = nullptr;
    senders_.for_each([&](const wait_record& w) {
      if (found == nullptr && w.kind != exception &&
          match(*static_cast<const T*>(w.slot)))
        found = const_cast<wait_record*>(&w);
    });
    return {found != nullptr ? buffer_.size() : ~std::size_t{0}, found};
  }
  void take(dispatcher* s, landing& to, const choice& c) {
    if (c.sender != nullptr) {
      land_offered(to, *c.sender);  // May throw; nothing has changed.
      s->queue.push(s->unlink(*c.sender, senders_));
    } else {
      land(&to, std::move(buffer_.at(c.buffered)));
      buffer_.erase(c.buffered);
      if (!senders_.empty()) move_up(s, false);
    }
  }

  // ---- of any other operation

  // Its key did not fit.
  template <typename Value, typename Wait>
  [[gnu::noinline]] op_status put_slowly(Value&& value, Wait wait,
                                         location where) {
    dispatcher* s = this_dispatcher();
    tell(s, true, !buffer_.full(), !std::is_same_v<Wait, wait_never>);
    const admission a = admit_send(s);
    if (a == admission::closed) return op_status::closed;
    const bool room = a != admission::behind_exception && !buffer_.full();
    return put_admitted(s, std::forward<Value>(value), room, wait, where);
  }
  template <typename Wait>
  [[gnu::noinline]] op_status get_slowly(landing& to, Wait wait,
                                         location where) {
    dispatcher* s = this_dispatcher();
    tell(s, false, !buffer_.empty(), !std::is_same_v<Wait, wait_never>);
    const admission a = admit_receive(s, !buffer_.empty());
    if (a == admission::closed) return op_status::closed;
    if (a == admission::exception_first) throw_sent(s);
    return get_admitted(s, to, wait, where);
  }

  // What an operation comes to that does not wait: it has happened; it has, and
  // a partner goes on at once; or it would have to wait.
  enum class step { done, hand_over, blocked };

  template <typename Value>
  [[gnu::always_inline]] step offer(dispatcher* s, Value&& value, bool room,
                                    control_block*& partner) {
    if (!receivers_.empty()) {
      wait_record& receiver = receivers_.front();
      // May throw; nothing has changed.
      land(receiver.slot, std::forward<Value>(value));
      const bool now = preference_ == preference::receiver;
      control_block* const met = meet(s, receiver, receivers_, now);
      if (!now) return step::done;
      partner = met;
      return step::hand_over;
    }
    if (!room) return step::blocked;
    buffer_.push(std::forward<Value>(value));
    return step::done;
  }

  [[gnu::always_inline]] step accept(dispatcher* s, landing& to,
                                     control_block*& partner) {
    if (!buffer_.empty()) {
      land(&to, std::move(buffer_.front()));  // May throw; nothing has changed.
      buffer_.pop();
      if (!senders_.empty()) refill(s);
      return step::done;
    }
    if (senders_.empty()) return step::blocked;
    wait_record& sender = senders_.front();
    land_offered(to, sender);  // May throw; nothing has changed.
    const bool now = preference_ == preference::sender;
    control_block* const met = meet(s, sender, senders_, now);
    if (!now) return step::done;
    partner = met;
    return step::hand_over;
  }

  // Both end in one switch, whether they have met somebody or park.
  template <typename Value, typename Wait>
  [[gnu::always_inline]] op_status put_admitted(dispatcher* s, Value&& value,
                                                bool room, Wait wait,
                                                location where) {
    control_block* next;
    const step taken = offer(s, std::forward<Value>(value), room, next);
    if (taken == step::done) return op_status::done;
    wait_record w;
    if (taken == step::hand_over) {
      w.slot = &w;
    } else if constexpr (std::is_same_v<Wait, wait_never>) {
      return op_status::would_block;
    } else {
      // Park, and offer the value where it lies.
      w.begin("send", where);
      w.slot = const_cast<std::remove_cvref_t<T>*>(std::addressof(value));
      w.kind = std::is_lvalue_reference_v<Value> ? copied : moved;
      if constexpr (!std::is_same_v<Wait, wait_forever>)
        return park(s, w, senders_, wait);
      next = s->line_up(w, senders_);
    }
    s->switch_to(s->current, next);
    return w.slot != nullptr ? op_status::done : destroyed;
  }

  template <typename Wait>
  [[gnu::always_inline]] op_status get_admitted(dispatcher* s, landing& to,
                                                Wait wait, location where) {
    control_block* next;
    const step taken = accept(s, to, next);
    if (taken == step::done) return op_status::done;
    wait_record w;
    if (taken == step::hand_over) {
      w.slot = &w;
    } else if constexpr (std::is_same_v<Wait, wait_never>) {
      return op_status::would_block;
    } else {
      // Park, and have the value put where it is wanted.
      w.begin("receive", where);
      w.slot = &to;
      if constexpr (!std::is_same_v<Wait, wait_forever>)
        return park(s, w, receivers_, wait);
      next = s->line_up(w, receivers_);
    }
    s->switch_to(s->current, next);
    return w.slot != nullptr ? op_status::done : op_status::closed;
  }

  // Takes the partner, who has been served, off the line. It goes to the tail,
  // or, where it runs now, the caller does.
  [[gnu::always_inline]] static control_block* meet(dispatcher* s,
                                                    wait_record& w,
                                                    wait_queue& line,
                                                    bool now) {
    control_block* partner = w.who;
    s->queue.push(now ? s->current : partner);
    s->unlink(w, line);
    return partner;
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

  // One that waited behind an exception may find room now.
  static void someone_left(wait_queue& q) {
    auto& self = static_cast<rendezvous&>(of(q));
    self.move_up(self.home_, false);
  }

  // Room for one more: the values of waiting senders move up. Where such a move
  // throws, its sender gets that: the receiver's own value is safe.
  [[gnu::noinline]] void refill(dispatcher* s) {
    control_block* first = move_up(s, preference_ == preference::sender);
    if (first != nullptr) s->resume(first, true);
  }
  // The senders served are runnable, in order; less the first if it is kept.
  control_block* move_up(dispatcher* s, bool keeps_first) {
    control_block* first = nullptr;
    while (!senders_.empty() && !buffer_.full()) {
      wait_record& w = senders_.front();
      if (w.kind == exception) break;
      try {
        with_offered(w, [&](auto&& value) {
          buffer_.push(std::forward<decltype(value)>(value));
        });
      } catch (...) {
        s->wake_throwing(w.who, std::current_exception());
        continue;
      }
      // Before those who may go on because it leaves other lines.
      if (keeps_first && first == nullptr)
        first = w.who;
      else
        s->queue.push(w.who);
      s->unlink(w, senders_);
    }
    return first;
  }

  // The first in line is an exception.
  [[noreturn, gnu::noinline]] void throw_sent(dispatcher* s) {
    wait_record& w = senders_.front();
    const std::exception_ptr what = *static_cast<std::exception_ptr*>(w.slot);
    control_block* sender = s->unlink(w, senders_);
    const bool now = preference_ == preference::sender;
    if (!now) s->queue.push(sender);
    move_up(s, false);
    if (now) {
      // Before what becomes due to the caller meanwhile.
      dispatcher::raise_in(s->current, what);
      s->resume(sender, true);
    }
    std::rethrow_exception(what);
  }
};

}  // namespace weft
