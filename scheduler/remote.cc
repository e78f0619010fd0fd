// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/remote.h"

#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>

#include "weft/scheduler/core.h"
#include "weft/scheduler/saturate.h"
#include "weft/scheduler/spawn.h"
#include "weft/tasklet/context.h"

namespace weft {
namespace {

// A tasklet that nobody has spawned, for what a letter must not do. Throws
// std::bad_alloc, and then f is as it was.
template <typename F>
void spawn_orphan(core& home, F&& f) {
  home.queue.reserve(home.live + 1);
  spawning s(&home, std::source_location::current());
  s.body().emplace(std::forward<F>(f));
  s.commit_orphan();
}

// The callback for spawns hears of it when it begins.
void announce_orphan() {
  core& c = core::present();
  if (c.flagged(lives_watched))
    c.tell_spawn(dispatcher::handle(c.current->who));
}

// ThreadSanitizer does not see how the C++ runtime counts those who share an
// exception, and takes its end for a race: there it has none.
void keep_from_checker([[maybe_unused]] const std::exception_ptr& what) {
#ifdef WEFT_TSAN
  if (what) static_cast<void>(new std::exception_ptr(what));
#endif
}

// ---- kill, throw, insert

class request final : public letter {
 public:
  using verb = void (*)(request&, core&, descriptor&) noexcept;
  request(const tasklet& t, verb v, std::exception_ptr what, std::any value)
      : letter(&arrive),
        to_(t),
        verb_(v),
        what_(std::move(what)),
        value_(std::move(value)) {}

  static void kill(request&, core& home, descriptor& d) noexcept {
    home.kill_from_afar(d);
  }
  static void raise(request& r, core& home, descriptor& d) noexcept {
    home.throw_from_afar(d, r.what_);
  }
  static void insert(request& r, core& home, descriptor& d) noexcept {
    home.insert_from_afar(d, r.value_);
  }

 private:
  static void arrive(letter& l, core& home) noexcept {
    std::unique_ptr<request> own(static_cast<request*>(&l));
    if (own->to_.alive())
      own->verb_(*own, home, *dispatcher::described(own->to_));
    if (own->what_ || own->value_.has_value()) clear_away(std::move(own), home);
  }
  // The destructor of what nobody has taken may do anything, and is called by a
  // tasklet; when there is none any more, by main, which ends the scheduler.
  static void clear_away(std::unique_ptr<request> own, core& home) noexcept {
    if (home.mail->is_closed()) return;
    struct {
      std::unique_ptr<request> own;
      void operator()() {
        announce_orphan();
        own.reset();
      }
    } last{std::move(own)};
    last.own->to_ = tasklet();
    try {
      spawn_orphan(home, std::move(last));
    } catch (const std::bad_alloc&) {
      // When there is room.
      if (!home.flagged(closing)) home.mail->put_back(*last.own.release());
    }
  }

  tasklet to_;
  verb verb_;
  std::exception_ptr what_;
  std::any value_;
};

void send(const tasklet& t, request::verb v, std::exception_ptr what = {},
          std::any value = {}) {
  auto r = std::make_unique<request>(t, v, std::move(what), std::move(value));
  if (!core::post_home(t, *r)) return;
  [[maybe_unused]] const request* const its_own = r.release();
}

// ---- join, in a thread without a scheduler

class thread_join final : public far_end {
 public:
  explicit thread_join(const tasklet& t) : far_end(t) {}

  bool wait(std::optional<std::chrono::steady_clock::time_point> until) {
    ask();
    std::unique_lock lock(mutex_);
    const auto told = [this] { return told_; };
    if (!until)
      changed_.wait(lock, told);
    else if (!changed_.wait_until(lock, *until, told) && give_up())
      return false;
    if (std::exception_ptr what = take_failure())
      std::rethrow_exception(std::move(what));
    return true;
  }

 private:
  ~thread_join() override = default;
  void answer() noexcept override {
    {
      const std::lock_guard lock(mutex_);
      told_ = true;
      changed_.notify_one();
    }
    drop();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

bool join_in_thread(
    const tasklet& t,
    std::optional<std::chrono::steady_clock::time_point> until) {
  struct dropper {
    void operator()(far_end* f) const { f->drop(); }
  };
  const std::unique_ptr<thread_join, dropper> j(new thread_join(t));
  return j->wait(until);
}

bool has_scheduler() { return this_dispatcher() != no_dispatcher(); }

bool join_far_until(core& c, const tasklet& t,
                    std::chrono::steady_clock::time_point now,
                    std::chrono::steady_clock::time_point when,
                    std::source_location where) {
  if (when <= now) return false;
  const far_join_holder j(t);
  wait_record w(far_join_reason, where);
  j->fill(w);
  j->ask(c);
  if (c.park_until(w, j->line(), now, when)) return true;
  // It has ended at the same time.
  if (!j->answered()) return false;
  if (std::exception_ptr what = j->take_failure())
    std::rethrow_exception(std::move(what));
  return true;
}

}  // namespace

void kill_far(const tasklet& t) { send(t, &request::kill); }

void throw_far(const tasklet& t, std::exception_ptr what) {
  send(t, &request::raise, std::move(what));
}

void insert_far(const tasklet& t, std::any value) {
  send(t, &request::insert, nullptr, std::move(value));
}

void join_far(const tasklet& t, std::source_location where) {
  if (!has_scheduler()) {
    join_in_thread(t, std::nullopt);
    return;
  }
  core& c = core::present();
  const far_join_holder j(t);
  wait_record w(far_join_reason, where);
  j->fill(w);
  j->ask(c);
  c.park(w, j->line());
}

bool join_far(const tasklet& t, std::chrono::steady_clock::time_point when,
              std::source_location where) {
  if (!has_scheduler()) return join_in_thread(t, when);
  core& c = core::present();
  return join_far_until(c, t, c.driver->now(), when, where);
}

bool join_far(const tasklet& t, std::chrono::nanoseconds time,
              std::source_location where) {
  if (!has_scheduler())
    return join_in_thread(t, later(std::chrono::steady_clock::now(), time));
  core& c = core::present();
  const auto now = c.driver->now();
  return join_far_until(c, t, now, later(now, time), where);
}

// ---- a question

void far_end::drop() noexcept {
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void far_end::ask() noexcept {
  asked_ = true;
  owners_.fetch_add(1, std::memory_order_relaxed);
  if (!core::post_home(whom_, asking_)) conclude();
}

bool far_end::give_up() noexcept {
  auto was = state::open;
  if (!state_.compare_exchange_strong(was, state::given_up,
                                      std::memory_order_acq_rel))
    return false;
  owners_.fetch_add(1, std::memory_order_relaxed);
  if (!core::post_home(whom_, giving_up_)) drop();
  return true;
}

void far_end::arrive(letter& l, core&) noexcept {
  far_end& self = static_cast<note&>(l).of;
  if (self.whom_.alive())
    self.watch(*dispatcher::described(self.whom_));
  else
    self.conclude();
}

// A dead one has told its observers, or does so just now.
void far_end::take_back(letter& l, core&) noexcept {
  far_end& self = static_cast<note&>(l).of;
  if (self.whom_.alive() && self.watching()) {
    self.unwatch();
    self.drop();
  }
  self.drop();
}

bool far_end::claim(const std::exception_ptr& what) noexcept {
  failure_ = what;
  keep_from_checker(what);
  auto was = state::open;
  if (state_.compare_exchange_strong(was, state::answered,
                                     std::memory_order_acq_rel))
    return true;
  failure_ = nullptr;
  return false;
}

void far_end::conclude() noexcept {
  if (claimed_ || claim(nullptr))
    answer();
  else
    drop();
}

// ---- join, by a tasklet

far_join::far_join(const tasklet& t)
    : far_end(t), back_(core::present().mail), answer_(*this, &come_back) {}

void far_join::ask(dispatcher& own) noexcept {
  ++core::of(&own).hoped_for;
  far_end::ask();
}

void far_join::left(wait_queue& q) noexcept {
  if (static_cast<queue&>(q).of.give_up())
    --core::of(this_dispatcher()).hoped_for;
}

void far_join::answer() noexcept {
  if (!back_->post(answer_, false)) drop();
}

void far_join::forget() noexcept {
  if (answered()) {
    if (const std::exception_ptr what = take_failure())
      this_dispatcher()->report_unheard(whom(), what);
  }
  drop();
}

void far_join::come_back(letter& l, core& own) noexcept {
  auto& self = static_cast<far_join&>(static_cast<note&>(l).of);
  --own.hoped_for;
  wait_record* const w = self.line_.empty() ? nullptr : &self.line_.front();
  if (w != nullptr && own.claim(*w)) {
    if (std::exception_ptr what = self.take_failure())
      dispatcher::raise_in(w->who, std::move(what));
    own.queue.push(own.unlink(*w, self.line_));
  }
  self.drop();
}

}  // namespace weft
