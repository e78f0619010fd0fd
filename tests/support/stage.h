// SPDX-License-Identifier: BSL-1.0
// A scheduler with one tasklet in a given state, for laws that hold in each.
#pragma once

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <tuple>
#include <utility>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"

namespace weft_test {

// Says when it is destroyed.
struct mark {
  std::string& trace;
  char name;
  ~mark() { trace += name; }
};

enum class state {
  self,  // the caller itself
  dead,
  // Has not started:
  fresh,  // scheduled
  created,
  unbound,
  // Has started:
  yielding,
  sending,
  receiving,
  buffered,  // sends to a full buffer
  joining,
  selecting,
  sleeping,
  suspended,
  removed,
  switched,  // in switch_to()
  running,   // in run()
};

inline constexpr std::array every_state{
    std::pair{state::self, "self"},
    std::pair{state::dead, "dead"},
    std::pair{state::fresh, "fresh"},
    std::pair{state::created, "created"},
    std::pair{state::unbound, "unbound"},
    std::pair{state::yielding, "yielding"},
    std::pair{state::sending, "sending"},
    std::pair{state::receiving, "receiving"},
    std::pair{state::buffered, "buffered"},
    std::pair{state::joining, "joining"},
    std::pair{state::selecting, "selecting"},
    std::pair{state::sleeping, "sleeping"},
    std::pair{state::suspended, "suspended"},
    std::pair{state::removed, "removed"},
    std::pair{state::switched, "switched"},
    std::pair{state::running, "running"},
};

inline bool unstarted(state at) {
  return at >= state::fresh && at <= state::unbound;
}
inline bool queued(state at) {
  return at == state::fresh || at == state::yielding;
}
inline bool blocked(state at) {
  return at >= state::sending && at <= state::sleeping;
}
inline bool paused(state at) {
  return at == state::created || at == state::unbound || at >= state::suspended;
}

// Exactly one of current, scheduled, blocked, paused and dead.
inline char letter(const weft::tasklet& t) {
  CHECK(t.alive() ==
        (t.is_current() + t.scheduled() + t.blocked() + t.paused() == 1));
  if (t.is_current()) return 'c';
  if (t.scheduled()) return 's';
  if (t.blocked()) return 'b';
  return t.paused() ? 'p' : 'd';
}

// The target says in the trace what becomes of it: 'r' it goes on, 'k' it gets
// a tasklet_exit, 'e' an int; then 'd' where its frame ends.
class stage {
 public:
  explicit stage(state at) : at_(at), s_({.driver = &clock}) {
    counted::reset();
    // The frame owns one value, and the channels some.
    auto body = [this, own = counted(1)] {
      const mark m{trace, 'd'};
      try {
        wait();
        trace += 'r';
      } catch (const weft::tasklet_exit&) {
        trace += 'k';
        throw;
      } catch (int) {
        trace += 'e';
        throw;
      }
      // In case that waits to be inserted.
      if (caller.paused()) caller.insert();
    };
    if (at == state::buffered) full.send(counted(2));
    if (at == state::joining) {
      other = weft::spawn([this] { hold.receive(); });
      weft::yield();
    }
    if (at == state::self) return;
    if (at == state::unbound)
      t = weft::create();
    else if (at == state::created)
      t = weft::create(std::move(body));
    else
      t = weft::spawn(std::move(body));
    if (!unstarted(at)) weft::yield();
    if (at == state::removed) t.remove();
    trace.clear();
  }

  weft::scheduler& scheduler() { return s_; }

  // What an operation that fails leaves as it was.
  auto snapshot() {
    return std::tuple(trace, letter(t), s_.runnable(), s_.live(), c.balance(),
                      full.balance(), full.size(), counted::alive);
  }

  // Calls `act` in main, or in a worker while main runs, until nobody can run
  // any more. 'E' in the trace: main has got an int, out of act() or run().
  // Main may be killed.
  void play(bool by_main, const std::function<void()>& act) {
    // The worker goes first; what was queued follows when it says.
    if (queued(at_)) t.remove();
    const auto acts = [&] {
      caller = weft::current();
      act();
    };
    if (by_main)
      catch_failure(acts);
    else
      weft::spawn(acts);
    while (catch_failure([] { weft::run(); })) {
    }
  }

  // The target takes its place in the queue, between two others if `crowd`.
  void line_up(bool crowd) {
    if (crowd) weft::spawn([this] { trace += 'a'; });
    if (queued(at_)) t.insert();
    if (crowd) weft::spawn([this] { trace += 'b'; });
  }

  std::string trace;
  weft::virtual_clock clock;
  weft::channel<counted> c;
  weft::channel<counted> full{1};
  weft::channel<int> hold;
  weft::tasklet t;
  weft::tasklet other;  // that one joins
  weft::tasklet caller;

 private:
  template <typename F>
  bool catch_failure(F f) {
    try {
      f();
      return false;
    } catch (int) {
      trace += 'E';
      return true;
    }
  }

  void wait() {
    switch (at_) {
      case state::yielding:
      case state::removed:
        return weft::yield();
      case state::sending:
        return c.send(counted(3));
      case state::receiving:
        return static_cast<void>(c.receive());
      case state::buffered:
        return full.send(counted(4));
      case state::joining:
        return other.join();
      case state::selecting:
        weft::select(c.send_case(counted(3)), hold.receive_case());
        return;
      case state::sleeping:
        return weft::sleep_for(std::chrono::hours(1));
      case state::suspended:
        return static_cast<void>(weft::suspend());
      case state::switched:
        return static_cast<void>(weft::create([] {}).switch_to());
      case state::running:
        return static_cast<void>(weft::run());
      default:
        return;
    }
  }

  state at_;
  weft::scheduler s_;  // ends before what its tasklets use
};

}  // namespace weft_test
