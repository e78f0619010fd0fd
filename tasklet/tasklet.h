// SPDX-License-Identifier: BSL-1.0
// A handle to a tasklet: a flow of control that a scheduler runs.
//
//   weft::tasklet t = weft::spawn([] { ... });
//   t.join();
//
// A handle is two words, cheap to copy and safe for ever: on a tasklet that has
// ended, and on one whose scheduler has. It neither owns the tasklet nor keeps
// it alive; a spawned tasklet runs whether or not anybody holds a handle.
//
// Thread safety: the thread of the tasklet's scheduler; from another one kill()
//                and join() throw wrong_scheduler and leave everything as it
//                was.
// Cost:          O(1), no allocation.
//
// The queries stand here; the verbs are scheduling: scheduler/ defines them.
#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>

#include "weft/tasklet/control_block.h"
#include "weft/tasklet/error.h"

namespace weft {

// kill(pending): at the target's next turn instead of now.
struct pending_t {};
inline constexpr pending_t pending{};

class tasklet {
 public:
  tasklet() = default;  // of no tasklet: not alive

  // Parks until the tasklet has ended; returns at once if it already has.
  // An exception that escapes the tasklet meanwhile is thrown here, to all who
  // wait. Throws wrong_scheduler, no_scheduler; deadlock_error where nothing
  // could end it; error where a tasklet would join itself; tasklet_exit when
  // killed.
  void join(std::source_location where = std::source_location::current()) const;

  // Raises tasklet_exit out of the tasklet's blocking call; destructors run.
  // - It runs now, and the caller goes on as soon as it yields, blocks or ends.
  //   Does not wait for the end; join() does.
  // - A parked one leaves its queue at once, with the balance restored.
  // - One that has not started ends without running; its callable is destroyed.
  // - Sticky: a tasklet that swallows it gets it again from its next operation
  //   that may park or yield.
  // - Held back while a weft::shield is alive, while the tasklet unwinds, and
  //   in a handler of the kill itself: then it stays where it is and kill()
  //   returns.
  // - The caller itself: raised here. A dead one: nothing happens.
  // Throws wrong_scheduler, no_scheduler; tasklet_exit when killed itself.
  // (Stackless: tasklet.kill, in the flat order of CCP's scheduler.)
  void kill() const;

  // As kill(), but the caller goes on: the tasklet gets it at its turn.
  void kill(pending_t) const;

  // Runs the tasklet now; the caller stands at the front of the queue and goes
  // on as soon as it yields, blocks or ends. The caller itself: nothing
  // happens. Throws error for one that is blocked or dead, wrong_scheduler,
  // no_scheduler; tasklet_exit when killed. (Stackless: tasklet.run, flat.)
  void run() const;

  // It has not ended.
  [[nodiscard]] bool alive() const { return d_ != nullptr && d_->id == id_; }
  // It is parked: in an operation on a channel, in join(), in sleep_for(), ...
  [[nodiscard]] bool blocked() const {
    return alive() && d_->block->waiting != nullptr;
  }
  // It stands in the run queue.
  [[nodiscard]] bool scheduled() const;
  // It is the running one of its scheduler.
  [[nodiscard]] bool is_current() const;
  // It is the one that its scheduler was made in.
  [[nodiscard]] bool is_main() const;
  // The name given at spawn; empty without one, and when it has ended.
  [[nodiscard]] std::string_view name() const {
    return alive() && d_->name ? std::string_view(*d_->name)
                               : std::string_view();
  }
  // Counts up in order of spawning; never used twice by one scheduler. 0: none.
  [[nodiscard]] std::uint64_t id() const { return id_; }

  friend bool operator==(const tasklet&, const tasklet&) = default;

 private:
  friend struct dispatcher;
  explicit tasklet(descriptor* d) : d_(d), id_(d->id) {}

  descriptor* d_ = nullptr;
  std::uint64_t id_ = 0;
};

}  // namespace weft
