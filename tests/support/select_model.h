// SPDX-License-Identifier: BSL-1.0
// Random programs of selects, and what the laws say of them: a queue, and two
// lines a channel. Nothing here is fast or clever.
//
// All tasklets of a program are spawned, then main runs them, then kills those
// that are left. A program's trace has an entry for each operation that has
// ended, with what the channels hold then.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace weft_test {

struct select_program {
  struct one_case {
    std::size_t channel = 0;
    bool sends = false;
    bool enabled = true;
  };
  enum class verb { select, yield, close, kill };
  struct op {
    verb what = verb::select;
    std::size_t on = 0;           // a channel to close, a tasklet to kill
    std::vector<one_case> cases;  // a single one: a plain send or receive
    bool ordered = false;
    bool has_default = false;
  };
  struct line {
    std::size_t capacity = 0;
    int preference = 0;  // as weft::preference
  };
  std::vector<line> channels;
  std::vector<std::vector<op>> bodies;

  // Fair selects, or selects in order and kills: what one that is killed before
  // it goes on has chosen nobody learns.
  select_program(unsigned seed, bool fair) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return random() % n; };
    channels.resize(1 + below(3));
    for (line& c : channels) c = {below(3), static_cast<int>(below(3)) - 1};
    bodies.resize(2 + below(5));
    for (auto& body : bodies)
      for (std::size_t n = 1 + below(6); n != 0; --n) {
        op& o = body.emplace_back();
        const std::size_t dice = below(24);
        o.what = dice == 0  ? verb::close
                 : dice < 3 ? (fair ? verb::yield : verb::kill)
                 : dice < 6 ? verb::yield
                            : verb::select;
        o.on = below(o.what == verb::close ? channels.size() : bodies.size());
        o.ordered = !fair;
        o.has_default = below(6) == 0;
        for (std::size_t k = 1 + below(4); k != 0; --k)
          o.cases.push_back(
              {below(channels.size()), below(2) == 0, below(8) != 0});
        if (o.cases.size() == 1) o.cases[0].enabled = true;
      }
  }

  static int value_of(std::size_t who, std::size_t step) {
    return static_cast<int>(who * 100 + step);
  }
  // What a fair select has chosen, by tasklet and step; nothing: it has failed,
  // by a send on a closed channel.
  using choices = std::map<std::pair<std::size_t, std::size_t>, std::size_t>;
};

class select_model {
 public:
  select_model(const select_program& p, const select_program::choices& chosen)
      : p_(p), chosen_(chosen), tasks_(p.bodies.size()) {
    for (const auto& each : p.channels) channels_.push_back({each, {}, {}, {}});
  }

  std::string run() {
    for (std::size_t i = 0; i != tasks_.size(); ++i) queue_.push_back(i);
    while (!queue_.empty()) {
      current_ = queue_.front();
      queue_.pop_front();
      turn();
    }
    trace_ += "drained\n";
    for (std::size_t i = 0; i != tasks_.size(); ++i)
      if (!tasks_[i].dead) kill(i);
    return trace_;
  }

 private:
  using op = select_program::op;
  using verb = select_program::verb;
  struct waiter {
    std::size_t who;
    std::size_t which;  // of its cases
  };
  struct channel {
    select_program::line is;
    std::deque<int> buffer;
    std::deque<waiter> senders;
    std::deque<waiter> receivers;
    bool closed = false;
    [[nodiscard]] bool full() const { return buffer.size() == is.capacity; }
  };
  struct task {
    std::size_t step = 0;
    bool started = false;
    bool dead = false;
    std::optional<std::string> result;  // of the operation that waited
  };

  // The current tasklet goes on until another does.
  void turn() {
    task& t = tasks_[current_];
    const std::size_t me = current_;
    t.started = true;
    if (t.result) finish(me, *std::exchange(t.result, std::nullopt));
    const auto& body = p_.bodies[me];
    while (t.step != body.size()) {
      if (!perform(me, body[t.step])) return;
    }
    t.dead = true;
  }

  // False: another goes on.
  bool perform(std::size_t me, const op& o) {
    switch (o.what) {
      case verb::yield:
        if (queue_.empty()) break;
        return resume_later(me, "=");
      case verb::close: {
        channel& c = channels_[o.on];
        c.closed = true;
        while (!c.receivers.empty())
          queue_.push_back(serve(c.receivers.front(), "none"));
        break;
      }
      case verb::kill:
        if (tasks_[o.on].dead) break;
        kill(o.on);
        if (o.on == me) return false;
        break;
      case verb::select:
        return choose(me, o);
    }
    finish(me, "=");
    return true;
  }

  bool choose(std::size_t me, const op& o) {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i != o.cases.size(); ++i)
      if (o.cases[i].enabled && can_happen(o.cases[i])) ready.push_back(i);
    if (!ready.empty()) {
      std::size_t which = ready.front();
      if (!o.ordered) {
        const auto chosen = chosen_.find({me, tasks_[me].step});
        for (std::size_t i : ready)
          if (chosen != chosen_.end()
                  ? i == chosen->second
                  : o.cases[i].sends && channels_[o.cases[i].channel].closed)
            which = i;
      }
      return happen(me, o.cases[which], which);
    }
    if (o.has_default) {
      finish(me, "=default");
      return true;
    }
    for (std::size_t i = 0; i != o.cases.size(); ++i) {
      if (!o.cases[i].enabled) continue;
      channel& c = channels_[o.cases[i].channel];
      (o.cases[i].sends ? c.senders : c.receivers).push_back({me, i});
    }
    return false;
  }

  [[nodiscard]] bool can_happen(const select_program::one_case& k) const {
    const channel& c = channels_[k.channel];
    if (c.closed) return true;
    return k.sends ? !c.receivers.empty() || !c.full()
                   : !c.senders.empty() || !c.buffer.empty();
  }

  bool happen(std::size_t me, const select_program::one_case& k,
              std::size_t which) {
    channel& c = channels_[k.channel];
    const std::string name = "=" + std::to_string(which) + ":";
    if (k.sends) {
      const int value = select_program::value_of(me, tasks_[me].step);
      if (c.closed) {
        finish(me, "!closed");
        return true;
      }
      if (!c.receivers.empty())
        return meet(me, {serve(c.receivers.front(), std::to_string(value))},
                    c.is.preference < 0, name + "sent");
      c.buffer.push_back(value);
      finish(me, name + "sent");
      return true;
    }
    std::vector<std::size_t> served;
    std::string got = "none";
    if (!c.buffer.empty()) {
      got = std::to_string(c.buffer.front());
      c.buffer.pop_front();
      while (!c.senders.empty() && !c.full()) {
        c.buffer.push_back(offered(c));
        served.push_back(serve(c.senders.front(), "sent"));
      }
    } else if (!c.senders.empty()) {
      got = std::to_string(offered(c));
      served.push_back(serve(c.senders.front(), "sent"));
    }
    return meet(me, served, c.is.preference > 0, name + got);
  }

  // Those who were served go on: the first now, the caller at the tail; or all
  // in their turn.
  bool meet(std::size_t me, const std::vector<std::size_t>& served, bool now,
            const std::string& result) {
    for (std::size_t i = now ? 1 : 0; i < served.size(); ++i)
      queue_.push_back(served[i]);
    if (!now || served.empty()) {
      finish(me, result);
      return true;
    }
    queue_.push_front(served[0]);
    return resume_later(me, result);
  }
  bool resume_later(std::size_t me, const std::string& result) {
    tasks_[me].result = result;
    queue_.push_back(me);
    return false;
  }

  [[nodiscard]] int offered(const channel& c) const {
    const std::size_t who = c.senders.front().who;
    return select_program::value_of(who, tasks_[who].step);
  }

  // The operation of a waiter is complete, and it stands in no line any more.
  std::size_t serve(waiter w, const std::string& result) {
    leave(w.who);
    tasks_[w.who].result = "=" + std::to_string(w.which) + ":" + result;
    return w.who;
  }
  void leave(std::size_t who) {
    const auto is_his = [&](const waiter& w) { return w.who == who; };
    for (channel& c : channels_) {
      std::erase_if(c.senders, is_his);
      std::erase_if(c.receivers, is_his);
    }
  }

  void kill(std::size_t who) {
    task& t = tasks_[who];
    leave(who);
    std::erase(queue_, who);
    t.dead = true;
    if (t.started) finish(who, "!kill");
  }

  void finish(std::size_t who, const std::string& how) {
    trace_ +=
        std::to_string(who) + "." + std::to_string(tasks_[who].step) + how;
    for (const channel& c : channels_)
      trace_ += " " +
                std::to_string(static_cast<int>(c.senders.size()) -
                               static_cast<int>(c.receivers.size())) +
                "/" + std::to_string(c.buffer.size());
    trace_ += "\n";
    ++tasks_[who].step;
  }

  const select_program& p_;
  const select_program::choices& chosen_;
  std::vector<task> tasks_;
  std::vector<channel> channels_;
  std::deque<std::size_t> queue_;
  std::size_t current_ = 0;
  std::string trace_;
};

}  // namespace weft_test
