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
#include "weft/scheduler/service.h"
#include "weft/scheduler/shared.h"
#include "weft/scheduler/waits.h"

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
      : channel_core(p), buffer_(capacity) {
    buffered_ = capacity != 0;
  }
  rendezvous(preference p, std::size_t capacity, shared_t)
      : channel_core(p, guard::choose()), buffer_(0) {
    heed_leaving(&someone_left);
    if (capacity != 0) set_ring(new shared_ring<T>(capacity));
  }

  ~rendezvous() {
    if (!is_shared()) return;
    delete ring();
    set_ring(nullptr);
  }

  [[nodiscard]] std::size_t size() const {
    const ring_ends* const r = its_ring();
    return r != nullptr ? r->size() : buffer_.size();
  }
  [[nodiscard]] std::size_t capacity() const {
    const ring_ends* const r = its_ring();
    return r != nullptr ? r->capacity() : buffer_.capacity();
  }
  [[nodiscard]] bool full() const { return size() >= capacity(); }

  void send_exception(std::exception_ptr what, location where) {
    channel_core::send_exception(std::move(what), where, &someone_left);
  }

  // Value is const T& or T&&.
  template <typename Value, typename Wait>
  [[gnu::always_inline]] op_status put(Value&& value, Wait wait,
                                       location where) {
    dispatcher* s = this_dispatcher();
    if (key_ != s->key) [[unlikely]]
      return put_otherwise(std::forward<Value>(value), wait, where);
    return put_admitted(s, std::forward<Value>(value), false, wait, where);
  }

  template <typename Wait>
  [[gnu::always_inline]] op_status get(landing& to, Wait wait, location where) {
    dispatcher* s = this_dispatcher();
    if (key_ != s->key) [[unlikely]]
      return get_otherwise(to, wait, where);
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
          if (found.sender != nullptr && !s->claim(*found.sender)) continue;
          take(s, to, found);
          return op_status::done;
        }
        if (closed_) return op_status::closed;
        if constexpr (!waits) return op_status::would_block;
        s->admit();  // What has come since it was roused.
        wait_record w("receive", where);
        w.who = s->current;
        me.waits_by = &w;
        if constexpr (std::is_same_v<Wait, wait_until>) {
          if (!s->park_until(w, receivers_, wait.deadline))
            return op_status::timed_out;
        } else {
          s->park(w, receivers_);
        }
        me.waits_by = nullptr;
        if (me.of == nullptr) return op_status::closed;
      }
    }
  }

  ring_buffer<T> buffer_;  // of a shared channel: ring() instead

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
    return closed_ || !receivers_.empty() || has_room();
  }
  bool can_get(dispatcher* s) {
    if (!usual(s)) look(s);
    return closed_ || !senders_.empty() || size() != 0;
  }
  template <typename Value>
  op_status put_now(dispatcher* s, Value&& value, control_block*& next) {
    if (closed_) [[unlikely]]
      return op_status::closed;
    require_receiver_may_run(s);
    local_service by(s);
    return status_of(offer(by, std::forward<Value>(value), exceptions_, next));
  }
  op_status get_now(dispatcher* s, landing& to, control_block*& next) {
    if (closed_ && !has_value()) [[unlikely]]
      return op_status::closed;
    require_sender_may_run(s, !buffer_.empty());
    if (buffer_.empty() && exception_first()) [[unlikely]]
      throw_sent(s);
    local_service by(s);
    return status_of(accept(by, to, next));
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
    local_service by(s);
    if (c.sender != nullptr) {
      land_offered(by, to, *c.sender);  // May throw; nothing has changed.
      by.meet(*c.sender, senders_, false);
    } else {
      land(&to, std::move(buffer_.at(c.buffered)));
      buffer_.erase(c.buffered);
      if (!senders_.empty()) move_up(by, false);
    }
  }

  // ---- of any other operation

  // Its key did not fit. A shared buffer comes first, and need not pay for more.
  template <typename Value, typename Wait>
  [[gnu::noinline]] op_status put_otherwise(Value&& value, Wait wait,
                                            location where) {
    if (!is_shared())
      return put_slowly(std::forward<Value>(value), wait, where);
    if constexpr (std::is_nothrow_constructible_v<T, Value&&>) {
      if (at_once(wait, [&](shared_ring<T>& its) {
            return its.try_put(std::forward<Value>(value));
          }))
        return op_status::done;
    }
    return put_shared(std::forward<Value>(value), wait, where);
  }
  template <typename Wait>
  [[gnu::noinline]] op_status get_otherwise(landing& to, Wait wait,
                                            location where) {
    if (!is_shared()) return get_slowly(to, wait, where);
    if (at_once(wait, [&to](shared_ring<T>& its) {
          return its.try_take(
              [&to](T&& value) { land(&to, std::move(value)); });
        }))
      return op_status::done;
    return get_shared(to, wait, where);
  }
  template <typename Value, typename Wait>
  [[gnu::noinline]] op_status put_slowly(Value&& value, Wait wait,
                                         location where) {
    dispatcher* s = this_dispatcher();
    tell(s, true, !buffer_.full(), !std::is_same_v<Wait, wait_never>);
    const admission a = admit_send(s);
    if (a == admission::closed) return op_status::closed;
    return put_admitted(s, std::forward<Value>(value),
                        a == admission::behind_exception, wait, where);
  }
  template <typename Wait>
  [[gnu::noinline]] op_status get_slowly(landing& to, Wait wait,
                                         location where) {
    dispatcher* s = this_dispatcher();
    tell(s, false, !buffer_.empty(), !std::is_same_v<Wait, wait_never>);
    const admission a = admit_receive(s, !buffer_.empty());
    if (a == admission::closed) return op_status::closed;
    if (a == admission::exception_first) throw_sent(s);
    // Senders that select may leave the line as it is served.
    while (exceptions_ || closed_) {
      control_block* next = nullptr;
      const op_status now = get_now(s, to, next);
      if (next != nullptr) s->switch_to(s->current, next);
      if (now != op_status::would_block) return now;
      if (senders_.empty() && !closed_) break;
    }
    return get_admitted(s, to, wait, where);
  }

  // ---- of a shared channel

  // Null: it has no buffer.
  [[nodiscard]] shared_ring<T>* ring() const {
    return static_cast<shared_ring<T>*>(shared_ring_ends());
  }
  // Nothing forbids an operation that neither waits nor wakes anybody.
  static bool is_free(const dispatcher* s) {
    return !s->flagged(~std::uint32_t{none_here});
  }
  // Its buffer takes the operation as it is.
  template <typename Wait, typename Attempt>
  [[gnu::always_inline]] bool at_once(Wait, Attempt attempt) {
    dispatcher* s = this_dispatcher();
    if (ring() == nullptr || !is_free(s)) return false;
    if (!std::is_same_v<Wait, wait_never> && s->is_turn()) return false;
    const claimed got = attempt(*ring());
    if (got == claimed::later) ring_ends::give_way();
    return got == claimed::yes;
  }
  // The same, with patience. False: it takes the guard. So does an attempt that
  // finds no room, or nothing, and does not wait: others may go by that, and
  // only who has stopped an end knows what its owner has done before.
  template <typename Attempt>
  bool unguarded(bool puts, const any_wait& wait, Attempt attempt) {
    dispatcher* s = this_dispatcher();
    if (ring() == nullptr || !is_free(s)) return false;
    claimed got = ring_ends::patiently(attempt);
    if (got == claimed::none && linger(s, puts, wait) && is_free(s))
      got = ring_ends::patiently(attempt);
    return got == claimed::yes;
  }
  template <typename Value>
  [[gnu::noinline]] op_status put_shared(Value&& value, any_wait wait,
                                         location where) {
    if constexpr (std::is_nothrow_move_constructible_v<T> &&
                  !std::is_nothrow_constructible_v<T, Value&&>) {
      T copy(std::forward<Value>(value));
      return put_shared(std::move(copy), wait, where);
    }
    dispatcher* s = this_dispatcher();
    if (!std::holds_alternative<wait_never>(wait) && s->is_turn()) [[unlikely]]
      take_turn(s, true);
    if (unguarded(true, wait,
                  [&] { return ring()->try_put(std::forward<Value>(value)); }))
      return op_status::done;
    if (s->flagged(channels_watched))
      tell(s, true, !full(), !std::holds_alternative<wait_never>(wait));
    struct sending {
      rendezvous& to;
      Value&& value;
      static step attempt(void* of, shared_service& by) {
        sending& self = *static_cast<sending*>(of);
        if (self.to.closed_) return step::closed;
        control_block* nobody;
        return self.to.offer(by, std::forward<Value>(self.value),
                             self.to.exceptions_, nobody);
      }
    } one{*this, std::forward<Value>(value)};
    return operate({&sending::attempt, &one, senders_, "send", where,
                    offered(value), offer_of<Value>},
                   wait);
  }
  [[gnu::noinline]] op_status get_shared(landing& to, any_wait wait,
                                         location where) {
    dispatcher* s = this_dispatcher();
    if (!std::holds_alternative<wait_never>(wait) && s->is_turn()) [[unlikely]]
      take_turn(s, false);
    if (unguarded(false, wait, [&] {
          return ring()->try_take(
              [&to](T&& value) { land(&to, std::move(value)); });
        }))
      return op_status::done;
    if (s->flagged(channels_watched))
      tell(s, false, size() != 0, !std::holds_alternative<wait_never>(wait));
    struct receiving {
      rendezvous& from;
      landing& to;
      static step attempt(void* of, shared_service& by) {
        const receiving& self = *static_cast<receiving*>(of);
        control_block* nobody;
        return self.from.try_accept(by, self.to, nobody);
      }
    } one{*this, to};
    return operate(
        {&receiving::attempt, &one, receivers_, "receive", where, &to, 0},
        wait);
  }
  // Of a select that has the guard.
  template <typename Value>
  op_status share_put(shared_service& by, Value&& value) {
    if (closed_) return op_status::closed;
    control_block* nobody;
    return status_of(
        offer(by, std::forward<Value>(value), exceptions_, nobody));
  }
  op_status share_get(shared_service& by, landing& to) {
    control_block* nobody;
    return status_of(try_accept(by, to, nobody));
  }
  step try_accept(shared_service& by, landing& to, control_block*& partner) {
    for (;;) {
      const bool sent = size() == 0 && exception_first();
      if (preference_ == preference::sender && (sent || !exception_first()))
        by.require_first_may_run(senders_);
      if (sent) return take_sent(by);
      const step taken = accept(by, to, partner);
      if (taken != step::blocked) return taken;
      // Those in line before an exception have got something else meanwhile.
      if (senders_.empty()) return closed_ ? step::closed : step::blocked;
    }
  }
  step take_sent(shared_service& by) {
    wait_record& w = senders_.front();
    by.fail_caller(*static_cast<std::exception_ptr*>(w.slot));
    by.meet(w, senders_, preference_ == preference::sender);
    move_up(by, false);
    return step::done;
  }

  // ---- of both

  [[nodiscard]] bool has_room() const { return !exceptions_ && !full(); }
  [[nodiscard]] bool is_full(local_service&) const {
    return !buffered_ || buffer_.full();
  }
  [[nodiscard]] bool is_full(shared_service&) const { return full(); }
  // Into the buffer, which has room; and out of it, false: it is empty. Where
  // that throws nothing has changed.
  template <typename Value>
  [[gnu::always_inline]] void store(local_service&, Value&& value) {
    buffer_.push(std::forward<Value>(value));
  }
  template <typename Value>
  void store(shared_service&, Value&& value) {
    ring()->put(std::forward<Value>(value));
  }
  [[gnu::always_inline]] bool fetch(local_service&, landing& to) {
    if (!buffered_ || buffer_.empty()) return false;
    land(&to, std::move(buffer_.front()));
    buffer_.pop();
    return true;
  }
  bool fetch(shared_service&, landing& to) {
    shared_ring<T>* const its = ring();
    return its != nullptr &&
           its->take([&to](T&& value) { land(&to, std::move(value)); });
  }
  static op_status status_of(step taken) {
    return taken == step::blocked  ? op_status::would_block
           : taken == step::closed ? op_status::closed
                                   : op_status::done;
  }

  // `stalled`: no value may pass an exception that waits.
  template <typename Service, typename Value>
  [[gnu::always_inline]] step offer(Service& by, Value&& value, bool stalled,
                                    control_block*& partner) {
    const auto now = [this] { return preference_ == preference::receiver; };
    if (wait_record* const receiver = by.first(receivers_, now())) {
      // May throw; nothing has changed.
      keeping(by, *receiver, receivers_, [&]() noexcept(lands<Value>) {
        land(receiver->slot, std::forward<Value>(value));
      });
      return meet(by, *receiver, receivers_, now(), partner);
    }
    if (stalled || is_full(by)) return step::blocked;
    store(by, std::forward<Value>(value));
    return step::done;
  }

  template <typename Service>
  [[gnu::always_inline]] step accept(Service& by, landing& to,
                                     control_block*& partner) {
    if (fetch(by, to)) {
      if (!senders_.empty()) refill(by);
      return step::done;
    }
    const auto now = [this] { return preference_ == preference::sender; };
    wait_record* const sender = by.first(senders_, now());
    if (sender == nullptr) return step::blocked;
    land_offered(by, to, *sender);  // May throw; nothing has changed.
    return meet(by, *sender, senders_, now(), partner);
  }

  // Both end in one switch, whether they have met somebody or park.
  template <typename Value, typename Wait>
  [[gnu::always_inline]] op_status put_admitted(dispatcher* s, Value&& value,
                                                bool stalled, Wait wait,
                                                location where) {
    control_block* next;
    local_service by(s);
    const step taken = offer(by, std::forward<Value>(value), stalled, next);
    if (taken == step::done) return op_status::done;
    wait_record w;
    if (taken == step::hand_over) {
      w.slot = &w;
    } else if constexpr (std::is_same_v<Wait, wait_never>) {
      return op_status::would_block;
    } else {
      // Park, and offer the value where it lies.
      w.begin("send", where);
      w.slot = offered(value);
      w.kind = offer_of<Value>;
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
    local_service by(s);
    const step taken = accept(by, to, next);
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

  template <typename Service>
  [[gnu::always_inline]] static step meet(Service& by, wait_record& w,
                                          wait_queue& line, bool now,
                                          control_block*& partner) {
    control_block* const met = by.meet(w, line, now);
    if (!Service::hands_over || !now) return step::done;
    partner = met;
    return step::hand_over;
  }

  // Moves a value to or from one who waits. Where that throws, he has not been
  // served.
  template <typename Service, typename Move>
  [[gnu::always_inline]] static void keeping(Service& by, wait_record& w,
                                             wait_queue& line, Move move) {
    if constexpr (noexcept(move())) {
      move();
    } else {
      try {
        move();
      } catch (...) {
        by.spoil(w, line);
        throw;
      }
    }
  }

  // How a record offers a value.
  static void* offered(const T& value) {
    return const_cast<std::remove_cvref_t<T>*>(std::addressof(value));
  }
  template <typename Value>
  static constexpr offer_kind offer_of =
      std::is_lvalue_reference_v<Value> ? copied : moved;
  template <typename Value>
  static constexpr bool lands =
      raw || std::is_nothrow_constructible_v<T, Value&&>;
  static constexpr bool copies_land =
      !std::copy_constructible<T> || std::is_nothrow_copy_constructible_v<T>;

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

  template <typename Service>
  void land_offered(Service& by, landing& to, wait_record& w) {
    if constexpr (raw)
      to = *static_cast<const T*>(w.slot);
    else
      keeping(by, w, senders_, [&]() noexcept(lands<T>&& copies_land) {
        with_offered(w, [&](auto&& value) {
          to.emplace(std::forward<decltype(value)>(value));
        });
      });
  }

  // One that waited behind an exception may find room now.
  static void someone_left(wait_queue& q) {
    auto& self = static_cast<rendezvous&>(of(q));
    if (&q != &self.senders_) return;
    if (self.is_shared()) return self.someone_left_shared();
    local_service by(self.home_);
    self.move_up(by, false);
  }
  void someone_left_shared() {
    shared_service by(this_dispatcher());
    const hold its(*this);
    move_up(by, false);
  }

  // Room for one more: the values of waiting senders move up. Where such a move
  // throws, its sender gets that: the receiver's own value is safe.
  [[gnu::noinline]] void refill(local_service by) {
    control_block* first = move_up(by, preference_ == preference::sender);
    if (first != nullptr) by.resume(first);
  }
  void refill(shared_service& by) {
    move_up(by, preference_ == preference::sender);
  }
  // The senders served are runnable, in order; less the first if it is kept.
  template <typename Service>
  control_block* move_up(Service& by, bool keeps_first) {
    control_block* first = nullptr;
    while (!is_full(by) && !exception_first()) {
      wait_record* const w = by.first(senders_, false);
      if (w == nullptr) break;
      try {
        with_offered(*w, [&](auto&& value) {
          store(by, std::forward<decltype(value)>(value));
        });
      } catch (...) {
        by.fail(*w, senders_, std::current_exception());
        continue;
      }
      if (keeps_first && first == nullptr)
        first = by.keep(*w, senders_);
      else
        by.meet(*w, senders_, false);
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
    local_service by(s);
    move_up(by, false);
    if (now) {
      // Before what becomes due to the caller meanwhile.
      dispatcher::raise_in(s->current, what);
      s->resume(sender, true);
    }
    std::rethrow_exception(what);
  }
};

}  // namespace weft
