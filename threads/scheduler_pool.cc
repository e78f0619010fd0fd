// SPDX-License-Identifier: BSL-1.0
// One lock guards who waits for what. Work waits in a line for all, or in one
// for a worker; the main tasklet of each worker begins one, and yields; where
// there is none it rests, parked, until it is invited.
//
//   put()     into a line - invite one who rests, of those first who sleep
//   take()    the main tasklet's: the next, or it rests from now on
//   doze()    the driver's: nothing is runnable; what is left is taken, or all
//             may be quiet
//
// Invariants:
// - While there is work in a line, somebody who may take it does not rest, or
//   has been invited, or is not asleep and will look when nothing is runnable.
// - A worker that is clear sleeps and has no tasklet. Before it does anything
//   else it is not clear any more. So all is quiet when no line has anything,
//   all are clear, and no letter has come to any of them.
#include "weft/threads/scheduler_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "weft/scheduler/core.h"
#include "weft/scheduler/outside.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/thread_driver.h"
#include "weft/scheduler/timeout.h"
#include "weft/scheduler/yield.h"
#include "weft/threads/errand_line.h"
#include "weft/threads/processors.h"
#include "weft/threads/summons.h"

namespace weft {
namespace {

// How many times this process is a child of a fork() of one that had pools.
std::atomic<std::uint64_t> forks{0};

std::uint64_t count_forks() {
  static const int counting = pthread_atfork(
      nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(counting);
  return forks.load(std::memory_order_relaxed);
}

void name_this_thread(std::string name, std::size_t number) {
  const std::string suffix = "/" + std::to_string(number);
  constexpr std::size_t most = 15;
  name.resize(std::min(name.size(), most - std::min(most, suffix.size())));
  pthread_setname_np(pthread_self(), (name + suffix).c_str());
}

// Where that is refused, the thread stays where the system wants it.
void pin_this_thread(int core) {
  const int most = core + 1;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(
      CPU_ALLOC(most), [](cpu_set_t* m) { CPU_FREE(m); });
  if (mask == nullptr) return;
  const std::size_t size = CPU_ALLOC_SIZE(most);
  CPU_ZERO_S(size, mask.get());
  CPU_SET_S(static_cast<std::size_t>(core), size, mask.get());
  pthread_setaffinity_np(pthread_self(), size, mask.get());
}

}  // namespace

class scheduler_pool::crowd {
 public:
  explicit crowd(scheduler_pool_options options);
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  // Requires: stop() has returned, or has thrown.
  ~crowd();

  [[nodiscard]] std::size_t size() const { return workers_.size(); }
  [[nodiscard]] std::optional<std::size_t> here() const;
  // This process is not the one that has the threads.
  [[nodiscard]] bool lost() const {
    return forks.load(std::memory_order_relaxed) != forks_;
  }

  void put(std::size_t i, std::unique_ptr<errand> one);
  void put_each(std::vector<std::unique_ptr<errand>>& copies);
  void join(std::source_location where);
  bool stop(std::chrono::nanoseconds time, std::source_location where);
  // Waits whatever comes.
  void end() noexcept;
  std::vector<scheduler_pool_failure> take_failures() noexcept;

 private:
  class worker;
  class visitor;
  enum class goal : std::uint8_t { quiet, end };

  // ---- in the threads of the workers
  void work(worker& w) noexcept;
  void begun(worker& w, core& home);
  void feed(worker& w, core& home) noexcept;
  bool take(worker& w, std::size_t runnable,
            std::unique_ptr<errand>& to) noexcept;
  bool doze(worker& w, bool clear) noexcept;
  void rouse(worker& w) noexcept;
  void drop_work(worker& w) noexcept;
  void done() noexcept;
  void keep_failure(const worker& w, const tasklet& who,
                    const std::exception_ptr& what) noexcept;

  // ---- with the lock held
  void require_open() const;
  worker* choose() noexcept;
  worker* claim(worker& w) noexcept;
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] bool reached(goal g) const {
    return done_ == workers_.size() || (g == goal::quiet && quiet());
  }
  void tell(goal g) noexcept;

  void wait(goal g, std::source_location where);
  void wait_within(goal g, std::chrono::nanoseconds time,
                   std::source_location where);
  void block(goal g,
             std::optional<std::chrono::steady_clock::time_point> until);
  bool hurry() noexcept;
  void join_threads() noexcept;

  scheduler_pool_options options_;
  const std::uint64_t forks_ = count_forks();
  std::vector<int> cores_;  // none: they are not pinned
  std::vector<std::unique_ptr<worker>> workers_;

  mutable std::mutex mutex_;
  errand_line line_;         // for anybody
  std::size_t unbegun_ = 0;  // in all lines
  std::size_t resting_ = 0;
  std::size_t clear_ = 0;
  std::size_t ready_ = 0;       // have begun to take work
  std::size_t done_ = 0;        // have nothing more to do with any of this
  std::uint64_t silences_ = 0;  // how often all was quiet, or at its end
  bool stopping_ = false;       // no more work comes
  bool ending_ = false;         // what is left is given up
  bool given_up_ = false;       // there was something
  std::exception_ptr stillborn_;
  std::vector<scheduler_pool_failure> failures_;
  visitor* visitors_ = nullptr;
  std::condition_variable changed_;
};

// One thread. It is its scheduler's idle driver.
class scheduler_pool::crowd::worker final : public thread_driver {
 public:
  worker(crowd& c, std::size_t n) : of(c), number(n) {}

  // Nothing is runnable.
  void wait(std::optional<clock::time_point> deadline) noexcept override {
    if (!feeding || of.lost()) return thread_driver::wait(deadline);
    if (!of.doze(*this, home->live == 0)) return;
    thread_driver::wait(deadline);
    of.rouse(*this);
  }

  // Its main tasklet goes on. Requires: claimed.
  void invite() noexcept {
    const std::shared_ptr<inbox> in = to;
    in->post(invitation, false);
  }

  static const worker*& here() {
    static thread_local const worker* w = nullptr;
    return w;
  }

  crowd& of;
  const std::size_t number;
  std::thread thread;
  bool feeding = false;  // its own

  // Guarded by the lock.
  core* home = nullptr;  // null: it does not take work, or no more
  std::shared_ptr<inbox> to;
  errand_line own;
  bool own_turn = false;  // took from its own line last
  bool rests = false;     // its main tasklet waits to be invited
  bool asleep = false;    // nothing is runnable there
  bool clear = false;     // and nobody is alive
  std::size_t load = 0;   // runnable, when it began to rest

  // What the main tasklet waits for when there is nothing to begin.
  struct call : letter {
    call() : letter(&deliver) {}
    static void deliver(letter& l, core& home) noexcept {
      wait_record& w = static_cast<call&>(l).record;
      if (w.who->waiting == &w) home.wake(w.who);
    }
    wait_record record{"work for the pool", {}};
  } invitation;
  void rest(core& c) { c.park(invitation.record); }
};

// A tasklet that waits for the pool.
class scheduler_pool::crowd::visitor final : public summons {
 public:
  visitor(crowd& c, goal g) : of_(c), goal_(g) {}

 private:
  friend class crowd;
  void send() override {
    const std::lock_guard lock(of_.mutex_);
    if (of_.reached(goal_)) return post();
    next_ = std::exchange(of_.visitors_, this);
  }
  bool withdraw() noexcept override {
    const std::lock_guard lock(of_.mutex_);
    for (visitor** at = &of_.visitors_; *at != nullptr; at = &(*at)->next_) {
      if (*at != this) continue;
      *at = next_;
      return true;
    }
    return false;
  }

  crowd& of_;
  goal goal_;
  visitor* next_ = nullptr;
};

// ---- birth and end

scheduler_pool::crowd::crowd(scheduler_pool_options options)
    : options_(std::move(options)) {
  if (options_.scheduler.driver != nullptr)
    throw std::invalid_argument(
        "weft: the schedulers of a pool have drivers of their own");
  static_cast<void>(stack_pool::class_of(options_.scheduler.stack_size));
  if (options_.pin) cores_ = allowed_cores();
  const std::size_t n =
      options_.threads != 0 ? options_.threads : usable_processors();
  try {
    for (std::size_t i = 0; i != n; ++i) {
      auto w = std::make_unique<worker>(*this, i);
      const std::lock_guard lock(mutex_);
      workers_.push_back(std::move(w));
      try {
        workers_.back()->thread =
            std::thread([this, me = workers_.back().get()] { work(*me); });
      } catch (...) {
        workers_.pop_back();
        throw;
      }
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_ + done_ == size(); });
    if (stillborn_) std::rethrow_exception(stillborn_);
  } catch (...) {
    end();
    join_threads();
    throw;
  }
}

scheduler_pool::crowd::~crowd() {
  join_threads();
  for (const auto& [number, who, what] : failures_)
    core::print_failure(who, what);
}

void scheduler_pool::crowd::join_threads() noexcept {
  for (const auto& w : workers_)
    if (w->thread.joinable()) w->thread.join();
}

std::optional<std::size_t> scheduler_pool::crowd::here() const {
  const worker* w = worker::here();
  if (w == nullptr || &w->of != this) return std::nullopt;
  return w->number;
}

// ---- the threads

void scheduler_pool::crowd::work(worker& w) noexcept {
  worker::here() = &w;
  name_this_thread(options_.name, w.number);
  if (!cores_.empty()) pin_this_thread(cores_[w.number % cores_.size()]);
  try {
    scheduler_options options = options_.scheduler;
    options.driver = &w;
    options.seed += w.number;
    scheduler s(options);
    const outside kept_open;
    s.set_error_handler(
        [this, &w](const tasklet& who, const std::exception_ptr& what) {
          keep_failure(w, who, what);
        });
    core& home = core::present();
    begun(w, home);
    feed(w, home);
    drop_work(w);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    stillborn_ = std::current_exception();
  }
  done();
}

void scheduler_pool::crowd::begun(worker& w, core& home) {
  const std::lock_guard lock(mutex_);
  w.to = home.letters();
  w.home = &home;
  w.feeding = true;
  ++ready_;
  changed_.notify_all();
}

// In the main tasklet, which nothing is raised in.
void scheduler_pool::crowd::feed(worker& w, core& home) noexcept {
  const shield held;
  std::unique_ptr<errand> one;
  while (take(w, home.runnable(), one)) {
    if (one) {
      errand::begin(*one.release(), home);
      yield();
    } else {
      w.rest(home);
    }
  }
}

// False: it is the end. One at a time: who waits behind one that does not yield
// could not begin elsewhere any more. A batch would save a lock, 20 ns.
bool scheduler_pool::crowd::take(worker& w, std::size_t runnable,
                                 std::unique_ptr<errand>& to) noexcept {
  if (lost()) return true;
  const std::lock_guard lock(mutex_);
  if (ending_) return false;
  w.own_turn = !w.own_turn;
  errand_line& first = w.own_turn ? w.own : line_;
  errand_line& second = w.own_turn ? line_ : w.own;
  errand_line& from = first.empty() ? second : first;
  if (from.empty()) {
    w.rests = true;
    ++resting_;
    w.load = runnable;
  } else {
    to = from.pop();
    --unbegun_;
  }
  return true;
}

// Nothing is runnable. False: something is now.
bool scheduler_pool::crowd::doze(worker& w, bool clear) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (w.rests && (!line_.empty() || !w.own.empty())) {
      claim(w);
    } else {
      w.asleep = true;
      w.clear = clear;
      clear_ += clear ? 1 : 0;
      if (quiet()) tell(goal::quiet);
      return true;
    }
  }
  w.invite();
  return false;
}

void scheduler_pool::crowd::rouse(worker& w) noexcept {
  const std::lock_guard lock(mutex_);
  clear_ -= w.clear ? 1 : 0;
  w.asleep = w.clear = false;
}

// What has not begun is destroyed while there is a scheduler.
void scheduler_pool::crowd::drop_work(worker& w) noexcept {
  errand_line left;
  const std::lock_guard lock(mutex_);
  w.feeding = false;
  w.home = nullptr;
  unbegun_ -= w.own.size() + line_.size();
  w.own.move(w.own.size(), left);
  line_.move(line_.size(), left);
}

void scheduler_pool::crowd::done() noexcept {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (done_ == size()) {
    tell(goal::quiet);
    tell(goal::end);
  }
  changed_.notify_all();
}

void scheduler_pool::crowd::keep_failure(
    const worker& w, const tasklet& who,
    const std::exception_ptr& what) noexcept {
  try {
    std::string name = who.alive() ? core::describe(dispatcher::described(who))
                                   : "tasklet " + std::to_string(who.id());
    const std::lock_guard lock(mutex_);
    failures_.push_back({w.number, std::move(name), what});
  } catch (const std::bad_alloc&) {
    core::print_failure(who, what);
  }
}

// ---- work

void scheduler_pool::crowd::require_open() const {
  if (stopping_)
    throw error("weft: this pool has been stopped and takes no more work");
}

// Who is asked to take something: of those who rest first those who sleep.
scheduler_pool::crowd::worker* scheduler_pool::crowd::choose() noexcept {
  if (resting_ == 0) return nullptr;
  worker* best = nullptr;
  for (const auto& w : workers_) {
    if (!w->rests) continue;
    if (best == nullptr || (w->asleep && !best->asleep) ||
        (w->asleep == best->asleep && w->load < best->load))
      best = w.get();
  }
  return claim(*best);
}

// Whoever claims it invites it, without the lock. Null: it does not rest.
scheduler_pool::crowd::worker* scheduler_pool::crowd::claim(
    worker& w) noexcept {
  if (!w.rests) return nullptr;
  w.rests = false;
  --resting_;
  return &w;
}

void scheduler_pool::crowd::put(std::size_t i, std::unique_ptr<errand> one) {
  worker* invited = nullptr;
  {
    const std::lock_guard lock(mutex_);
    require_open();
    (i == anywhere ? line_ : workers_[i]->own).push(std::move(one));
    ++unbegun_;
    invited = i == anywhere ? choose() : claim(*workers_[i]);
  }
  if (invited != nullptr) invited->invite();
}

void scheduler_pool::crowd::put_each(
    std::vector<std::unique_ptr<errand>>& copies) {
  std::vector<worker*> invited;
  invited.reserve(size());
  {
    const std::lock_guard lock(mutex_);
    require_open();
    for (const auto& w : workers_) {
      w->own.push(std::move(copies[w->number]));
      ++unbegun_;
      if (claim(*w) != nullptr) invited.push_back(w.get());
    }
  }
  for (worker* w : invited) w->invite();
}

// ---- waiting for all

bool scheduler_pool::crowd::quiet() const {
  return unbegun_ == 0 && clear_ == size() &&
         std::none_of(workers_.begin(), workers_.end(),
                      [](const auto& w) { return w->home->flagged(has_mail); });
}

void scheduler_pool::crowd::tell(goal g) noexcept {
  ++silences_;
  for (visitor** at = &visitors_; *at != nullptr;) {
    visitor* const v = *at;
    if (v->goal_ != g) {
      at = &v->next_;
      continue;
    }
    *at = v->next_;
    v->post();
  }
  changed_.notify_all();
}

void scheduler_pool::crowd::block(
    goal g, std::optional<std::chrono::steady_clock::time_point> until) {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = silences_;
  const auto over = [&] {
    return reached(g) || (g == goal::quiet && silences_ != before);
  };
  if (until)
    changed_.wait_until(lock, *until, over);
  else
    changed_.wait(lock, over);
}

void scheduler_pool::crowd::wait(goal g, std::source_location where) {
  if (this_dispatcher()->flagged(none_here)) return block(g, std::nullopt);
  visitor(*this, g).await("the end of a pool's work", where);
}

void scheduler_pool::crowd::wait_within(goal g, std::chrono::nanoseconds time,
                                        std::source_location where) {
  if (this_dispatcher()->flagged(none_here))
    return block(g, later(std::chrono::steady_clock::now(), time));
  with_timeout(time, [&] { wait(g, where); });
}

void scheduler_pool::crowd::join(std::source_location where) {
  if (here())
    throw error("weft: a tasklet of a pool cannot wait for the pool's end");
  wait(goal::quiet, where);
  std::exception_ptr first;
  {
    const std::lock_guard lock(mutex_);
    if (failures_.empty()) return;
    first = std::move(failures_.front().what);
    failures_.erase(failures_.begin());
  }
  std::rethrow_exception(std::move(first));
}

std::vector<scheduler_pool_failure>
scheduler_pool::crowd::take_failures() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

bool scheduler_pool::crowd::stop(std::chrono::nanoseconds time,
                                 std::source_location where) {
  if (here()) throw error("weft: a tasklet of a pool cannot stop the pool");
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (time.count() > 0) wait_within(goal::quiet, time, where);
  const bool all = hurry();
  wait(goal::end, where);
  return all;
}

// What is left is given up. True: nothing was.
bool scheduler_pool::crowd::hurry() noexcept {
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    if (!ending_) given_up_ = !reached(goal::quiet);
    stopping_ = ending_ = true;
    all = !given_up_;
  }
  for (const auto& w : workers_) {
    bool invited = false;
    {
      const std::lock_guard lock(mutex_);
      invited = claim(*w) != nullptr;
    }
    if (invited) w->invite();
  }
  return all;
}

void scheduler_pool::crowd::end() noexcept {
  const shield held;
  hurry();
  try {
    wait(goal::end, std::source_location::current());
  } catch (...) {  // A trap: nobody else may run meanwhile.
    block(goal::end, std::nullopt);
  }
}

// ---- what a user sees

scheduler_pool::scheduler_pool(scheduler_pool_options options)
    : crowd_(std::make_unique<crowd>(std::move(options))) {}

scheduler_pool::~scheduler_pool() {
  if (crowd_->lost()) {
    static_cast<void>(crowd_.release());  // NOLINT: its threads are elsewhere.
    return;
  }
  if (crowd_->here())
    weft::stop("a scheduler_pool was ended by one of its own tasklets");
  crowd_->end();
}

scheduler_pool::crowd& scheduler_pool::members() const {
  if (crowd_->lost())
    throw error("weft: this pool's threads have not come along with fork()");
  return *crowd_;
}

std::size_t scheduler_pool::size() const { return crowd_->size(); }

std::optional<std::size_t> scheduler_pool::here() const {
  return crowd_->here();
}

void scheduler_pool::require(std::size_t i) const {
  if (i >= size())
    throw std::out_of_range("weft: the pool has no scheduler of this number");
}

void scheduler_pool::put(std::size_t i, std::unique_ptr<errand> one) {
  members().put(i, std::move(one));
}

void scheduler_pool::put_each(std::vector<std::unique_ptr<errand>>& copies) {
  members().put_each(copies);
}

void scheduler_pool::join(std::source_location where) { members().join(where); }

std::vector<scheduler_pool_failure> scheduler_pool::take_failures() noexcept {
  if (crowd_->lost()) return {};
  return crowd_->take_failures();
}

bool scheduler_pool::stop_within(std::chrono::nanoseconds time,
                                 std::source_location where) {
  return members().stop(time, where);
}

}  // namespace weft
