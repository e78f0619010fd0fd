// SPDX-License-Identifier: BSL-1.0
// Laws 1, 3, 4, 5, 6 and 7 at once: random programs, run by weft and by a small
// model that is written after the laws alone; both must leave the same trace.
#include <array>
#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"

namespace {

using namespace weft;

enum class verb { send, receive, try_send, try_receive, yield, kill, close };

struct op {
  verb what;
  std::size_t on;  // a channel; for kill a tasklet
};

struct program {
  std::vector<std::size_t> capacities;
  std::vector<preference> preferences;
  std::vector<std::vector<op>> bodies;
};

program random_program(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return random() % n; };
  program p;
  const std::size_t channels = 1 + below(3);
  for (std::size_t i = 0; i < channels; ++i) {
    p.capacities.push_back(below(4));
    p.preferences.push_back(
        static_cast<preference>(static_cast<int>(below(3)) - 1));
  }
  p.bodies.resize(2 + below(6));
  for (auto& body : p.bodies) {
    body.resize(1 + below(12));
    for (op& o : body) {
      const std::size_t dice = below(100);
      o.what = dice < 32   ? verb::send
               : dice < 64 ? verb::receive
               : dice < 70 ? verb::try_send
               : dice < 76 ? verb::try_receive
               : dice < 92 ? verb::yield
               : dice < 98 ? verb::kill
                           : verb::close;
      o.on = below(o.what == verb::kill ? p.bodies.size() : channels);
    }
  }
  return p;
}

constexpr int closed_value = -1;

std::string entry(std::size_t tasklet, std::size_t step, int value) {
  return std::to_string(tasklet) + "." + std::to_string(step) + "=" +
         std::to_string(value) + " ";
}

int value_of(std::size_t tasklet, std::size_t step) {
  return static_cast<int>(tasklet * 100 + step);
}

std::string run_by_weft(const program& p) {
  std::string trace;
  std::deque<channel<int>> channels;
  const scheduler s;
  for (std::size_t i = 0; i < p.capacities.size(); ++i) {
    channels.emplace_back(p.capacities[i]).set_preference(p.preferences[i]);
  }
  std::vector<tasklet> tasklets;
  const auto perform = [&](std::size_t me, std::size_t step) {
    const op o = p.bodies[me][step];
    if (o.what == verb::kill) {
      tasklets[o.on].kill();
      return 0;
    }
    channel<int>& c = channels[o.on % channels.size()];
    switch (o.what) {
      case verb::send:
        try {
          c.send(value_of(me, step));
          return 0;
        } catch (const channel_closed&) {
          return closed_value;
        }
      case verb::receive:
        return c.receive().value_or(closed_value);
      case verb::try_send:
        return static_cast<int>(c.try_send(value_of(me, step)));
      case verb::try_receive:
        return c.try_receive().value_or(closed_value);
      case verb::close:
        c.close();
        return 0;
      default:
        yield();
        return 0;
    }
  };
  for (std::size_t me = 0; me < p.bodies.size(); ++me)
    tasklets.push_back(spawn([&, me] {
      for (std::size_t step = 0; step < p.bodies[me].size(); ++step) {
        try {
          const int result = perform(me, step);
          trace += entry(me, step, result);
        } catch (const tasklet_exit&) {
          trace += "k" + std::to_string(me) + " ";
          throw;
        }
      }
    }));
  const run_result r = run();
  std::ostringstream end;
  end << "blocked " << r.blocked;
  for (auto& c : channels) end << " " << c.balance() << "/" << c.size();
  const std::string left = end.str();
  const std::string result = trace + left;
  return result;
}

class model {
 public:
  explicit model(const program& p) : p_(p) {
    for (std::size_t i = 0; i < p.capacities.size(); ++i)
      channels_.push_back({p.capacities[i], p.preferences[i], {}, {}, false});
    tasklets_.resize(p.bodies.size());
    for (std::size_t i = 0; i < tasklets_.size(); ++i) queue_.push_back(i);
  }

  std::string run() {
    while (!queue_.empty()) {
      const std::size_t next = queue_.front();
      queue_.pop_front();
      go(next);
    }
    std::size_t blocked = 0;
    for (const state& t : tasklets_) blocked += t.at != no_channel;
    std::ostringstream end;
    end << "blocked " << blocked;
    for (const line& c : channels_) {
      const auto waiting = static_cast<int>(c.waiting.size());
      end << " " << (c.senders ? waiting : -waiting) << "/" << c.buffer.size();
    }
    return trace_ + end.str();
  }

 private:
  static constexpr std::size_t no_channel = ~std::size_t{0};
  struct line {
    std::size_t capacity;
    preference prefers;
    std::deque<int> buffer;
    std::deque<std::size_t> waiting;
    bool senders;
    bool closed = false;
  };
  struct state {
    std::size_t step = 0;
    std::size_t at = no_channel;  // where it is parked
    int result = 0;               // of the operation that it was in
    bool in_operation = false;
    bool started = false;
    bool dead = false;
  };

  // Runs `me` until it parks, yields, hands over or ends; whoever it hands over
  // to has been put in front of the queue.
  void go(std::size_t me) {
    state& t = tasklets_[me];
    t.started = true;
    for (;;) {
      if (t.in_operation) {
        trace_ += entry(me, t.step, t.result);
        t.in_operation = false;
        ++t.step;
      }
      if (t.step == p_.bodies[me].size()) {
        t.dead = true;
        return;
      }
      t.in_operation = true;
      t.result = 0;
      if (!perform(me, p_.bodies[me][t.step])) return;
    }
  }

  // False: somebody else runs next.
  bool perform(std::size_t me, op o) {
    if (o.what == verb::kill) return kill(me, o.on);
    line& c = channels_[o.on % channels_.size()];
    switch (o.what) {
      case verb::send:
      case verb::try_send:
        return send(me, c, o.what == verb::send);
      case verb::receive:
      case verb::try_receive:
        return receive(me, c, o.what == verb::receive);
      case verb::close:
        c.closed = true;
        if (!c.senders)
          while (!c.waiting.empty()) wake(c, closed_value);
        return true;
      default:
        queue_.push_back(me);
        return false;
    }
  }

  // The first waiter's operation is complete; it goes to the tail.
  std::size_t take_first(line& c, int result) {
    const std::size_t first = c.waiting.front();
    c.waiting.pop_front();
    tasklets_[first].at = no_channel;
    tasklets_[first].result = result;
    return first;
  }
  void wake(line& c, int result) { queue_.push_back(take_first(c, result)); }

  bool resume(std::size_t me, std::size_t partner, bool now) {
    if (!now) {
      queue_.push_back(partner);
      return true;
    }
    queue_.push_back(me);
    queue_.push_front(partner);
    return false;
  }

  bool send(std::size_t me, line& c, bool parks) {
    state& t = tasklets_[me];
    const int value = value_of(me, t.step);
    if (c.closed) {
      t.result = parks ? closed_value : static_cast<int>(op_status::closed);
      return true;
    }
    if (!c.senders && !c.waiting.empty())
      return resume(me, take_first(c, value),
                    c.prefers == preference::receiver);
    if (c.buffer.size() < c.capacity) {
      c.buffer.push_back(value);
      return true;
    }
    t.result = static_cast<int>(op_status::would_block);
    return parks ? park(me, c, true) : true;
  }

  bool receive(std::size_t me, line& c, bool parks) {
    state& t = tasklets_[me];
    const bool offered = c.senders && !c.waiting.empty();
    if (!c.buffer.empty()) {
      t.result = c.buffer.front();
      c.buffer.pop_front();
      if (!offered) return true;
      c.buffer.push_back(offer(c));
    } else if (offered) {
      t.result = offer(c);
    } else {
      t.result = closed_value;
      return c.closed || !parks ? true : park(me, c, false);
    }
    return resume(me, take_first(c, 0), c.prefers == preference::sender);
  }

  [[nodiscard]] int offer(const line& c) const {
    const std::size_t sender = c.waiting.front();
    return value_of(sender, tasklets_[sender].step);
  }

  bool park(std::size_t me, line& c, bool sends) {
    c.senders = sends;
    c.waiting.push_back(me);
    tasklets_[me].at = static_cast<std::size_t>(&c - channels_.data());
    return false;
  }

  bool kill(std::size_t me, std::size_t target) {
    state& t = tasklets_[target];
    if (t.dead) return true;
    t.dead = true;
    if (target != me) {
      if (t.at != no_channel)
        std::erase(channels_[t.at].waiting, target);
      else
        std::erase(queue_, target);
      t.at = no_channel;
      if (!t.started) return true;
    }
    trace_ += "k" + std::to_string(target) + " ";
    // The target has run and ended; the caller stood in front of the queue.
    return target != me;
  }

  const program& p_;
  std::vector<line> channels_;
  std::vector<state> tasklets_;
  std::deque<std::size_t> queue_;
  std::string trace_;
};

TEST_CASE("random programs leave the trace that the laws give") {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    const program p = random_program(seed);
    const std::string expected = model(p).run();
    const std::string got = run_by_weft(p);
    if (got != expected) {
      INFO("seed " << seed);
      CHECK(got == expected);
      return;
    }
  }
  SUCCEED();
}

}  // namespace
