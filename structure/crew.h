// SPDX-License-Identifier: BSL-1.0
// Private: tasklets that belong together, and what is known of their ends.
//
// Each has a membership, which is destroyed when its callable is: when that has
// returned, or when it is killed before its start. Most have ended then. Who has
// not, because the end of what it carries parks, is joined, if it ran. Crew and
// owner are apart, because members may outlive the owner's scope where they
// refuse to die.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/spawn.h"

namespace weft {

class crew : public std::enable_shared_from_this<crew> {
 public:
  // Hears of what escapes a member, on that one; not of kills.
  class overseer {
   public:
    virtual void member_failed(const tasklet& who,
                               std::exception_ptr what) noexcept = 0;

   protected:
    ~overseer() = default;
  };

  // Throws no_scheduler.
  explicit crew(overseer& o);

  [[nodiscard]] bool at_home() const { return this_dispatcher() == home_; }
  // Throws no_scheduler, wrong_scheduler.
  void require_home() const;

  // Those that are here are killed at their turns; the caller is not. Where
  // there are any, throws as require_home(), with nothing changed.
  void kill();
  // As kill(), and those that are spawned from now on are killed at once.
  void cancel();
  [[nodiscard]] bool cancelled() const { return cancelled_; }

  // The current one is a member, and its callable has not ended. Cost: O(n).
  [[nodiscard]] bool has_current() const;
  // As if the current one, a member, had thrown it.
  void fail(std::exception_ptr what) noexcept;

  // Members whose callables have not ended.
  [[nodiscard]] std::size_t size() const { return size_; }
  // Parks until all have ended. Throws as join().
  void wait(const char* reason, std::source_location where) {
    wait_for_all_but(0, reason, where);
  }
  // Throws what a trap makes of wait().
  void require_waiting(const char* reason, std::source_location where);
  // Cancels, and waits for the end of all but the caller, whatever comes
  // meanwhile, and under traps, too; what makes that impossible is reported.
  void drain(const char* reason, std::source_location where) noexcept;
  // The owner has gone: nobody hears of failures, which are reported.
  void forget_overseer() noexcept { overseer_ = nullptr; }

  template <typename F, typename... Args>
  tasklet spawn(spawn_options options, F&& f, Args&&... args) {
    require_home();
    auto body = bind_once(std::forward<F>(f), std::forward<Args>(args)...);
    make_room();
    const tasklet t =
        weft::spawn(std::move(options),
                    errand<decltype(body)>{membership(*this), std::move(body)});
    enrol(t);
    return t;
  }

 private:
  class membership {
   public:
    explicit membership(crew& c) : crew_(c.shared_from_this()) {
      ++crew_->size_;
    }
    membership(membership&&) = default;
    membership& operator=(membership&&) = delete;
    ~membership() {
      if (crew_) crew_->leave();
    }
    void failed() const noexcept { crew_->fail(std::current_exception()); }

   private:
    std::shared_ptr<crew> crew_;
  };

  // The membership first: it ends last.
  template <typename F>
  struct errand {
    membership of;
    F body;
    void operator()() {
      try {
        body();
      } catch (const tasklet_exit&) {
        throw;
      } catch (...) {
        of.failed();
      }
    }
  };

  void wait_for_all_but(std::size_t outliving, const char* reason,
                        std::source_location where);
  void make_room();
  void enrol(const tasklet& t) noexcept;
  [[nodiscard]] bool has(const tasklet& t) const;
  // Another one whose callable has ended, and which has not; a dead one: none.
  // Requires: all callables but the caller's have ended. Forgets the dead: O(1) a
  // spawn.
  [[nodiscard]] tasklet lingering();
  void forget_dead() noexcept;
  void require_home_of_living() const;
  void leave() noexcept;
  void wake_waiting() noexcept;
  // The current one, if that is a member that was ended before it began.
  void hear_of(descriptor& d) noexcept;

  dispatcher* home_ = this_dispatcher();
  overseer* overseer_;
  std::vector<tasklet> members_;  // and some that have ended
  std::size_t size_ = 0;
  std::size_t outliving_ = 0;  // members that have ended it themselves
  bool cancelled_ = false;
  int killing_ = 0;     // kill()s that have not returned: no member moves
  wait_queue waiting_;  // for the end of all
};

}  // namespace weft
