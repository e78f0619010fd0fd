// SPDX-License-Identifier: BSL-1.0
// Private: what a channel is, apart from the type of its values.
//
// Invariants:
// - There are senders or receivers, never both, but for those of tasklets that
//   select between the two: such a one meets anybody but itself. And whoever
//   receives by choice may stand beside senders.
// - Receivers wait only at an empty buffer, but for one who chooses. Senders wait
//   at a full one, or behind an exception that waits to be received.
// - key_ equals the scheduler's key exactly while nothing unusual is afoot: the
//   channel is bound to that scheduler and open, no exception waits, nobody
//   receives by choice, and nothing is due to the current tasklet. One compare
//   an operation finds all of that out. That of a shared channel never equals it.
// - What a shared channel has is read and changed under its guard.
#pragma once

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>

#include "weft/channel/op_status.h"
#include "weft/channel/preference.h"
#include "weft/channel/shared_ring.h"
#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/service.h"
#include "weft/scheduler/waits.h"

namespace weft {

// The cache line that every operation touches; an unbuffered send or receive
// touches no other.
struct channel_front {
  channel_front(const wait_target* t, preference p, guard::number g);

  const void* key_;  // see above; never null
  wait_queue senders_;
  wait_queue receivers_;
  preference preference_;
  bool closed_ = false;
  bool exceptions_ = false;  // an exception may wait among the senders
  bool buffered_ = false;    // a local one, that has a buffer
  guard::number guard_;
};
static_assert(sizeof(channel_front) == 64);

// On cache lines of its own: other threads read a shared one at each operation,
// and would wait for whoever writes to what lies beside it. Processors fetch
// lines by pairs, so a pair it is.
class alignas(128) channel_core : protected channel_front, private wait_target {
 public:
  channel_core(const channel_core&) = delete;
  channel_core& operator=(const channel_core&) = delete;

  void close();
  [[nodiscard]] bool closed() const {
    return observe([this] { return closed_; });
  }
  [[nodiscard]] std::int32_t balance() const;
  [[nodiscard]] preference get_preference() const {
    return observe([this] { return preference_; });
  }
  void set_preference(preference p) {
    observe([this, p] { preference_ = p; });
  }
  [[nodiscard]] tasklet front() const;
  void clear();
  [[nodiscard]] std::string_view name() const {
    return wait_target::name ? std::string_view(*wait_target::name)
                             : std::string_view();
  }
  void set_name(std::string name);

 protected:
  // `w` is to stand in one of its lines.
  void mark(wait_record& w) const {
    if (is_shared()) w.crossing = guard_;
  }

  // How to read the slot of a waiting sender's record.
  enum offer_kind : std::uint32_t {
    moved = 0,
    copied = 1,
    exception = offers_exception,
  };

  enum class admission { open, closed, behind_exception, exception_first };

  explicit channel_core(preference p, guard::number g = guard::none);
  ~channel_core();

  [[nodiscard]] bool is_shared() const { return guard_ != guard::none; }
  // Requires: it is shared.
  [[nodiscard]] guard& its_guard() const { return guard::of(guard_); }
  // Has the guard of a shared channel, and its ring stand still.
  class hold {
   public:
    explicit hold(channel_core& c) : c_(c), held_(c.its_guard()) { c.halt(); }
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold() {
      if (c_.its_ring() != nullptr && c_.is_ordinary()) c_.its_ring()->flow();
    }

   private:
    channel_core& c_;
    guarded held_;
  };
  // Under the guard, if there is one.
  template <typename Look>
  std::invoke_result_t<Look> observe(Look look) const {
    if (!is_shared()) return look();
    const guarded held(its_guard());
    return look();
  }

  // What an operation comes to that does not wait: it has happened; it has, and
  // a partner goes on at once; it would have to wait; or never can happen.
  enum class step { done, hand_over, blocked, closed };

  // An operation on a shared channel: what it tries under the guard, and how it
  // waits if that comes to nothing.
  struct shared_operation {
    step (*attempt)(void* of, shared_service& by);
    void* of;
    wait_queue& line;
    const char* reason;
    std::source_location where;
    void* slot;
    std::uint32_t kind;
  };
  // As the operations of channel, of any thread.
  op_status operate(const shared_operation& o, const any_wait& wait);
  // Before it parks where a buffer was full, or empty: waits some 15 us for
  // another thread to change that, which costs both less than a letter. False:
  // it may not wait so long, there is something else to do, or it was in vain.
  bool linger(dispatcher* s, bool puts, const any_wait& wait) const noexcept;
  // It is_turn(): yields before an operation that need not wait, but could.
  void take_turn(dispatcher* s, bool sends);

  // What an operation meets whose key did not fit. They throw no_scheduler,
  // wrong_scheduler, and what is due to the current tasklet.
  admission admit_send(dispatcher* s);
  admission admit_receive(dispatcher* s, bool buffered);
  // Before those: calls the channel callback, if there is one, of an operation
  // that takes effect or waits. Throws what it throws, too.
  void tell(dispatcher* s, bool sending, bool stored, bool waits) {
    if (s->flagged(channels_watched)) call_back(s, sending, stored, waits);
  }
  // The same of one that a select has chosen, or waits for; a callback may have
  // unset itself since.
  void tell_of_case(dispatcher* s, bool sending, bool waits) {
    if (s->flagged(channels_watched) && !s->flagged(in_channel_cb))
      call_back(s, sending, waits);
  }

  // As admit_send(), of an operation that only asks whether it could happen.
  void look(dispatcher* s);

  // The first in line is an exception, that waits to be received.
  [[nodiscard]] bool exception_first() const {
    return exceptions_ && !senders_.empty() &&
           senders_.front().kind == exception;
  }
  // Throw switch_trap_error where the partner of the operation would go on at
  // once. `buffered`: a receiver gets a value from the buffer.
  void require_receiver_may_run(dispatcher* s) const {
    if (preference_ == preference::receiver && !receivers_.empty())
      s->require_switching();
  }
  void require_sender_may_run(dispatcher* s, bool buffered) const {
    if (preference_ == preference::sender && !senders_.empty() &&
        !(buffered && exception_first()))
      s->require_switching();
  }

  // `left`: as of heed_leaving().
  void send_exception(std::exception_ptr what, std::source_location where,
                      void (*left)(wait_queue&));
  static channel_core& of(wait_queue& q) {
    return *static_cast<channel_core*>(q.target());
  }

  // Parks `w` in one of the lines; says how that ended. Touches nothing but `w`
  // when it goes on: the channel may be gone.
  static op_status park(dispatcher* s, wait_record& w, wait_queue& line,
                        wait_until wait);
  static op_status park(dispatcher* s, wait_record& w, wait_queue& line,
                        wait_for wait);

  // A send came out as `status`, which is not done. One that waited while the
  // channel was destroyed comes out as `destroyed`.
  [[noreturn]] static void throw_unsent(op_status status);
  static constexpr op_status destroyed{0xff};
  [[noreturn]] static void throw_drained();

  // One who receives only certain values, and looks again whenever one may have
  // come. While there is one, operations take the long way, and have it run
  // before they look at who waits.
  struct chooser {
    // Throws error where there is one already.
    explicit chooser(channel_core& c);
    chooser(const chooser&) = delete;
    chooser& operator=(const chooser&) = delete;
    ~chooser() {
      if (of != nullptr) of->beside_.who_chooses = nullptr;
    }
    // Null: that has been destroyed.
    channel_core* of;
    // Stands among the receivers, or did, or is about to; null: it runs.
    wait_record* waits_by = nullptr;
  };

  // Of a shared channel that has a buffer; null: it is none.
  [[nodiscard]] ring_ends* its_ring() const {
    return is_shared() ? beside_.ring : nullptr;
  }
  // These require that it is shared.
  [[nodiscard]] ring_ends* shared_ring_ends() const { return beside_.ring; }
  void set_ring(ring_ends* r) { beside_.ring = r; }

  void set_kind(const wait_kind& what) { kind = &what; }
  // `left` is called when one that waits here leaves without being served.
  void heed_leaving(void (*left)(wait_queue&)) { on_leave = left; }

  dispatcher* home_ = nullptr;  // the scheduler it belongs to

 private:
  friend class any_channel;
  void call_back(dispatcher* s, bool sending, bool stored, bool waits);
  void call_back(dispatcher* s, bool sending, bool will_block);
  void bind(dispatcher* s);
  void rouse(dispatcher* s) noexcept;
  void restore_key();
  template <typename Service>
  static void dismiss(Service& by, wait_queue& line) noexcept;
  op_status operate(dispatcher* s, const shared_operation& o,
                    const any_wait& wait);
  // Requires: the guard of a shared channel is held.
  void halt() {
    if (beside_.ring != nullptr) beside_.ring->stop();
    if (senders_.empty()) exceptions_ = false;
  }
  [[nodiscard]] bool is_ordinary() const {
    return !closed_ && !exceptions_ && senders_.empty() && receivers_.empty();
  }
  void share_exception(std::exception_ptr& what, std::source_location where);
  void end_shared() noexcept;
  [[nodiscard]] chooser* its_chooser() const {
    return is_shared() ? nullptr : beside_.who_chooses;
  }
  // Among the receivers; null: there is no chooser, or he does not wait.
  [[nodiscard]] wait_record* choosing() const;
  // The others who wait there.
  [[nodiscard]] std::uint32_t readers() const;

  union {
    ring_ends* ring = nullptr;  // of a shared channel
    chooser* who_chooses;       // of another
  } beside_;
};

}  // namespace weft
