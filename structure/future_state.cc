// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/future_state.h"

#include <atomic>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

#include "weft/scheduler/errand.h"
#include "weft/scheduler/inbox.h"
#include "weft/scheduler/outside.h"
#include "weft/scheduler/traps.h"
#include "weft/structure/broken_promise.h"

namespace weft {
namespace {

constexpr char wait_reason[] = "wait for a future";

[[noreturn]] void throw_broken() {
  throw broken_promise("weft: a promise ended without a value or a failure");
}
[[noreturn]] void throw_killed() {
  throw broken_promise("weft: a tasklet was killed before it had a result");
}

}  // namespace

// ---- what follows

void follower::follow(future_state& s) noexcept {
  next_ = nullptr;
  at_ = s.last_;
  *at_ = this;
  s.last_ = &next_;
  s_ = &s;
}

void follower::leave() noexcept {
  if (at_ == nullptr) return;
  *at_ = next_;
  (next_ != nullptr ? next_->at_ : s_->last_) = at_;
  at_ = nullptr;
}

// ---- from another thread

class future_state::far_side final : letter {
 public:
  explicit far_side(future_state& s)
      : letter(&arrive),
        of_(s),
        ending_(make_errand(ending(*this), std::source_location::current())) {
    home_->enter();
  }
  far_side(const far_side&) = delete;
  far_side& operator=(const far_side&) = delete;
  ~far_side() {
    if (!arrived_) home_->leave();
  }

  // At home. False: there are readers, or have been.
  bool begin_reading() noexcept {
    if (std::exchange(read_, true)) return false;
    owners_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  // A share in the state goes.
  void release() noexcept {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete &of_;
  }

  // The writer's, once.
  void send(outcome o) noexcept {
    sent_ = true;
    what_ = o;
    control_block* const t = this_dispatcher()->current;
    if (o == outcome::failure && t != nullptr)
      who_ = dispatcher::handle(t->who);
    if (!home_->post(*this, false)) refused();
  }
  void writer_gone() noexcept {
    if (!sent_) send(outcome::broken);
    read_ ? release() : end();
  }

 private:
  // What is left to do where nobody reads, by a tasklet of home: it may call an
  // error handler, and destroys a value.
  class ending {
   public:
    explicit ending(far_side& f) : of_(&f) {}
    ending(ending&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    ending& operator=(ending&&) = delete;
    ~ending() {
      if (of_ != nullptr && of_->ends_) of_->refused();
    }
    void operator()() && {
      far_side& f = *std::exchange(of_, nullptr);
      f.of_.tell_unheard();
      f.release();
    }

   private:
    far_side* of_;
  };

  static void arrive(letter& l, core& /*home*/) noexcept {
    auto& self = static_cast<far_side&>(l);
    self.arrived_ = true;
    self.home_->leave();
    self.of_.who_ = self.who_;
    self.of_.settle(self.what_);
    self.of_.readers_ == 0 && self.read_ ? self.end() : self.release();
  }

  void end() noexcept {
    ends_ = true;
    // All may be gone as soon as that has been posted.
    const auto to = home_;
    errand* const e = ending_.release();
    if (!to->post(*e, true)) delete e;
  }
  // The scheduler ends, or has ended.
  void refused() noexcept {
    if (std::exchange(what_, outcome::broken) == outcome::failure &&
        !of_.heard_) {
      dispatcher* const s = this_dispatcher();
      std::optional<switch_trap> in_the_middle;
      if (!s->flagged(none_here)) in_the_middle.emplace();
      s->report_unheard(who_, of_.failure_);
    }
    release();
  }

  future_state& of_;
  std::shared_ptr<inbox> home_ = outside().way();
  std::atomic<std::uint32_t> owners_{2};  // the writer, the letter; the readers
  tasklet who_;                           // who has failed
  outcome what_ = outcome::none;
  bool sent_ = false;     // the writer's
  bool read_ = false;     // get_future() has been called
  bool arrived_ = false;  // home's
  bool ends_ = false;
  std::unique_ptr<errand> ending_;
};

void future_state::ends_far_side::operator()(far_side* f) const noexcept {
  delete f;
}

future_state::future_state(shared_t)
    : home_(this_dispatcher()), far_(new far_side(*this)) {}

bool future_state::begin_reading() {
  if (!far_) return false;
  require_here(this_dispatcher());
  return far_->begin_reading();
}

// ---- the readers'

future_state::~future_state() {
  while (followers_ != nullptr) followers_->leave();
}

bool future_state::wait(std::chrono::steady_clock::time_point until,
                        std::source_location where) {
  dispatcher* s = this_dispatcher();
  admit(s);
  if (ready()) return true;
  wait_record w(wait_reason, where);
  return s->park_until(w, waiters_, until);
}

bool future_state::wait(std::chrono::nanoseconds time,
                        std::source_location where) {
  dispatcher* s = this_dispatcher();
  admit(s);
  if (ready()) return true;
  wait_record w(wait_reason, where);
  return s->park_for(w, waiters_, time);
}

std::exception_ptr future_state::failure() {
  if (!failed()) return nullptr;
  heard_ = true;
  if (outcome_ == outcome::failure) return failure_;
  try {
    outcome_ == outcome::broken ? throw_broken() : throw_killed();
  } catch (...) {
    return std::current_exception();
  }
}

void future_state::look_closer(bool takes) {
  if (spent())
    throw error("weft: what this future came to has been taken already");
  if (std::exchange(deferred_, false)) {
    spend();  // Nobody else's: the moves may switch.
    try {
      collect();
      return unspend();
    } catch (...) {
      failure_ = std::current_exception();
      outcome_ = outcome::failure;
    }
  }
  heard_ = true;
  const outcome o = outcome_;
  if (takes) spend();
  if (o == outcome::broken) throw_broken();
  if (o == outcome::killed) throw_killed();
  std::rethrow_exception(takes ? std::exchange(failure_, nullptr) : failure_);
}

void future_state::tell_unheard() noexcept {
  if (outcome_ != outcome::failure || heard_) return;
  heard_ = true;
  if (!far_) ++readers_;  // The error handler may end the promise.
  this_dispatcher()->report_unheard(who_, failure_);
  if (!far_) --readers_;
}

void future_state::last_reader_gone() noexcept {
  tell_unheard();
  if (far_)
    far_->release();
  else if (!written_)
    delete this;
}

void future_state::admit(dispatcher* s) const {
  s->require_scheduler();
  if (s != home_)
    dispatcher::throw_wrong_scheduler("this future belongs to", home_);
  s->admit();
}

void future_state::require_home(const dispatcher* s, const char* what) const {
  s->require_scheduler();
  if (s != home_)
    dispatcher::throw_wrong_scheduler(
        std::string("this ") + what + " belongs to", home_);
}

// ---- the writer's

void future_state::claim() {
  if (claimed_ || ready())
    throw error("weft: this promise has been kept already");
  claimed_ = true;
}

void future_state::conclude(outcome o) noexcept {
  far_ ? far_->send(o) : settle(o);
}

void future_state::settle(outcome o) noexcept {
  outcome_ = o;
  while (!waiters_.empty()) home_->serve(waiters_.front(), waiters_);
  while (followers_ != nullptr) {
    follower* const f = followers_;
    f->leave();
    f->now_ready();
  }
}

void future_state::fail(std::exception_ptr what) noexcept {
  failure_ = std::move(what);
  if (far_) return far_->send(outcome::failure);
  if (who_.id() == 0) who_ = dispatcher::handle(home_->current->who);
  settle(outcome::failure);
  if (readers_ == 0) last_reader_gone();
}

void future_state::fail_as(future_state& other) noexcept {
  other.heard_ = true;
  failure_ = other.failure_;
  who_ = other.who_;
  conclude(other.outcome_);
}

std::exception_ptr future_state::thrown_before_start() const noexcept {
  const control_block* const t = this_dispatcher()->current;
  const bool is_mine = t != nullptr && dispatcher::handle(t->who) == who_;
  return is_mine ? dispatcher::take_escaped(*t->who) : nullptr;
}

void future_state::writer_gone() noexcept {
  if (far_) return far_->writer_gone();
  if (!ready()) {
    if (!waiters_.empty() && this_dispatcher() != home_)
      stop(
          "a promise was destroyed in another thread while tasklets waited for "
          "its future; destroy it in theirs");
    abandoned();
  }
  written_ = false;
  if (readers_ == 0) delete this;
}

}  // namespace weft
