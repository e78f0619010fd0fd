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
#include "weft/scheduler/manual_driver.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using weft_test::counted;

// What is done to one that selects receiving from a, sending to b, and an hour.
enum class blow {
  nothing,
  send_a,
  send_a_again,
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
constexpr std::array blows{
    blow::nothing,      blow::send_a,    blow::send_a_again,
    blow::receive_b,    blow::close_a,   blow::close_b,
    blow::hour,         blow::kill,      blow::kill_pending,
    blow::exception,    blow::clear_a,   blow::send_exception};

std::ostream& operator<<(std::ostream& out, blow b) {
  constexpr std::array names{"nothing", "send_a",       "send_a_again",
                             "receive_b", "close_a",    "close_b",
                             "hour",    "kill",         "kill_pending",
                             "exception", "send_exception", "clear_a"};
  return out << names[static_cast<std::size_t>(b)];
}

struct race {
  std::array<blow, 3> by;
  preference prefers;
  std::size_t capacity;
  bool ordered;
};

class course {
 public:
  explicit course(const race& r)
      : r_(r), s_({.driver = &clock_}), a_(r.capacity), b_(r.capacity) {
    a_.set_preference(r.prefers);
    b_.set_preference(r.prefers);
    while (b_.size() != b_.capacity()) b_.send(made());
  }

  void run() {
    runner_ = spawn([this] { compete(); });
    // It is alone, and waits in all lines.
    s_.run_n(1);
    CHECK(runner_.blocked());
    CHECK(a_.balance() == -1);
    CHECK(b_.balance() == 1);
    for (blow b : r_.by) {
      others_.push_back(spawn([this, b] {
        try {
          strike(b);
        } catch (int) {
        } catch (const channel_closed&) {
        }
      }));
    }
    s_.run_n(100);
    CHECK(outcomes_.size() <= 1);
    const bool struck =
        std::any_of(r_.by.begin(), r_.by.end(), [](blow b) {
          return b != blow::nothing && b != blow::close_b;
        });
    // Only what can end it does, and nothing is left of it in any line.
    CHECK(struck == (outcomes_.size() == 1));
    CHECK(runner_.alive() == !struck);
    if (struck) {
      CHECK(a_.balance() >= 0);
      CHECK(b_.balance() <= 0);
    }
    runner_.kill();
    for (const tasklet& t : others_) t.kill();
    if (!struck) CHECK(outcomes_ == "k");
    while (a_.try_receive()) ++taken_;
    while (b_.try_receive()) ++taken_;
    // Whatever was moved out of its sender's hands arrived, once.
    CHECK(handed_over_ == taken_ + lost_);
    CHECK(a_.balance() == 0);
    CHECK(b_.balance() == 0);
  }

 private:
  counted made() {
    ++handed_over_;
    return counted(1);
  }
  // Counts a value as handed over if it has been moved from.
  void settle(const counted& v) {
    if (v.value == -1) ++handed_over_;
  }

  void compete() {
    counted mine(1);
    try {
      auto in = a_.receive_case();
      const auto among = [&](auto&&... cases) {
        return r_.ordered ? select(in_order, cases...) : select(cases...);
      };
      const int alive_before = counted::alive;
      try {
        switch (among(in, b_.send_case(std::move(mine)), timeout_case(1h))) {
          case 0:
            if (in.value()) {
              ++taken_;
              outcomes_ += 'v';
            } else {
              outcomes_ += 'n';
            }
            break;
          case 1:
            outcomes_ += 's';
            break;
          default:
            outcomes_ += 't';
        }
      } catch (...) {
        // A value that it got is gone.
        lost_ += got_in_vain(alive_before);
        throw;
      }
    } catch (const tasklet_exit&) {
      outcomes_ += 'k';
      settle(mine);
      throw;
    } catch (int) {
      outcomes_ += 'e';
    } catch (const channel_closed&) {
      outcomes_ += 'c';
    }
    settle(mine);
  }
  // What senders have lost so far and nobody has got.
  int got_in_vain(int) const { return sent_to_a_ - (a_got_ + held()); }
  [[nodiscard]] int held() const { return static_cast<int>(a_.size()); }

  void strike(blow b) {
    switch (b) {
      case blow::nothing:
        return;
      case blow::send_a:
      case blow::send_a_again: {
        counted v(1);
        const auto sent = [&] {
          if (v.value == -1) {
            ++handed_over_;
          }
        };
        try {
          a_.send_for(0s, std::move(v));
        } catch (...) {
          sent();
          throw;
        }
        sent();
        return;
      }
      case blow::receive_b:
        if (b_.receive_for(0s)) ++taken_;
        return;
      case blow::close_a:
        return a_.close();
      case blow::close_b:
        return b_.close();
      case blow::hour:
        clock_.advance(1h);
        return sleep_for(1ns);
      case blow::kill:
        return runner_.kill();
      case blow::kill_pending:
        return runner_.kill(pending);
      case blow::exception:
        if (runner_.alive())
          runner_.throw_exception(std::make_exception_ptr(1));
        return;
      case blow::send_exception:
        return a_.send_exception(std::make_exception_ptr(1));
      case blow::clear_a:
        return a_.clear();
    }
  }

  race r_;
  manual_driver clock_;
  scheduler s_;
  channel<counted> a_;
  channel<counted> b_;
  tasklet runner_;
  std::vector<tasklet> others_;
  std::string outcomes_;
  int handed_over_ = 0;
  int taken_ = 0;
  int lost_ = 0;
  int sent_to_a_ = 0;
  int a_got_ = 0;
};
}
