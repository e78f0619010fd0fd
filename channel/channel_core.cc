// SPDX-License-Identifier: BSL-1.0
#include "weft/channel/channel_core.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "weft/channel/channel_callback.h"

namespace weft {
namespace {

// Equals no scheduler's key, nor the null of one that wants the long way.
constexpr char no_key = 0;

}  // namespace

channel_core::channel_core(preference p) : key_(&no_key), preference_(p) {}

channel_core::~channel_core() {
  if (waiting_.empty()) return;
  dispatcher* s = this_dispatcher();
  if (s != home_) {
    stop(
        "a channel was destroyed in another thread while tasklets waited on "
        "it; destroy it in theirs");
  }
  dismiss(s);
}

// Every waiter goes on and finds the channel closed.
void channel_core::dismiss(dispatcher* s) noexcept {
  waiting_.on_leave = nullptr;
  while (!waiting_.empty()) {
    wait_record& w = waiting_.front();
    w.slot = nullptr;
    s->wake(w.who);
  }
}

void channel_core::bind(dispatcher* s) {
  s->require_scheduler();
  if (home_ == nullptr) home_ = s;
  if (home_ != s)
    throw wrong_scheduler(
        "weft: this channel belongs to another scheduler; use it in the thread "
        "of that one");
}

void channel_core::restore_key() {
  if (waiting_.balance() <= 0) exceptions_ = false;
  key_ = closed_ || exceptions_ ? static_cast<const void*>(&no_key) : home_;
}

void channel_core::require_switching(dispatcher* s, std::int32_t side) const {
  const bool now =
      preference_ == (side < 0 ? preference::receiver : preference::sender);
  if (now && waiting_.balance() * side > 0) s->require_switching();
}

channel_core::admission channel_core::admit_send(dispatcher* s) {
  bind(s);
  s->admit();
  restore_key();
  require_switching(s, -1);
  if (closed_) return admission::closed;
  return exceptions_ ? admission::behind_exception : admission::open;
}

channel_core::admission channel_core::admit_receive(dispatcher* s,
                                                    bool buffered) {
  bind(s);
  s->admit();
  restore_key();
  require_switching(s, +1);
  if (buffered) return admission::open;
  if (exceptions_ && waiting_.front().kind == exception)
    return admission::exception_first;
  return closed_ && waiting_.empty() ? admission::closed : admission::open;
}

void channel_core::close() {
  dispatcher* s = this_dispatcher();
  bind(s);
  closed_ = true;
  restore_key();
  // Waiting senders are still served; nobody will serve waiting receivers.
  if (waiting_.balance() < 0) dismiss(s);
}

void channel_core::send_exception(std::exception_ptr what,
                                  std::source_location where,
                                  void (*on_leave)(wait_queue&)) {
  if (!what)
    throw std::invalid_argument("weft: send_exception() of no exception");
  dispatcher* s = this_dispatcher();
  tell(s, true, false, true);
  if (admit_send(s) == admission::closed) throw_unsent(op_status::closed);
  if (waiting_.balance() < 0) {
    control_block* receiver = s->unlink(waiting_.front(), waiting_, -1);
    dispatcher::raise_in(receiver, std::move(what));
    s->resume(receiver, preference_ == preference::receiver);
    return;
  }
  wait_record w("send", where);
  w.slot = &what;
  w.kind = exception;
  exceptions_ = true;
  key_ = &no_key;
  waiting_.on_leave = on_leave;
  s->park(w, waiting_, +1);
  if (w.slot == nullptr) throw_unsent(destroyed);
}

op_status channel_core::park(dispatcher* s, wait_record& w, std::int32_t side,
                             wait_until wait) {
  if (!s->park_until(w, waiting_, side, wait.deadline))
    return op_status::timed_out;
  return w.slot != nullptr ? op_status::done : op_status::closed;
}

op_status channel_core::park(dispatcher* s, wait_record& w, std::int32_t side,
                             wait_for wait) {
  if (!s->park_for(w, waiting_, side, wait.time)) return op_status::timed_out;
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

tasklet channel_core::front() const {
  return waiting_.empty() ? tasklet()
                          : dispatcher::handle(waiting_.front().who->who);
}

void channel_core::clear() {
  dispatcher* s = this_dispatcher();
  bind(s);
  s->admit();
  std::vector<tasklet> all;
  waiting_.for_each([&](const wait_record& w) {
    all.push_back(dispatcher::handle(w.who->who));
  });
  // Values stay with their senders, unless those hold the kill back.
  const auto on_leave = std::exchange(waiting_.on_leave, nullptr);
  for (const tasklet& t : all) t.kill(pending);
  waiting_.on_leave = on_leave;
  if (on_leave != nullptr && !waiting_.empty()) on_leave(waiting_);
}

void channel_core::set_name(std::string name) {
  waiting_.name = std::make_unique<std::string>(std::move(name));
}

// ---- the callback

void channel_core::call_back(dispatcher* s, bool sending, bool stored,
                             bool waits) {
  if (s->flagged(in_channel_cb)) return;
  bind(s);
  s->admit();
  const std::int32_t partners =
      sending ? -waiting_.balance() : waiting_.balance();
  // Room in the buffer is of no use behind an exception that waits.
  const bool served = stored && (!sending || waiting_.balance() <= 0);
  const bool will_block = partners <= 0 && !served;
  // Nothing will happen.
  if ((sending && closed_) || (will_block && (closed_ || !waits))) return;
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
