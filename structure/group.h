// SPDX-License-Identifier: BSL-1.0
// Tasklets that belong together, for as long as an object lives.
//
//   class server {
//     weft::group connections_;
//
//    public:
//     void serve(listener& l) {
//       for (;;) connections_.spawn(&server::talk, this, l.accept());
//     }
//   };  // the end of the group kills those that are left, and waits for them
//
// A group is what a scope is without its block: whoever has it may spawn, join
// and kill, and it ends wherever its owner does. A failure kills nobody and
// interrupts nobody: it is kept, until somebody asks.
//
// Thread safety: the thread of its scheduler.
// Lifetime:      its end kills its tasklets and waits for them; in a tasklet
//                that is killed meanwhile, too, and in one of its own, which
//                outlives it; but not by the callable of one that is killed
//                before it begins, which would wait for itself. Traps do not
//                keep it from waiting. Failures that nobody has taken go to the
//                error handler, else to stderr then.
// Cost:          an allocation a group; a spawn as weft::spawn(), amortised; an
//                entry a failure.
// (gevent: pool.Group.)
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <source_location>
#include <utility>
#include <vector>

#include "weft/scheduler/interruption.h"
#include "weft/scheduler/spawn.h"
#include "weft/structure/crew.h"
#include "weft/tasklet/error.h"

namespace weft {

// What escaped a tasklet.
struct member_failure {
  tasklet who;
  std::exception_ptr what;
};

class group {
 public:
  // Throws no_scheduler, std::bad_alloc.
  explicit group(std::source_location where = std::source_location::current());
  ~group();

  // As weft::spawn(). In a group that is cancelled the tasklet is killed before
  // it starts. Throws wrong_scheduler, too.
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

  // Parks until all have ended, those too that are spawned meanwhile. Throws as
  // tasklet::join(), with all as they were; wrong_scheduler; error where a member
  // would wait for itself, or the group ends meanwhile.
  void wait(std::source_location where = std::source_location::current()) const;
  // As wait(); then throws the first failure, which is taken by that.
  void join(std::source_location where = std::source_location::current());

  // Kills those that are here, at their turns; but not the caller. More may be
  // spawned. Where there are any, throws wrong_scheduler, no_scheduler.
  void kill() { crew_->kill(); }
  // As kill(), and what is spawned later is killed, too.
  void cancel() { crew_->cancel(); }
  [[nodiscard]] bool cancelled() const { return crew_->cancelled(); }

  // Those whose functions have not ended.
  [[nodiscard]] std::size_t size() const { return crew_->size(); }

  // In the order in which they happened; a kill is none.
  [[nodiscard]] const std::vector<member_failure>& failures() const {
    return ledger_.failures;
  }
  std::vector<member_failure> take_failures() noexcept {
    return std::exchange(ledger_.failures, {});
  }

 private:
  friend class pool;
  struct ledger final : crew::overseer {
    void member_failed(const tasklet& who,
                       std::exception_ptr what) noexcept override;
    void report_all() noexcept;
    std::vector<member_failure> failures;
  };

  void require_home() const { crew_->require_home(); }
  // The caller is one of them.
  [[nodiscard]] bool has_current() const;
  // Calls it in the caller, which is one of them; what escapes is a failure,
  // unless it is the caller's: a kill, or after something has interrupted that.
  template <typename F>
  void call(F& f) {
    const struct here final : interruption {
      [[noreturn]] void raise() override { std::terminate(); }  // never due
      using interruption::overtaken;
    } called;
    try {
      f();
    } catch (const tasklet_exit&) {
      throw;
    } catch (const greenlet_exit&) {
      throw;
    } catch (const generator_exit&) {
      throw;
    } catch (...) {
      if (called.overtaken()) throw;
      crew_->fail(std::current_exception());
    }
  }

  ledger ledger_;
  std::shared_ptr<crew> crew_;
  std::source_location where_;
};

}  // namespace weft
