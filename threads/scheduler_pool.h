// SPDX-License-Identifier: BSL-1.0
// Schedulers on a few threads, and work for them.
//
//   weft::scheduler_pool pool{{.threads = 4}};
//   for (const request& r : requests) pool.spawn([r] { serve(r); });
//   weft::future<int> n = pool.async([] { return count(); });
//   pool.join();
//
// Each thread has a scheduler of its own, whose tasklets never leave it. What
// is given to spawn() waits in one line, and becomes a tasklet on a thread that
// sleeps, else on the first that takes the next from the line: each does when
// it has made a round. So a million of them are a million callables, and not
// that many tasklets.
//
// What escapes a tasklet that nobody joins is kept for join().
//
// Ordering:       what one thread gives to spawn_on(i) and broadcast() begins in
//                 that order on i, at the tail of the run queue. Of what is
//                 given to spawn() what came first begins first, on whatever
//                 thread.
// Thread safety:  all but the end may be called from any thread, those of the
//                 pool included: with a scheduler or without one. What happens
//                 before a spawn() happens before what that begins; the end of
//                 all that has been spawned happens before join() returns.
// Lifetime:       ends in no tasklet of its own. Its threads end with it: what
//                 has not begun is destroyed, what runs is killed, each in its
//                 own thread, and waited for; failures that nobody has taken are
//                 written to stderr. join() first where all is to be done.
// Idle:           a thread with nothing to run sleeps in the kernel.
// Signals:        the threads have the signal mask of who made the pool.
// fork():         the threads do not come along. In the child what spawns or
//                 waits throws error, and the end does nothing.
// Cost:           one allocation and a lock; a system call where a thread sleeps.
// (Go: GOMAXPROCS. Boost.Fiber: the work-sharing scheduler, which moves what has
// begun.)
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/scheduler/errand.h"
#include "weft/scheduler/saturate.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shared.h"
#include "weft/scheduler/spawn.h"
#include "weft/structure/future.h"

namespace weft {

class crowd;

struct scheduler_pool_options {
  // 0: as many as the process may use cores, by its affinity mask and by the
  // quota of its control group.
  std::size_t threads = 0;
  // Thread i stays on core i of the process's affinity mask, or on i modulo
  // their number. Where that is refused, it does not.
  bool pin = true;
  // Debuggers and top see the threads as NAME/0, NAME/1 ...; a name that is too
  // long for 15 characters is cut.
  std::string name = "weft";
  // Of each of the schedulers; its number is added to the seed. Without a
  // driver.
  scheduler_options scheduler = {};
};

// What escaped a tasklet of a pool.
struct scheduler_pool_failure {
  std::size_t scheduler;  // its number
  std::string who;        // "tasklet 3 'miller', spawned at shop.cc:7"
  std::exception_ptr what;
};

class scheduler_pool {
 public:
  // Returns when all of them can take work. Throws std::system_error where
  // there can be no more threads, std::bad_alloc, std::invalid_argument for a
  // driver and for what scheduler() refuses; those that have begun have ended
  // then.
  explicit scheduler_pool(scheduler_pool_options options = {});
  scheduler_pool(const scheduler_pool&) = delete;
  scheduler_pool& operator=(const scheduler_pool&) = delete;
  // From a tasklet it parks, kills held back.
  ~scheduler_pool();

  [[nodiscard]] std::size_t size() const;
  // The number of this thread's scheduler; nullopt: it is none of these.
  [[nodiscard]] std::optional<std::size_t> here() const;

  // Has some scheduler spawn a tasklet that calls f; it inherits nothing. Does
  // not wait. Throws error once the pool has been stopped; std::bad_alloc, what
  // moving f throws, std::invalid_argument for a stack size out of range: then
  // nothing has happened.
  template <typename F>
    requires spawnable<F>
  void spawn(F&& f,
             std::source_location where = std::source_location::current()) {
    put(anywhere, make_errand(std::forward<F>(f), where));
  }
  template <typename F>
    requires spawnable<F>
  void spawn(spawn_options options, F&& f) {
    put(anywhere, make_errand(std::move(options), std::forward<F>(f)));
  }

  // As spawn(); what f() gives, or throws, goes to the future, which is of the
  // caller's scheduler; f has ended when that is known. Until then it counts as
  // a weft::outside there, so that a deadlock of f is not told. Throws
  // no_scheduler, too. Four allocations.
  template <typename F>
    requires spawnable<F>
  [[nodiscard]] future<async_result<F>> async(
      F&& f, std::source_location where = std::source_location::current()) {
    return async(spawn_options{.site = where}, std::forward<F>(f));
  }
  template <typename F>
    requires spawnable<F>
  [[nodiscard]] future<async_result<F>> async(spawn_options options, F&& f) {
    promise<async_result<F>> to(shared);
    future<async_result<F>> result = to.get_future();
    using body = callable_holder<std::decay_t<F>>;
    spawn(std::move(options),
          [to = std::move(to), one = std::make_optional<body>([&]() -> F&& {
                                 return std::forward<F>(f);
                               })]() mutable { to.keep_by(one); });
    return result;
  }

  // As spawn(), in scheduler i. Throws std::out_of_range, too.
  template <typename F>
    requires spawnable<F>
  void spawn_on(std::size_t i, F&& f,
                std::source_location where = std::source_location::current()) {
    require(i);
    put(i, make_errand(std::forward<F>(f), where));
  }
  template <typename F>
    requires spawnable<F>
  void spawn_on(std::size_t i, spawn_options options, F&& f) {
    require(i);
    put(i, make_errand(std::move(options), std::forward<F>(f)));
  }

  // As spawn_on(), a copy of f in each of them; or, where it throws, in none.
  template <typename F>
    requires spawnable<const F&>
  void broadcast(const F& f,
                 std::source_location where = std::source_location::current()) {
    std::vector<std::unique_ptr<errand>> copies(size());
    for (auto& copy : copies) copy = make_errand(f, where);
    put_each(copies);
  }

  // Waits until all that was spawned has ended, and what that has spawned, and
  // whatever else runs there. Parks a tasklet; blocks a thread without a
  // scheduler. Throws the first failure that has not been taken, which is taken
  // then; error in a tasklet of the pool; what is due, as all that park.
  void join(std::source_location where = std::source_location::current());

  // Failures that nobody has taken, in the order in which they came.
  std::vector<scheduler_pool_failure> take_failures() noexcept;

  // Takes no more work; waits, as join(), for so long that all may end, then
  // ends the schedulers, and with them what is left: what has not begun is
  // destroyed, what runs is killed. Returns when the threads are done. False:
  // something was left. A second stop() hurries the first. Throws as join(), but
  // no failures; interrupted, it takes no more work. The time of a tasklet is
  // that of its scheduler's clock.
  template <typename Rep, typename Period>
  bool stop(std::chrono::duration<Rep, Period> time,
            std::source_location where = std::source_location::current()) {
    return stop_within(saturate(time), where);
  }
  bool stop(std::source_location where = std::source_location::current()) {
    return stop_within(std::chrono::nanoseconds(0), where);
  }

 private:
  friend class crowd;
  static constexpr std::size_t anywhere = ~std::size_t{0};

  void require(std::size_t i) const;
  void put(std::size_t i, std::unique_ptr<errand> one);
  void put_each(std::vector<std::unique_ptr<errand>>& copies);
  bool stop_within(std::chrono::nanoseconds time, std::source_location where);
  [[nodiscard]] crowd& members() const;

  std::unique_ptr<crowd> crowd_;
};

}  // namespace weft
