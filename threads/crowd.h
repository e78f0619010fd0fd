// SPDX-License-Identifier: BSL-1.0
// Private: the threads of a scheduler_pool, and the work that waits for them.
//
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
// - While there is work for a worker, that does not rest: it has been invited,
//   or looks when it has made a round. While there is work for anybody, somebody
//   who sleeps has been invited, or else all. Who falls asleep looks first.
// - A worker that is clear sleeps and has no tasklet. Before it does anything
//   else it is not clear any more. So all is quiet when no line has anything,
//   all are clear, and no letter has come to any of them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/scheduler/core.h"
#include "weft/scheduler/errand.h"
#include "weft/scheduler/thread_driver.h"
#include "weft/threads/errand_line.h"
#include "weft/threads/scheduler_pool.h"
#include "weft/threads/summons.h"

namespace weft {

class crowd {
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
  // Those who are to look for work: a chain. Whoever claims them invites them,
  // without the lock.
  worker* claim_some() noexcept;
  // In front of others. The others, where it does not rest.
  worker* claim(worker& w, worker* others = nullptr) noexcept;
  static void invite(worker* chain) noexcept;
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] bool reached(goal g) const {
    return done_ == workers_.size() || (g == goal::quiet && quiet());
  }
  void tell(goal g) noexcept;

  void wait(goal g, std::source_location where);
  bool wait_within(goal g, std::chrono::nanoseconds time,
                   std::source_location where);
  void block(goal g);
  std::optional<bool> hurry(bool if_quiet) noexcept;
  void join_threads() noexcept;

  // How many times this process is a child of a fork() of one that had pools.
  static std::uint64_t count_forks();
  static inline std::atomic<std::uint64_t> forks{0};

  scheduler_pool_options options_;
  std::uint64_t forks_ = count_forks();
  std::vector<int> cores_;  // none: they are not pinned
  std::vector<std::unique_ptr<worker>> workers_;

  std::mutex mutex_;
  errand_line line_;         // for anybody
  std::size_t unbegun_ = 0;  // in all lines
  std::size_t resting_ = 0;
  std::size_t clear_ = 0;
  std::size_t ready_ = 0;  // have begun to take work
  std::size_t done_ = 0;   // have nothing more to do with any of this
  bool stopping_ = false;  // no more work comes
  bool ending_ = false;    // what is left is given up
  bool given_up_ = false;  // there was something
  std::exception_ptr stillborn_;
  std::vector<scheduler_pool_failure> failures_;
  visitor* visitors_ = nullptr;
  std::condition_variable changed_;
};

// One thread. It is its scheduler's idle driver.
class crowd::worker final : public thread_driver {
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
  worker* after = nullptr;  // in the chain of who has claimed it

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

  // What the main tasklet waits for when there is nothing to begin: where the
  // scheduler has nothing at all to do, this is what it waits for.
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
class crowd::visitor final : public summons {
 public:
  visitor(crowd& c, goal g) : summons(false), of_(c), goal_(g) {}

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

}  // namespace weft
