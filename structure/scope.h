// SPDX-License-Identifier: BSL-1.0
// Tasklets that do not outlive a block of code.
//
//   {
//     weft::scope s;
//     for (const url& u : urls) s.spawn([&, u] { pages.push_back(fetch(u)); });
//   }  // all have ended; the first failure is thrown here
//
// - The end of the scope waits for its tasklets, as join() does. They may refer
//   to what was there before it.
// - If one of them fails, the others are killed, and the exception comes out of
//   the operation that the owner is parked in or begins next; at the latest out
//   of join() or the end of the scope, when all have ended. Later failures go to
//   the error handler, else to stderr.
// - If an exception leaves the scope, or the owner is killed, or a time-out
//   happens, its tasklets are killed and waited for before that goes on.
//
// A tasklet that swallows kills keeps its scope from ending, as any that does
// not end. One that waits inside a shield for what never comes is reported as a
// deadlock and left behind. Where a trap forbids the owner to wait, the end of the
// scope kills its tasklets, waits all the same, and then throws the trap's error.
//
// Thread safety: the thread of its scheduler. Any tasklet may spawn in a scope;
//                it ends in the one that made it, its owner.
// Cost:          two allocations a scope; a spawn as weft::spawn(), amortised.
// (Trio: nursery. gevent: Group, joinall(raise_error=True).)
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "weft/scheduler/interruption.h"
#include "weft/scheduler/spawn.h"
#include "weft/structure/crew.h"

namespace weft {

class scope {
 public:
  // Throws no_scheduler, std::bad_alloc.
  explicit scope(std::source_location where = std::source_location::current());
  // As join(); while an exception passes, as cancel(), and then waits. Throws as
  // join(), but not while an exception passes.
  ~scope() noexcept(false);

  // As weft::spawn(). In a scope that is cancelled the tasklet is killed before
  // it starts.
  template <typename F>
    requires spawnable<F>
  tasklet spawn(F&& f,
                std::source_location where = std::source_location::current()) {
    return crew_->spawn({.site = where}, std::forward<F>(f));
  }
  template <typename F, typename A, typename... Args>
    requires spawnable<F, A, Args...>
  [[gnu::noinline]] tasklet spawn(F&& f, A&& arg, Args&&... args) {
    return crew_->spawn({.site = spawn_site(__builtin_return_address(0))},
                        std::forward<F>(f), std::forward<A>(arg),
                        std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
    requires spawnable<F, Args...>
  tasklet spawn(spawn_options options, F&& f, Args&&... args) {
    return crew_->spawn(std::move(options), std::forward<F>(f),
                        std::forward<Args>(args)...);
  }

  // Parks until all its tasklets have ended; more may be spawned afterwards.
  // Throws the first failure; as tasklet::join(): all have ended by then, and the
  // scope stays cancelled. With nothing changed, error where the caller is not the
  // owner; block_trap_error, switch_trap_error.
  void join(std::source_location where = std::source_location::current());

  // Kills its tasklets, at their turns, and stops the token; also those that
  // are spawned later. Does not wait for them. The caller, if it is one of them,
  // goes on. Where there are any, throws wrong_scheduler, no_scheduler.
  void cancel();
  [[nodiscard]] bool cancelled() const { return crew_->cancelled(); }

  // Stopped when the scope is cancelled: for code that asks rather than waits.
  // Throws std::bad_alloc.
  [[nodiscard]] std::stop_token get_stop_token();

  // Its tasklets whose functions have not ended.
  [[nodiscard]] std::size_t size() const { return crew_->size(); }

 private:
  // The first failure, until it is raised in the owner.
  class news final : public interruption, public crew::overseer {
   public:
    explicit news(scope& s) : scope_(s) {}
    void member_failed(const tasklet& who,
                       std::exception_ptr what) noexcept override;
    // Throws it, if it has not been raised.
    void raise_at_last();
    void report_at_last() noexcept;
    [[nodiscard]] bool is_for(const tasklet& t) const;
    using interruption::attached;

   private:
    [[noreturn]] void raise() override;

    scope& scope_;
    std::exception_ptr failure_;
    tasklet failed_;
    bool any_ = false;  // raised or not
  };

  void drain() noexcept;

  news news_{*this};
  std::shared_ptr<crew> crew_;
  std::stop_source stop_{std::nostopstate};  // until it is asked for
  int exceptions_;                           // alive when it began
  std::source_location where_;
};

}  // namespace weft
