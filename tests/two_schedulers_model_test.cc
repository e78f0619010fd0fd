// SPDX-License-Identifier: BSL-1.0
// Two schedulers with a tasklet each, and one shared channel without a buffer:
// how their tasklets meet, park, are told by letter and killed, and how the
// schedulers sleep, wake and end (scheduler/crossing.h, inbox.h, core.cc). Every
// interleaving of every program of three operations each.
#include <array>
#include <catch2/catch.hpp>
#include <compare>
#include <cstddef>

#include "weft/tests/support/explore.h"

namespace {

using weft_test::explore;
using weft_test::findings;
using weft_test::steps;

enum class mistake { none, kills_unclaimed, sleeps_unseen, ends_at_once };

enum class operation { send, receive };

constexpr std::size_t operations = 3;

struct program {
  auto operator<=>(const program&) const = default;
  std::array<operation, operations> each{};
  bool is_killed = false;  // once, while it is parked, by its own scheduler
};

// What the thread of a scheduler does next.
enum class at {
  tasklet,  // begins its next operation
  meeting,
  left_guard,
  linking,
  flagging,
  ringing,
  idle,  // looks whether there is mail
  flag_down,
  reading,
  unoccupied,
  killing,
  claiming,
  left_guard_killed,
  awaiting,
  asleep,
  awake,
  closing,
  gone
};

struct home {
  auto operator<=>(const home&) const = default;
  program todo;
  at next = at::tasklet;
  std::size_t done = 0;  // operations
  bool in_line = false;
  bool parked = false;
  bool claimed = false;  // its wait
  bool dead = false;
  bool told = false;   // the letter has come
  bool tells = false;  // is about to post to the other one
  bool rings = false;
  bool has_mail = false;
  bool is_asleep = false;
  bool woken = false;

  [[nodiscard]] bool has_ended() const { return dead || done == operations; }
  [[nodiscard]] operation what() const { return todo.each[done]; }
  [[nodiscard]] std::size_t count(operation o) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i != done; ++i) n += todo.each[i] == o ? 1 : 0;
    return n;
  }
  // Between begin_post() and the end of post().
  [[nodiscard]] bool posts() const {
    return next == at::flagging || next == at::ringing;
  }
  [[nodiscard]] bool rests() const {
    return next == at::gone ||
           (next == at::asleep && !woken && !todo.is_killed);
  }
  void arrive() {
    told = parked = claimed = false;
    ++done;
  }
};

template <mistake M>
struct two_schedulers {
  auto operator<=>(const two_schedulers&) const = default;

  std::array<home, 2> homes;
  bool guard = false;           // held
  bool touched_a_gone = false;  // posted to a scheduler that is no more

  [[nodiscard]] bool done() const {
    return homes[0].rests() && homes[1].rests();
  }
  // As many were sent as received; whoever is still parked has nobody to meet.
  [[nodiscard]] bool right() const {
    const home& a = homes[0];
    const home& b = homes[1];
    for (const home& h : homes) {
      if (h.parked != h.in_line || h.parked == h.has_ended()) return false;
      if (h.claimed || h.told || h.tells) return false;
    }
    if (a.parked && b.parked && a.what() != b.what()) return false;
    return !guard && !touched_a_gone &&
           a.count(operation::send) == b.count(operation::receive) &&
           b.count(operation::send) == a.count(operation::receive);
  }

  void next(steps<two_schedulers>& out) const {
    for (std::size_t i = 0; i != homes.size(); ++i) {
      two_schedulers s = *this;
      if (s.go_on(s.homes[i], s.homes[1 - i])) out.push_back(s);
      // The time comes when it comes.
      two_schedulers t = *this;
      if (expire(t.homes[i])) out.push_back(t);
    }
  }

  // False: it must wait.
  bool go_on(home& me, home& other) {
    switch (me.next) {
      case at::tasklet:
        if (me.has_ended()) {
          me.next = at::closing;
          break;
        }
        if (!take_guard()) return false;
        me.next = at::meeting;
        break;
      case at::meeting:
        meet(me, other);
        me.next = at::left_guard;
        break;
      case at::left_guard:
        guard = false;
        me.next = me.tells ? at::linking : at::idle;
        break;
      case at::linking:
        touch(other);
        other.told = true;
        me.next = at::flagging;
        break;
      case at::flagging:
        touch(other);
        me.rings = other.is_asleep && !other.has_mail;
        other.has_mail = true;
        me.next = at::ringing;
        break;
      case at::ringing:
        touch(other);
        if (me.rings) other.woken = true;
        me.rings = me.tells = false;
        me.next = at::tasklet;
        break;
      case at::idle:
        me.next = me.has_mail ? at::flag_down : at::unoccupied;
        break;
      case at::flag_down:
        me.has_mail = false;
        me.next = at::reading;
        break;
      case at::reading:
        if (me.told) me.arrive();
        me.next = me.parked ? at::idle : at::tasklet;
        break;
      case at::unoccupied:
        me.is_asleep = true;
        me.next =
            me.has_mail && M != mistake::sleeps_unseen ? at::awake : at::asleep;
        break;
      case at::asleep:
        if (!me.woken) return false;
        me.woken = false;
        me.next = at::awake;
        break;
      case at::awake:
        me.is_asleep = false;
        me.next = at::idle;
        break;
      case at::killing:
        if (!take_guard()) return false;
        me.next = at::claiming;
        break;
      case at::claiming:
        if (!me.claimed || M == mistake::kills_unclaimed)
          me.parked = me.in_line = false;
        me.next = at::left_guard_killed;
        break;
      case at::left_guard_killed:
        guard = false;
        me.next = me.parked ? at::awaiting : at::tasklet;
        break;
      case at::awaiting:  // the letter is certain to come
        if (!me.told) return false;
        me.arrive();
        me.next = at::tasklet;
        break;
      case at::closing:  // waits for who is posting
        if (other.posts() && M != mistake::ends_at_once) return false;
        me.next = at::gone;
        break;
      case at::gone:
        return false;
    }
    return true;
  }

  // It is killed, or its wait times out: in its own thread, which does nothing.
  static bool expire(home& me) {
    if (!me.todo.is_killed || !me.parked) return false;
    if (me.next != at::unoccupied && me.next != at::asleep) return false;
    me.is_asleep = false;
    me.todo.is_killed = false;
    me.dead = true;
    me.next = at::killing;
    return true;
  }

  // Under the guard.
  static void meet(home& me, home& other) {
    if (other.in_line && other.what() != me.what()) {
      other.claimed = true;
      other.in_line = false;
      me.tells = true;
      ++me.done;
    } else {
      me.in_line = me.parked = true;
    }
  }

  bool take_guard() {
    if (guard) return false;
    guard = true;
    return true;
  }

  void touch(const home& h) {
    touched_a_gone = touched_a_gone || h.next == at::gone;
  }
};

// Of all programs.
template <mistake M>
findings explore_all() {
  constexpr unsigned bits = operations + 1;
  const auto program_of = [](unsigned n) {
    program p;
    for (operation& o : p.each) {
      o = static_cast<operation>(n & 1U);
      n >>= 1U;
    }
    p.is_killed = n != 0;
    return p;
  };
  findings all;
  for (unsigned n = 0; n != 1U << (2 * bits); ++n) {
    two_schedulers<M> first;
    first.homes[0].todo = program_of(n & ((1U << bits) - 1));
    first.homes[1].todo = program_of(n >> bits);
    all += explore(first);
  }
  return all;
}

}  // namespace

TEST_CASE("two schedulers lose no value, no wake-up and no letter") {
  const findings found = explore_all<mistake::none>();
  CHECK(found.states > 10'000);
  CHECK(found.ends >= 256);
  CHECK(found.stuck == 0);
  CHECK(found.wrong == 0);
}

TEST_CASE("a kill that does not claim the wait loses a value") {
  CHECK(explore_all<mistake::kills_unclaimed>().wrong != 0);
}

TEST_CASE("a scheduler that sleeps without another look is not woken") {
  const findings found = explore_all<mistake::sleeps_unseen>();
  CHECK(found.stuck + found.wrong != 0);
}

TEST_CASE("a scheduler that ends without waiting for posters is touched") {
  CHECK(explore_all<mistake::ends_at_once>().wrong != 0);
}
