// SPDX-License-Identifier: BSL-1.0
#include "weft/threads/crowd.h"

#include <pthread.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/timeout.h"
#include "weft/tasklet/stack_pool.h"
#include "weft/threads/processors.h"

namespace weft {
std::uint64_t crowd::count_forks() {
  static const int counting = pthread_atfork(
      nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(counting);
  return forks.load(std::memory_order_relaxed);
}

// ---- birth and end

crowd::crowd(scheduler_pool_options options) : options_(std::move(options)) {
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

crowd::~crowd() {
  join_threads();
  for (const auto& [number, who, what] : failures_)
    core::print_failure(who, what);
}

void crowd::join_threads() noexcept {
  for (const auto& w : workers_)
    if (w->thread.joinable()) w->thread.join();
}

std::optional<std::size_t> crowd::here() const {
  const worker* w = worker::here();
  if (w == nullptr || &w->of != this) return std::nullopt;
  return w->number;
}

// ---- work

void crowd::require_open() const {
  if (stopping_)
    throw error("weft: this pool has been stopped and takes no more work");
}

// Somebody who sleeps, and had least to do when it began to rest. If nobody
// does, all who rest: any of them may be kept busy for long by what runs there.
crowd::worker* crowd::claim_some() noexcept {
  if (resting_ == 0) return nullptr;
  worker* best = nullptr;
  for (const auto& w : workers_)
    if (w->rests && w->asleep && (best == nullptr || w->load < best->load))
      best = w.get();
  if (best != nullptr) return claim(*best);
  for (const auto& w : workers_) best = claim(*w, best);
  return best;
}

crowd::worker* crowd::claim(worker& w, worker* others) noexcept {
  if (!w.rests) return others;
  w.rests = false;
  --resting_;
  w.after = others;
  return &w;
}

void crowd::invite(worker* chain) noexcept {
  while (chain != nullptr) std::exchange(chain, chain->after)->invite();
}

void crowd::put(std::size_t i, std::unique_ptr<errand> one) {
  worker* invited = nullptr;
  {
    const std::lock_guard lock(mutex_);
    require_open();
    const bool anywhere = i == scheduler_pool::anywhere;
    (anywhere ? line_ : workers_[i]->own).push(std::move(one));
    ++unbegun_;
    invited = anywhere ? claim_some() : claim(*workers_[i]);
  }
  invite(invited);
}

void crowd::put_each(std::vector<std::unique_ptr<errand>>& copies) {
  worker* invited = nullptr;
  {
    const std::lock_guard lock(mutex_);
    require_open();
    for (const auto& w : workers_) {
      w->own.push(std::move(copies[w->number]));
      ++unbegun_;
      invited = claim(*w, invited);
    }
  }
  invite(invited);
}

// ---- waiting for all

bool crowd::quiet() const {
  return unbegun_ == 0 && clear_ == size() &&
         std::none_of(workers_.begin(), workers_.end(),
                      [](const auto& w) { return w->home->flagged(has_mail); });
}

void crowd::tell(goal g) noexcept {
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

void crowd::block(goal g) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return reached(g); });
}

// A thread that has no scheduler waits as the only tasklet of one, so that it is
// told of a deadlock.
void crowd::wait(goal g, std::source_location where) {
  std::optional<scheduler> guest;
  if (this_dispatcher()->flagged(none_here)) {
    if (g == goal::end) return block(g);
    guest.emplace(scheduler_options{.report_overflow = false});
  }
  // A deadlock that hinders the end is for those who are to end.
  struct scope {
    explicit scope(std::size_t n) : n_(n) { core::present().patience += n_; }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() { core::present().patience -= n_; }
    std::size_t n_;
  } waiting(g == goal::end ? 1 : 0);
  visitor(*this, g).await("the end of a pool's work", where);
}

bool crowd::wait_within(goal g, std::chrono::nanoseconds time,
                        std::source_location where) {
  std::optional<scheduler> guest;
  if (this_dispatcher()->flagged(none_here))
    guest.emplace(scheduler_options{.report_overflow = false});
  return with_timeout(time, [&] { wait(g, where); });
}

void crowd::join(std::source_location where) {
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

std::vector<scheduler_pool_failure> crowd::take_failures() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

bool crowd::stop(std::chrono::nanoseconds time, std::source_location where) {
  if (here()) throw error("weft: a tasklet of a pool cannot stop the pool");
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  std::optional<bool> all;
  do {
    const bool quiet =
        time.count() > 0 && wait_within(goal::quiet, time, where);
    all = hurry(quiet);
  } while (!all);
  wait(goal::end, where);
  return *all;
}

// What is left is given up. True: nothing was. With `if_quiet`, nullopt where it
// is not: a scheduler that makes sure of a deadlock is awake now and then.
std::optional<bool> crowd::hurry(bool if_quiet) noexcept {
  worker* invited = nullptr;
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    const bool quiet = reached(goal::quiet);
    if (if_quiet && !quiet && !ending_) return std::nullopt;
    if (!ending_) given_up_ = !quiet;
    stopping_ = ending_ = true;
    all = !given_up_;
    for (const auto& w : workers_) invited = claim(*w, invited);
  }
  invite(invited);
  return all;
}

void crowd::end() noexcept {
  const shield held;
  static_cast<void>(hurry(false));
  try {
    wait(goal::end, std::source_location::current());
  } catch (...) {  // A trap: nobody else may run meanwhile.
    block(goal::end);
  }
}

}  // namespace weft
