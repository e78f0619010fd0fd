// SPDX-License-Identifier: BSL-1.0
// Law 22: whatever comes to one who waits in the same instant, in whatever
// order, one thing wins and nothing is lost.
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace weft;
using std::chrono::seconds;

enum class what {
  grant,
  kill_pending,
  kill_now,
  raise,
  time_out,  // its time passes, and it has not gone on yet
  time_due,  // its time has passed, and nobody has looked yet
  destroy,
};
constexpr std::array all_of_it{what::grant,  what::kill_pending, what::kill_now,
                               what::raise,  what::time_out,     what::time_due,
                               what::destroy};

// How one waits: plainly, for a time, or in a select.
enum class form { plain, timed, selecting };

// Those that hand something over: at first there is none to be had; grant()
// gives one, done() gives it back, and is_there() takes it again.
template <typename Mutex>
struct by_lock {
  Mutex of;
  by_lock() { of.lock(); }
  void grant() { of.unlock(); }
  void wait() { of.lock(); }
  bool wait_for(seconds d) { return of.try_lock_for(d); }
  auto wait_case() { return of.lock_case(); }
  void done() { of.unlock(); }
  bool is_there() { return of.try_lock(); }
};
using by_mutex = by_lock<mutex>;
using by_recursive_mutex = by_lock<recursive_mutex>;
struct by_shared {
  weft::shared_mutex of;
  by_shared() { of.lock(); }
  void grant() { of.unlock(); }
  void wait() { of.lock_shared(); }
  bool wait_for(seconds d) { return of.try_lock_shared_for(d); }
  auto wait_case() { return of.lock_shared_case(); }
  void done() { of.unlock_shared(); }
  bool is_there() { return of.try_lock(); }
};
struct by_semaphore {
  semaphore of{0};
  void grant() { of.release(2); }
  void wait() { of.acquire(2); }
  bool wait_for(seconds d) { return of.try_acquire_for(d, 2); }
  auto wait_case() { return of.acquire_case(2); }
  void done() { of.release(2); }
  bool is_there() { return of.try_acquire(2); }
};
struct by_event {
  auto_reset_event of;
  void grant() { of.set(); }
  void wait() { of.wait(); }
  bool wait_for(seconds d) { return of.wait_for(d); }
  auto wait_case() { return of.wait_case(); }
  void done() { of.set(); }
  bool is_there() { return of.try_wait(); }
};

// Those that open for all, and stay so.
template <typename Gate>
struct by_gate {
  Gate of;
  explicit by_gate(auto... how) : of(how...) {}
  void wait() { of.wait(); }
  bool wait_for(seconds d) { return of.wait_for(d); }
  auto wait_case() { return of.wait_case(); }
  void done() {}
  bool is_there() { return of.try_wait(); }
};
struct by_open_event : by_gate<event> {
  void grant() { of.set(); }
};
struct by_latch : by_gate<latch> {
  by_latch() : by_gate(1U) {}
  void grant() { of.count_down(); }
};
struct by_wait_group : by_gate<wait_group> {
  by_wait_group() { of.add(); }
  void grant() { of.done(); }
};
struct by_barrier {
  barrier<> of{2};
  barrier<>::arrival_token token = of.arrive();
  void grant() { static_cast<void>(of.arrive()); }
  void wait() { of.wait(token); }
  bool wait_for(seconds d) { return of.wait_for(token, d); }
  auto wait_case() { return of.wait_case(token); }
  void done() {}
  bool is_there() { return of.wait_for(token, seconds(0)); }
};

// 'g' it got it, 't' out of time, 'k' killed, 'i' an int, 'e' it was destroyed.
template <typename P>
char wait_for_it(P& p, form how) {
  try {
    channel<int> never;
    if (how == form::plain) {
      p.wait();
    } else if (how == form::timed) {
      if (!p.wait_for(seconds(1))) return 't';
    } else if (select(never.receive_case(), p.wait_case(),
                      timeout_case(seconds(1))) == 2) {
      return 't';
    }
    return 'g';
  } catch (const tasklet_exit&) {
    return 'k';
  } catch (int) {
    return 'i';
  } catch (const error&) {
    return 'e';
  }
}

// What is to become of the one who waits.
class expectation {
 public:
  explicit expectation(form how) : how_(how) {}

  void comes(what w) {
    if (got != 0) return;
    const bool waits = state_ == 0 && !killed_ && !raised_;
    if (w == what::kill_pending || w == what::kill_now) killed_ = true;
    if (w == what::raise) raised_ = true;
    if (w == what::grant && waits) state_ = 'g';
    if (w == what::destroy && waits) state_ = 'e';
    if (w == what::time_out && waits && how_ != form::plain) state_ = 't';
    // It goes on.
    if (w == what::kill_now || (w == what::time_out && !waits)) goes_on();
  }
  // What its operation failed with comes first, then what is raised in it.
  void goes_on() {
    if (got == 0)
      got = state_ == 'e' ? 'e' : killed_ ? 'k' : raised_ ? 'i' : state_;
  }

  char got = 0;

 private:
  form how_;
  char state_ = 0;
  bool killed_ = false;
  bool raised_ = false;
};

// Has all of `events` come to one who waits, with another behind it if `crowd`.
template <typename P>
void play(form how, const std::vector<what>& events, bool crowd) {
  using clock_time = virtual_clock::clock::time_point;
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  expectation expected(how);
  auto p = std::make_unique<P>();
  P* const it = p.get();
  std::string trace;
  int had = 0;
  const tasklet t = spawn([&] {
    trace += wait_for_it(*it, how);
    if (trace != "g") return;
    ++had;
    if (p) p->done();
  });
  if (crowd)
    spawn([&] {
      try {
        it->wait();
        ++had;
        if (p) p->done();
      } catch (const error&) {  // It was destroyed.
      }
    });
  yield();
  bool granted = false;
  for (const what w : events) {
    if (w == what::grant && p) {
      p->grant();
      granted = true;
    }
    if (w == what::kill_pending) t.kill(pending);
    if (w == what::kill_now) t.kill();
    if (w == what::raise && t.alive())
      t.throw_exception(std::make_exception_ptr(1), pending);
    if (w == what::time_out) {
      // Main is due before it, and both are when somebody looks.
      spawn([&] { clock.advance(seconds(2)); });
      sleep_until(clock_time(std::chrono::milliseconds(1)));
    }
    if (w == what::time_due) clock.advance(seconds(2));
    if (w == what::destroy) p.reset();
    expected.comes(w);
  }
  if (!granted && p) {
    p->grant();
    expected.comes(what::grant);
  }
  run();
  expected.goes_on();
  CHECK_FALSE(t.alive());
  CHECK(trace == std::string(1, expected.got));
  if (!p) return;
  // Nothing was lost.
  CHECK(had == crowd + (trace == "g"));
  CHECK(p->of.waiters() == 0);
  CHECK(p->is_there());
}

TEMPLATE_TEST_CASE(
    "of what comes in one instant one thing wins, and nothing is lost", "",
    by_mutex, by_recursive_mutex, by_shared, by_semaphore, by_event,
    by_open_event, by_latch, by_wait_group, by_barrier) {
  const form how = GENERATE(form::plain, form::timed, form::selecting);
  const bool crowd = GENERATE(false, true);
  for (const what first : all_of_it)
    for (const what second : all_of_it)
      for (const what third : all_of_it) {
        if (first == second || second == third || first == third) continue;
        // Time passes once.
        const auto has = [&](what w) {
          return first == w || second == w || third == w;
        };
        if (has(what::time_out) && has(what::time_due)) continue;
        CAPTURE(int(how), int(first), int(second), int(third), crowd);
        play<TestType>(how, {first, second, third}, crowd);
      }
}

}  // namespace
