// SPDX-License-Identifier: BSL-1.0
// Law 20 where several things happen to a select in the same instant: exactly
// one of them wins, whatever the order, and no value is lost or doubled.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/channel_kind.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::channel;
using weft_test::run;
using namespace std::chrono_literals;
using weft_test::counted;

// What is done to one that selects receiving from a, sending to b, and an hour.
enum class blow {
  nothing,
  send_a,
  receive_b,
  close_a,
  close_b,
  hour,
  kill,
  kill_pending,
  exception,
  send_exception,
  clear_a,
};
constexpr std::array blows{blow::nothing, blow::send_a,        blow::receive_b,
                           blow::close_a, blow::close_b,       blow::hour,
                           blow::kill,    blow::kill_pending,  blow::exception,
                           blow::clear_a, blow::send_exception};

std::ostream& operator<<(std::ostream& out, blow b) {
  constexpr std::array names{"nothing",        "send_a",       "receive_b",
                             "close_a",        "close_b",      "hour",
                             "kill",           "kill_pending", "exception",
                             "send_exception", "clear_a"};
  return out << names[static_cast<std::size_t>(b)];
}

struct race {
  std::vector<blow> by;
  preference prefers;
  std::size_t capacity;
  bool ordered;
};

std::ostream& operator<<(std::ostream& out, const race& r) {
  for (blow b : r.by) out << b << ' ';
  return out << "preference " << static_cast<int>(r.prefers) << " capacity "
             << r.capacity << (r.ordered ? " in order" : "");
}

class course {
 public:
  explicit course(const race& r)
      : r_(r), s_({.driver = &clock_}), a_(r.capacity), b_(r.capacity) {
    a_.set_preference(r.prefers);
    b_.set_preference(r.prefers);
    while (b_.size() != b_.capacity()) send(b_);
  }

  void run() {
    runner_ = spawn([this] { compete(); });
    yield();
    CHECK(runner_.blocked());
    CHECK(a_.balance() == -1);
    CHECK(b_.balance() == 1);
    std::vector<tasklet> all;
    for (blow b : r_.by) all.push_back(spawn([this, b] { strike(b); }));
    s_.run_n(100);  // Unlike run(), it does not wait for the time.

    const bool over = std::any_of(r_.by.begin(), r_.by.end(), [](blow b) {
      return b != blow::nothing && b != blow::close_b;
    });
    // One thing has happened, and nobody stands in a line for it any more.
    CHECK(outcome_.size() == (over ? 1 : 0));
    CHECK(runner_.alive() != over);
    if (over) {
      CHECK(a_.balance() >= 0);
      CHECK(b_.balance() <= 0);
    }
    runner_.kill();
    for (const tasklet& t : all) t.kill();
    CHECK(outcome_.size() == 1);
    CHECK(a_.balance() == 0);
    CHECK(b_.balance() == 0);
    while (a_.try_receive()) ++arrived_;
    while (b_.try_receive()) ++arrived_;
    // What it was given is gone, if something else is raised in it.
    const int vain = given_ - arrived_;
    CHECK(vain >= 0);
    CHECK(vain <= (outcome_ == "k" || outcome_ == "e" ? 1 : 0));
  }

 private:
  // Waits for nobody.
  void send(channel<counted>& c) {
    counted v(1);
    static_cast<void>(c.try_send(std::move(v)));
    if (v.value == -1) ++given_;
  }

  void compete() {
    counted mine(1);
    try {
      outcome_ += choose(mine);
    } catch (const tasklet_exit&) {
      outcome_ += 'k';
    } catch (int) {
      outcome_ += 'e';
    }
    if (mine.value == -1) ++given_;
  }
  char choose(counted& mine) {
    auto in = a_.receive_case();
    auto out = b_.send_case(std::move(mine));
    timeout_case late(1h);
    switch (r_.ordered ? select(in_order, in, out, late)
                       : select(in, out, late)) {
      case 0:
        if (!in.value()) return 'n';
        ++arrived_;
        return 'r';
      case 1:
        return 's';
      default:
        return 't';
    }
  }

  void strike(blow b) {
    switch (b) {
      case blow::nothing:
        return;
      case blow::send_a:
        return send(a_);
      case blow::receive_b:
        if (b_.try_receive()) ++arrived_;
        return;
      case blow::close_a:
        return a_.close();
      case blow::close_b:
        return b_.close();
      case blow::hour:
        return clock_.advance(1h);
      case blow::kill:
        return runner_.kill();
      case blow::kill_pending:
        return runner_.kill(pending);
      case blow::exception:
        if (runner_.alive())
          runner_.throw_exception(std::make_exception_ptr(1), pending);
        return;
      case blow::send_exception:
        if (!a_.closed()) a_.send_exception(std::make_exception_ptr(1));
        return;
      case blow::clear_a:
        return a_.clear();
    }
  }

  const race& r_;
  virtual_clock clock_;
  scheduler s_;
  channel<counted> a_;
  channel<counted> b_;
  tasklet runner_;
  std::string outcome_;
  int given_ = 0;    // values that were moved from
  int arrived_ = 0;  // that somebody has
};

void check(const race& r) {
  INFO(r);
  counted::reset();
  course(r).run();
  CHECK(counted::alive == 0);
}

TEST_CASE("of two or three things in one instant exactly one wins") {
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  for (blow first : blows)
    for (blow second : blows) {
      for (const bool ordered : {true, false})
        for (const std::size_t capacity : {0U, 1U, 2U})
          check({{first, second}, prefers, capacity, ordered});
      for (blow third : blows)
        check({{first, second, third}, prefers, 0, false});
    }
}

// Several that select, and several who meet them: all orders of a small
// program. A tasklet is a letter: r and s select receiving and sending, R and S
// do so plainly, b in both directions.
TEST_CASE("whoever comes in which order, all that can meet do") {
  const auto prefers =
      GENERATE(preference::receiver, preference::neither, preference::sender);
  const auto capacity = GENERATE(0U, 1U);
  for (std::string who : {"RSrs", "RRss", "SSrr", "RSbb", "bbbr", "bbbs",
                          "Rsbb", "RRSSb", "rrSSb"}) {
    std::sort(who.begin(), who.end());
    do {
      INFO(who << ", capacity " << capacity);
      const scheduler s;
      channel<int> c(capacity);
      channel<int> other;
      c.set_preference(prefers);
      int sent = 0;
      int received = 0;
      std::vector<tasklet> all;
      for (char each : who)
        all.push_back(spawn([&, each] {
          if (each == 'R' || each == 'r') {
            each == 'R' ? void(c.receive())
                        : void(select(other.receive_case(), c.receive_case()));
            ++received;
          } else if (each == 'S' || each == 's') {
            each == 'S' ? c.send(1)
                        : void(select(c.send_case(1), other.receive_case()));
            ++sent;
          } else {
            ++(select(c.receive_case(), c.send_case(1)) == 0 ? received : sent);
          }
        }));
      run();
      CHECK(sent - received == static_cast<int>(c.size()));
      // Nobody is left who could meet another.
      int senders = 0;
      int receivers = 0;
      for (std::size_t i = 0; i != all.size(); ++i) {
        if (!all[i].alive()) continue;
        senders += who[i] != 'R' && who[i] != 'r' ? 1 : 0;
        receivers += who[i] != 'S' && who[i] != 's' ? 1 : 0;
      }
      CHECK(c.balance() == senders - receivers);
      CHECK((senders == 0 || receivers == 0 ||
             (senders == 1 && receivers == 1 && s.live() == 1)));
      if (receivers > 0) CHECK(c.size() == 0);
      if (senders > 0) CHECK(c.size() == c.capacity());
      for (const tasklet& t : all) t.kill();
      CHECK(c.balance() == 0);
      CHECK(other.balance() == 0);
    } while (std::next_permutation(who.begin(), who.end()));
  }
}

TEST_CASE("none that selects overtakes one that waits plainly") {
  const bool sends = GENERATE(true, false);
  constexpr int n = 5;
  for (unsigned who = 0; who != 1U << n; ++who) {
    const scheduler s;
    channel<int> c;
    channel<int> other;
    std::string trace;
    for (int i = 0; i != n; ++i)
      spawn([&, i] {
        const bool selects = (who >> i & 1) != 0;
        for (int round = 0; round != 3; ++round) {
          if (sends)
            selects ? void(select(c.send_case(i), other.receive_case()))
                    : c.send(i);
          else
            selects ? void(select(other.receive_case(), c.receive_case()))
                    : void(c.receive());
          if (!sends) trace += static_cast<char>('0' + i);
        }
      });
    yield();
    for (int i = 0; i != 3 * n; ++i) {
      if (sends)
        trace += static_cast<char>('0' + *c.receive());
      else
        c.send(1);
      yield();
    }
    CHECK(trace == "012340123401234");
    CHECK(other.balance() == 0);
    run();
  }
}

}  // namespace
