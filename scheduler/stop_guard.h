// SPDX-License-Identifier: BSL-1.0
// Ends a piece of code that waits, when a stop is asked for.
//
//   std::jthread worker([](std::stop_token stop) {
//     weft::scheduler s;
//     weft::stop_guard until(stop);
//     try {
//       serve();  // blocks here and there
//     } catch (const weft::stopped&) {
//     }
//   });         // the end of the jthread asks for the stop
//
// Once the token's source is asked to stop, the operation that the tasklet is
// parked in throws stopped, and so does each that it begins after that and that
// may park or yield, until the guard ends. What an operation has come to by then
// is not lost: the next one throws. It is held back by what holds a kill back: a
// shield, unwinding. A stop that was asked for before is raised by the first
// operation.
//
// In the scheduler's own thread the stop takes effect at once. From another one
// it wakes the scheduler if that waits; one that is busy looks every 64
// switches. While a guard's stop may still come, there is no deadlock, and run()
// waits instead of returning; not so once the token has no source any more.
//
// Thread safety: of its tasklet; the stop may be asked for in any thread.
// Lifetime:      ends in the tasklet that made it; main's may outlive its
//                scheduler. The scheduler's idle driver must take wake() from
//                the threads that ask.
// Cost:          O(1); no allocation; the token's lock at either end.
#pragma once

#include <atomic>
#include <optional>
#include <stop_token>

#include "weft/scheduler/interruption.h"

namespace weft {

struct core;

// Raised by a stop_guard. Not a std::exception, so that catch (std::exception&)
// does not stop it.
class stopped {};

class stop_guard final : public interruption {
 public:
  // Throws no_scheduler.
  explicit stop_guard(std::stop_token token);
  ~stop_guard() override;

  [[nodiscard]] const std::stop_token& token() const { return token_; }

 private:
  friend struct core;
  struct messenger {
    stop_guard* to;
    void operator()() const noexcept { to->stop_asked(); }
  };

  [[noreturn]] void raise() override;
  void drop() noexcept override;
  // In any thread.
  void stop_asked() noexcept;
  void unlist() noexcept;

  std::stop_token token_;
  core& home_;
  stop_guard* next_ = nullptr;       // in the scheduler's list
  stop_guard** link_ = nullptr;      // to this; null: it is in none
  std::atomic<bool> asked_ = false;  // by another thread
  std::optional<std::stop_callback<messenger>> messenger_;
};

}  // namespace weft
