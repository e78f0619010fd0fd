// SPDX-License-Identifier: BSL-1.0
// A limit on the time that a piece of code may take, however often it waits.
//
//   {
//     weft::timeout limit(2s);
//     try {
//       talk_to(server);             // blocks here and there
//     } catch (const weft::timed_out& e) {
//       if (!e.by(limit)) throw;     // an outer one's time has passed
//       hang_up();
//     }
//   }
//
//   std::optional<page> p = weft::with_timeout(2s, [&] { return fetch(url); });
//
// When the time has passed, the operation that the tasklet is parked in throws
// timed_out, or else the next that may park or yield does: once for each
// timeout. Limits nest, and each knows its own. It is held back by what holds a
// kill back: a shield, unwinding.
//
// A weft::deadline limits all that is done in its scope: its tasklet and those
// that it spawns there, which inherit it, and those that these spawn; for each
// of them every operation throws once the time has passed, until the scope is
// left; one that was inherited, till the tasklet's end, whatever becomes of that
// which it was inherited from. What an operation has come to when the time
// passes is not lost: the next one throws.
//
// Thread safety: of its tasklet.
// Lifetime:      ends in the tasklet that made it.
// Cost:          O(1); no allocation, but for what a tasklet inherits. Reads the
//                clock once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "weft/scheduler/interruption.h"
#include "weft/scheduler/saturate.h"
#include "weft/scheduler/timer_wheel.h"

namespace weft {

class time_limit;

// Raised by a timeout or a deadline. Not a std::exception, so that catch
// (std::exception&) does not stop it. (gevent: Timeout.)
class timed_out {
 public:
  explicit timed_out(std::uint64_t limit) : limit_(limit) {}
  // It was that one's time which has passed.
  [[nodiscard]] bool by(const time_limit& l) const;

 private:
  std::uint64_t limit_;
};

// What a timeout and a deadline have in common.
class time_limit : protected interruption {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] time_point when() const { return when_; }
  // The time has passed while it was in force, whether or not that was raised.
  [[nodiscard]] bool expired() const { return expired_; }
  // It never happens now; one that is due but not raised yet is not raised,
  // unless it has ended an operation already.
  void cancel() noexcept;
  // From now, by the clock of this thread's scheduler. Throws no_scheduler.
  [[nodiscard]] static time_point after(std::chrono::nanoseconds time);
  // The time begins anew. Throws wrong_scheduler in another thread, and where
  // its scheduler has ended.
  void restart(time_point when);
  template <typename Rep, typename Period>
  void restart(std::chrono::duration<Rep, Period> time) {
    restart(after(saturate(time)));
  }

 protected:
  // Throw no_scheduler.
  explicit time_limit(time_point when);
  time_limit(descriptor& d, const time_limit& model) noexcept;
  ~time_limit() override = default;
  // It may still happen, or be raised.
  [[nodiscard]] bool in_force() const { return due() || alarm_.armed(); }
  // Also of a main one that outlives its scheduler.
  void drop() noexcept override { alarm_.disarm(); }

  [[noreturn]] void raise_timed_out() const { throw timed_out(number_); }

 private:
  friend class timed_out;
  friend std::optional<time_point> earliest_limit();
  struct clockwork : timer {
    explicit clockwork(time_limit& l) : timer(&ring), limit(l) {}
    static void ring(timer& t, core& c) noexcept;
    time_limit& limit;
  };

  [[nodiscard]] const time_limit* limit() const override { return this; }

  time_point when_;
  std::uint64_t number_;  // an inherited one has that of its model
  bool expired_ = false;
  clockwork alarm_{*this};
};

class timeout final : public time_limit {
 public:
  explicit timeout(time_point when) : time_limit(when) {}
  template <typename Rep, typename Period>
  explicit timeout(std::chrono::duration<Rep, Period> time)
      : time_limit(after(saturate(time))) {}

 private:
  [[noreturn]] void raise() override { raise_timed_out(); }
};

class deadline final : public time_limit {
 public:
  explicit deadline(time_point when);
  template <typename Rep, typename Period>
  explicit deadline(std::chrono::duration<Rep, Period> time)
      : deadline(after(saturate(time))) {}

 private:
  deadline(descriptor& d, const deadline& model) noexcept
      : time_limit(d, model), inherited_(true) {}
  [[noreturn]] void raise() override;
  void inherit(descriptor& child) const override;
  void drop() noexcept override;

  bool inherited_ = false;
};

// When the first of the current tasklet's limits passes; nullopt: it has none.
// Throws no_scheduler.
[[nodiscard]] std::optional<time_limit::time_point> earliest_limit();

// What f() gives, or nullopt where `time` has passed first; of an f that gives
// nothing, whether it came to its end. Throws what f throws.
// (gevent: with_timeout.)
template <typename Rep, typename Period, typename F>
auto with_timeout(std::chrono::duration<Rep, Period> time, F&& f) {
  using result = std::invoke_result_t<F>;
  timeout limit(time);
  try {
    if constexpr (std::is_void_v<result>) {
      std::forward<F>(f)();
      return true;
    } else {
      return std::optional<result>(std::forward<F>(f)());
    }
  } catch (const timed_out& e) {
    if (!e.by(limit)) throw;
    if constexpr (std::is_void_v<result>)
      return false;
    else
      return std::optional<result>();
  }
}

inline bool timed_out::by(const time_limit& l) const {
  return limit_ == l.number_;
}

}  // namespace weft
