// SPDX-License-Identifier: BSL-1.0
#include "weft/channel/channel_core.h"

#include <cassert>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "weft/channel/channel_callback.h"
#include "weft/scheduler/scheduler.h"
#include "weft/tasklet/control_block.h"

namespace weft {
namespace {

// Equals no scheduler's key, nor the null of one that wants the long way.
constexpr char no_key = 0;
constexpr wait_kind channel_kind{"channel"};
constexpr std::uint32_t longest_linger = 512;  // in relax(), some 30 ns each
constexpr std::chrono::microseconds much_longer{200};

bool may_linger(const any_wait& wait) noexcept {
  if (const auto* w = std::get_if<wait_for>(&wait))
    return w->time >= much_longer;
  if (const auto* w = std::get_if<wait_until>(&wait))
    return w->deadline >= std::chrono::steady_clock::now() + much_longer;
  return std::holds_alternative<wait_forever>(wait);
}

}  // namespace

channel_front::channel_front(const wait_target* t, preference p,
                             guard::number g)
    : key_(&no_key), senders_(t), receivers_(t), preference_(p), guard_(g) {}

channel_core::channel_core(preference p, guard::number g)
    : channel_front(this, p, g), wait_target{&channel_kind, nullptr} {}

channel_core::~channel_core() {
  if (is_shared()) end_shared();
  chooser* const choice = its_chooser();
  if (senders_.empty() && receivers_.empty() && choice == nullptr) return;
  dispatcher* s = this_dispatcher();
  if (s != home_) {
    stop(
        "a channel was destroyed in another thread while tasklets waited on "
        "it; destroy it in theirs");
  }
  on_leave = nullptr;
  local_service by(s);
  dismiss(by, senders_);
  dismiss(by, receivers_);
  if (choice != nullptr) choice->of = nullptr;
}

void channel_core::end_shared() noexcept {
  dispatcher* s = this_dispatcher();
  shared_service by(s);
  {
    const hold its(*this);
    for (const wait_queue* line : {&senders_, &receivers_})
      line->for_each([s](const wait_record& w) {
        if (w.who->who->owner != s)
          stop(
              "a shared channel was destroyed while tasklets of other threads "
              "waited on it; close() it, and wait until they have gone on");
      });
    dismiss(by, senders_);
    dismiss(by, receivers_);
  }
  by.tell();
}

// Every waiter goes on and finds the channel closed.
template <typename Service>
void channel_core::dismiss(Service& by, wait_queue& line) noexcept {
  while (!line.empty()) {
    wait_record* const w = by.first(line, false);
    if (w == nullptr) continue;
    w->slot = nullptr;
    by.meet(*w, line, false);
  }
}

bool channel_core::linger(dispatcher* s, bool puts,
                          const any_wait& wait) const noexcept {
  if (!may_linger(wait)) return false;
  ring_ends& r = *its_ring();
  std::uint32_t left = longest_linger;
  for (const std::uint32_t pace = r.pace(puts); left >= pace; left -= pace) {
    if (!r.flows() || !s->pass(pace)) return false;
    const std::size_t size = r.size();
    const std::size_t came = puts ? r.capacity() - size : size;
    if (came == 0) continue;
    r.learn(puts, came);
    return true;
  }
  r.learn(puts, 0);
  return false;
}

void channel_core::take_turn(dispatcher* s, bool sends) {
  s->admit();
  const bool goes_on = observe([&] {
    if (closed_ || !(sends ? receivers_ : senders_).empty()) return true;
    const ring_ends* const r = its_ring();
    return r != nullptr && !(sends ? r->full() : r->empty());
  });
  // Whoever lingers, or parks, gives one then.
  if (goes_on) s->give_turn();
}

op_status channel_core::operate(const shared_operation& o,
                                const any_wait& wait) {
  dispatcher* s = this_dispatcher();
  if (!s->flagged(none_here)) {
    s->admit();
    return operate(s, o, wait);
  }
  const op_status now = operate(s, o, wait_never{});
  if (now != op_status::would_block || std::holds_alternative<wait_never>(wait))
    return now;
  // A thread that has no scheduler waits as the only tasklet of one.
  const scheduler visitor({.report_overflow = false});
  return operate(this_dispatcher(), o, wait);
}

op_status channel_core::operate(dispatcher* s, const shared_operation& o,
                                const any_wait& wait) {
  crossing_wait w(o.reason, o.where, s);
  const bool sends = &o.line == &senders_;
  // Tried once before it is known when to give up.
  bool may_park = std::holds_alternative<wait_forever>(wait);
  for (;; may_park = true) {
    shared_service by(s);
    step taken;
    {
      const hold its(*this);
      taken = o.attempt(o.of, by);
      if (taken == step::blocked && may_park) {
        s->require_parking(w);
        w.slot = o.slot;
        w.kind = o.kind;
        w.crossing = guard_;
        if (sends && o.kind == exception) exceptions_ = true;
        o.line.append(w);
        s->line_up_crossing(w);
      }
    }
    if (taken == step::closed) return op_status::closed;
    if (taken != step::blocked) {
      by.tell();
      return op_status::done;
    }
    if (may_park) break;
    if (std::holds_alternative<wait_never>(wait)) return op_status::would_block;
    if (!w.limit(wait)) return op_status::timed_out;
  }
  s->ahead = 0;
  s->switch_to(s->current, s->queue.take());
  if (w.timed_out != 0) return op_status::timed_out;
  if (w.slot != nullptr) return op_status::done;
  const bool says_why = sends && std::holds_alternative<wait_forever>(wait);
  return says_why ? destroyed : op_status::closed;
}

void channel_core::bind(dispatcher* s) {
  s->require_scheduler();
  if (home_ == nullptr) home_ = s;
  if (home_ != s)
    dispatcher::throw_wrong_scheduler(
        "this channel belongs to", home_,
        "a channel that several threads use is made with weft::shared");
}

void channel_core::restore_key() {
  if (senders_.empty()) exceptions_ = false;
  const bool unusual = closed_ || exceptions_ || its_chooser() != nullptr;
  key_ = unusual ? static_cast<const void*>(&no_key) : home_;
}

void channel_core::look(dispatcher* s) {
  if (is_shared()) return halt();
  bind(s);
  s->admit();
  rouse(s);
  restore_key();
}

channel_core::chooser::chooser(channel_core& c) : of(&c) {
  assert(!c.is_shared());
  if (c.its_chooser() != nullptr)
    throw error("weft: two tasklets receive by choice from one mailbox");
  c.beside_.who_chooses = this;
  c.restore_key();
}

wait_record* channel_core::choosing() const {
  const chooser* const c = its_chooser();
  wait_record* const w = c != nullptr ? c->waits_by : nullptr;
  return w != nullptr && w->who->waiting == w ? w : nullptr;
}

// Its tasklet goes on, and looks again.
void channel_core::rouse(dispatcher* s) noexcept {
  if (wait_record* const w = choosing())
    s->queue.push(s->unlink(*w, receivers_));
}

channel_core::admission channel_core::admit_send(dispatcher* s) {
  look(s);
  require_receiver_may_run(s);
  if (closed_) return admission::closed;
  return exceptions_ ? admission::behind_exception : admission::open;
}

channel_core::admission channel_core::admit_receive(dispatcher* s,
                                                    bool buffered) {
  look(s);
  require_sender_may_run(s, buffered);
  if (buffered) return admission::open;
  if (exception_first()) return admission::exception_first;
  return closed_ && senders_.empty() ? admission::closed : admission::open;
}

void channel_core::close() {
  dispatcher* s = this_dispatcher();
  if (is_shared()) {
    shared_service by(s);
    const hold its(*this);
    closed_ = true;
    return dismiss(by, receivers_);
  }
  bind(s);
  closed_ = true;
  rouse(s);
  restore_key();
  // Waiting senders are still served; nobody will serve waiting receivers.
  local_service by(s);
  dismiss(by, receivers_);
}

void channel_core::send_exception(std::exception_ptr what,
                                  std::source_location where,
                                  void (*left)(wait_queue&)) {
  if (!what)
    throw std::invalid_argument("weft: send_exception() of no exception");
  dispatcher* s = this_dispatcher();
  tell(s, true, false, true);
  if (is_shared()) {
    if (s->is_turn()) take_turn(s, true);
    return share_exception(what, where);
  }
  if (admit_send(s) == admission::closed) throw_unsent(op_status::closed);
  local_service by(s);
  if (wait_record* const w = by.first(receivers_, false)) {
    control_block* receiver = s->unlink(*w, receivers_);
    dispatcher::raise_in(receiver, std::move(what));
    s->resume(receiver, preference_ == preference::receiver);
    return;
  }
  wait_record w("send", where);
  w.slot = &what;
  w.kind = exception;
  exceptions_ = true;
  key_ = &no_key;
  heed_leaving(left);
  s->park(w, senders_);
  if (w.slot == nullptr) throw_unsent(destroyed);
}

void channel_core::share_exception(std::exception_ptr& what,
                                   std::source_location where) {
  struct sending {
    channel_core& to;
    std::exception_ptr& what;
    static step attempt(void* of, shared_service& by) {
      const auto& [to, what] = *static_cast<sending*>(of);
      if (to.closed_) return step::closed;
      const bool now = to.preference_ == preference::receiver;
      wait_record* const w = by.first(to.receivers_, now);
      if (w == nullptr) return step::blocked;
      by.fail(*w, to.receivers_, what, now);
      return step::done;
    }
  } one{*this, what};
  const op_status status = operate(
      {&sending::attempt, &one, senders_, "send", where, &what, exception},
      wait_forever{});
  if (status != op_status::done) throw_unsent(status);
}

op_status channel_core::park(dispatcher* s, wait_record& w, wait_queue& line,
                             wait_until wait) {
  if (!s->park_until(w, line, wait.deadline)) return op_status::timed_out;
  return w.slot != nullptr ? op_status::done : op_status::closed;
}

op_status channel_core::park(dispatcher* s, wait_record& w, wait_queue& line,
                             wait_for wait) {
  if (!s->park_for(w, line, wait.time)) return op_status::timed_out;
  return w.slot != nullptr ? op_status::done : op_status::closed;
}

void channel_core::throw_unsent(op_status status) {
  throw channel_closed(
      status == destroyed
          ? "weft: the channel was destroyed while this send waited in it"
          : "weft: send on a closed channel");
}

void channel_core::throw_drained() {
  throw channel_closed("weft: the channel is closed and drained");
}

std::uint32_t channel_core::readers() const {
  return receivers_.size() - (choosing() != nullptr ? 1 : 0);
}

std::int32_t channel_core::balance() const {
  return observe([this] {
    return static_cast<std::int32_t>(senders_.size()) -
           static_cast<std::int32_t>(readers());
  });
}

tasklet channel_core::front() const {
  return observe([this] {
    const wait_queue& line = senders_.empty() ? receivers_ : senders_;
    return line.empty() ? tasklet() : dispatcher::handle(line.front().who->who);
  });
}

void channel_core::clear() {
  dispatcher* s = this_dispatcher();
  if (!is_shared()) bind(s);
  s->admit();
  std::vector<tasklet> all;
  observe([&] {
    for (const wait_queue* line : {&senders_, &receivers_})
      line->for_each([&](const wait_record& w) {
        all.push_back(dispatcher::handle(w.who->who));
      });
  });
  if (is_shared()) {
    for (const tasklet& t : all) t.kill(pending);
    return;
  }
  // Values stay with their senders, unless those hold the kill back.
  const auto left = std::exchange(on_leave, nullptr);
  for (const tasklet& t : all) t.kill(pending);
  on_leave = left;
  if (left != nullptr && !senders_.empty()) left(senders_);
}

void channel_core::set_name(std::string name) {
  auto its = std::make_unique<std::string>(std::move(name));
  observe([&] { wait_target::name.swap(its); });
}

// ---- the callback

void channel_core::call_back(dispatcher* s, bool sending, bool stored,
                             bool waits) {
  if (s->flagged(in_channel_cb)) return;
  if (!is_shared()) bind(s);
  s->admit();
  bool will_block = false;
  const bool happens = observe([&] {
    const bool partners = (sending ? readers() : senders_.size()) != 0;
    // Room in the buffer is of no use behind an exception that waits.
    const bool served = stored && (!sending || senders_.empty());
    will_block = !partners && !served;
    const bool fails =
        (sending && closed_) || (will_block && (closed_ || !waits));
    return !fails;
  });
  if (happens) call_back(s, sending, will_block);
}

void channel_core::call_back(dispatcher* s, bool sending, bool will_block) {
  const auto callback =
      std::static_pointer_cast<channel_callback>(s->attachment());
  const struct scope {
    explicit scope(dispatcher* s) : s_(s) {
      s_->set(in_channel_cb);
      s_->enter_callback();
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() {
      s_->leave_callback();
      s_->clear(in_channel_cb);
    }
    dispatcher* s_;
  } calling(s);
  (*callback)(any_channel(*this), dispatcher::handle(s->current->who), sending,
              will_block);
}

channel_callback set_channel_callback(channel_callback f) {
  dispatcher* s = this_dispatcher();
  s->require_scheduler();
  auto& slot = s->attachment();
  const auto* before = static_cast<const channel_callback*>(slot.get());
  channel_callback old = before != nullptr ? *before : channel_callback();
  slot = f ? std::make_shared<channel_callback>(std::move(f)) : nullptr;
  s->watch(channels_watched, slot != nullptr);
  return old;
}

}  // namespace weft
