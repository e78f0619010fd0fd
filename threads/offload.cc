// SPDX-License-Identifier: BSL-1.0
#include "weft/threads/offload.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include "weft/scheduler/guard.h"
#include "weft/tasklet/error.h"

namespace weft {
namespace {

// How long one looks out for the next call: at most so long, half of that after
// each time in vain, until one has come soon again.
constexpr std::chrono::nanoseconds longest_look_out{20'000};
constexpr std::chrono::nanoseconds shortest_look_out{500};

// A thread that is begun meanwhile gets no signals but for its own faults.
class signals_kept_away {
 public:
  signals_kept_away() {
    sigset_t most;
    sigfillset(&most);
    for (const int fault :
         {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
      sigdelset(&most, fault);
    pthread_sigmask(SIG_BLOCK, &most, &before_);
  }
  signals_kept_away(const signals_kept_away&) = delete;
  signals_kept_away& operator=(const signals_kept_away&) = delete;
  ~signals_kept_away() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

// All helper threads. It is never destroyed: they may still be at work when the
// process ends, and end with it.
//
// Invariant: a call is in line, or among those that have begun, until its letter
// has been posted: so a fork() knows of all.
class helpers {
 public:
  static helpers& all() {
    static helpers* const those = [] {
      auto* const made = new helpers;
      pthread_atfork([] { all().mutex_.lock(); }, [] { all().mutex_.unlock(); },
                     [] { all().forget_threads(); });
      return made;
    }();
    return *those;
  }

  // Throws std::system_error, std::bad_alloc; then it is not in line.
  void enqueue(offloaded_call& c) {
    const std::lock_guard lock(mutex_);
    if (waiting_ >= idle_) hire();
    c.behind_ = nullptr;
    *end_ = &c;
    end_ = &c.behind_;
    ++waiting_;
    if (waiting_ > (looks_out_ ? 1U : 0U)) some_.notify_one();
  }

  // False: it has begun.
  bool withdraw(offloaded_call& c) noexcept {
    const std::lock_guard lock(mutex_);
    for (offloaded_call** at = &first_; *at != nullptr; at = &(*at)->behind_) {
      if (*at != &c) continue;
      leave_line(at);
      return true;
    }
    return false;
  }

  void set_limit(std::size_t n) {
    if (n == 0)
      throw std::invalid_argument("weft: there has to be one helper at least");
    const std::lock_guard lock(mutex_);
    limit_ = n;
    for (std::size_t more = idle_; more < waiting_; ++more) hire();
    some_.notify_all();
  }

 private:
  void hire() {
    if (count_ >= limit_) return;
    try {
      const signals_kept_away from_it;
      std::thread([this] { work(); }).detach();
      ++count_;
    } catch (...) {
      if (count_ == 0) throw;  // Else one of those will do it.
    }
  }

  void work() {
    pthread_setname_np(pthread_self(), "weft/offload");
    std::unique_lock lock(mutex_);
    for (bool fresh = true;; fresh = false) {
      ++idle_;
      if (!fresh) look_out(lock);
      sleep(lock);
      --idle_;
      if (count_ > limit_) break;
      offloaded_call* const c = leave_line(&first_);
      c->behind_ = begun_;
      begun_ = c;
      lock.unlock();
      c->perform();
      lock.lock();
      offloaded_call** at = &begun_;
      while (*at != c) at = &(*at)->behind_;
      *at = c->behind_;
      c->post();
    }
    --count_;
    some_.notify_one();  // What it was told is for another.
  }

  // Before it sleeps: to be woken takes longer than most who make one call after
  // the other need in between. One of all does, and less and less in vain, until
  // a call has come so soon that it should have looked out.
  void look_out(std::unique_lock<std::mutex>& lock) {
    static const bool has_other_cores = std::thread::hardware_concurrency() > 1;
    if (looks_out_ || waiting_ != 0 || !has_other_cores) return;
    looks_out_ = true;
    const auto time = look_out_;
    lock.unlock();
    const auto begun = std::chrono::steady_clock::now();
    do {
      for (int i = 0; i != 16 && waiting_ == 0; ++i) relax();
    } while (waiting_ == 0 && std::chrono::steady_clock::now() - begun < time);
    lock.lock();
    looks_out_ = false;
    if (waiting_ == 0) look_out_ = std::max(look_out_ / 2, shortest_look_out);
    sleep(lock);
    if (std::chrono::steady_clock::now() - begun < 2 * longest_look_out)
      look_out_ = longest_look_out;
  }
  void sleep(std::unique_lock<std::mutex>& lock) {
    some_.wait(lock, [this] { return waiting_ != 0 || count_ > limit_; });
  }

  offloaded_call* leave_line(offloaded_call** at) noexcept {
    offloaded_call* const c = *at;
    *at = c->behind_;
    if (end_ == &c->behind_) end_ = at;
    --waiting_;
    return c;
  }

  // In the child of a fork(), where there is no thread but this. Only calls of
  // its scheduler still have a caller.
  void forget_threads() noexcept {
    new (&some_) std::condition_variable;
    offloaded_call* const lost[] = {first_, begun_};
    first_ = begun_ = nullptr;
    end_ = &first_;
    waiting_ = 0;
    count_ = idle_ = 0;
    looks_out_ = false;
    mutex_.unlock();
    for (offloaded_call* c : lost)
      while (c != nullptr) std::exchange(c, c->behind_)->fail_after_fork();
  }

  std::mutex mutex_;
  std::condition_variable some_;
  offloaded_call* first_ = nullptr;  // those in line
  offloaded_call** end_ = &first_;
  std::atomic<std::size_t> waiting_ = 0;  // written under the lock
  std::chrono::nanoseconds look_out_ = longest_look_out;
  bool looks_out_ = false;           // one of those that have nothing to do
  offloaded_call* begun_ = nullptr;  // those that are being made
  std::size_t count_ = 0;  // helpers, and how many of them have nothing to do
  std::size_t idle_ = 0;
  std::size_t limit_ = 16;
};

void offloaded_call::perform() noexcept {
  try {
    call();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void offloaded_call::fail_after_fork() noexcept {
  failure_ = std::make_exception_ptr(
      error("weft: a call that was offloaded has been lost by fork()"));
  come_after_fork();
}

void offloaded_call::send() { helpers::all().enqueue(*this); }

bool offloaded_call::withdraw() noexcept {
  if (helpers::all().withdraw(*this)) return true;
  stop().request_stop();
  return false;
}

void offloaded_call::wait(std::source_location where) {
  await("offload", where);
  if (failure_) std::rethrow_exception(std::move(failure_));
}

void set_offload_limit(std::size_t n) { helpers::all().set_limit(n); }

}  // namespace weft
