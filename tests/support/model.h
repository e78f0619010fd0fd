// SPDX-License-Identifier: BSL-1.0
// What the laws say of a random program: docs/semantics.md, with a queue, a
// line a channel, and where everybody is. Nothing here is fast or clever.
//
// Its trace is the one that performer.h leaves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weft/tests/support/random_program.h"

namespace weft_test {

class model {
 public:
  explicit model(const program& p) : p_(p), tasks_(p.bodies.size()) {
    for (std::size_t i = 0; i < p.capacities.size(); ++i)
      channels_.push_back({p.capacities[i], p.preferences[i], {}, {}});
    tasks_[0].at = place::current;
    tasks_[0].started = true;
  }

  std::string run() {
    while (!over_) step();
    return trace_ + "over" + balances() + "\n";
  }

 private:
  enum class place {
    unmade,
    current,
    queued,
    in_line,     // of a channel
    in_join,     // of another tasklet
    nowhere,     // created, or removed
    in_suspend,  // or in switch_to()
    in_run,
    dead,
  };
  struct task {
    place at = place::unmade;
    std::size_t step = 0;
    int id = 0;
    bool started = false;
    bool in_operation = false;
    std::string result;  // of that operation
    bool offers_exception = false;
    bool woken = false;  // its run() did not end because all was done
    int run_order = 0;
    int ended_before = 0;
    std::deque<std::size_t> joiners;
    // What is due to it.
    std::optional<std::string> thrown;  // the outcome of its operation
    bool killed = false;
    std::optional<std::string> injected;
    bool trapped = false;
  };
  struct line {
    std::size_t capacity;
    int preference;
    std::deque<int> buffer;
    std::deque<std::size_t> waiting;
    bool senders = false;
    bool closed = false;
  };
  // What an operation throws.
  struct raised {
    std::string what;
  };
  // No result: somebody else is current, or its own turn has come again.
  using outcome = std::optional<std::string>;

  // ---- one turn of the current tasklet: it begins, goes on, or ends

  void step() {
    const std::size_t me = current_;
    task& t = tasks_[me];
    try {
      if (!t.started) return start(me);
      if (closing_ && me == 0) return wind_up();
      outcome done;
      if (t.in_operation) {
        done = go_on(me);
      } else if (t.step == p_.bodies[me].size()) {
        return me == 0 ? shut_down() : end(me, std::nullopt);
      } else {
        t.in_operation = true;
        t.result = "done";
        done = perform(me, p_.bodies[me][t.step]);
      }
      if (done) finish(me, "=" + *done);
    } catch (const raised& r) {
      const bool goes_on = me == 0 || p_.bodies[me][t.step].swallows;
      finish(me, "!" + r.what);
      if (!goes_on) end(me, r.what);
    }
  }

  void start(std::size_t me) {
    tasks_[me].started = true;
    if (tasks_[me].injected) return end(me, tasks_[me].injected);
    trace_ += std::to_string(me) + "^\n";
  }

  // Its operation has been completed, or something is due to it.
  std::string go_on(std::size_t me) {
    task& t = tasks_[me];
    const bool runs = op_of(me).what == verb::run;
    if (runs && t.woken) end_later_runs(t.run_order);
    raise_outcome(me);
    raise_due(me);
    return runs ? describe_run(t) : t.result;
  }

  void finish(std::size_t me, const std::string& how) {
    task& t = tasks_[me];
    trace_ += std::to_string(me) + "." + std::to_string(t.step) + how +
              state() + "\n";
    t.in_operation = false;
    ++t.step;
  }

  [[nodiscard]] const op& op_of(std::size_t me) const {
    return p_.bodies[me][tasks_[me].step];
  }
  [[nodiscard]] bool within(std::size_t me, guard g) const {
    return tasks_[me].in_operation && tasks_[me].step < p_.bodies[me].size() &&
           op_of(me).within == g;
  }

  // ---- who runs next

  void dispatch(std::size_t n) {
    current_ = n;
    tasks_[n].at = place::current;
  }
  void push(std::size_t n) {
    tasks_[n].at = place::queued;
    queue_.push_back(n);
  }
  void push_front(std::size_t n) {
    tasks_[n].at = place::queued;
    queue_.push_front(n);
  }

  // Whoever goes on if the current tasklet waits; nobody: a deadlock.
  [[nodiscard]] std::optional<std::size_t> successor() const {
    if (!queue_.empty()) return queue_.front();
    if (!runs_.empty()) return runs_.front();
    if (paused(0)) return 0;
    return std::nullopt;
  }
  void dispatch_next() {
    const std::size_t n = *successor();
    const bool ends_run = queue_.empty() && !runs_.empty();
    take_out(n);
    if (ends_run) tasks_[n].woken = false;
    dispatch(n);
  }

  // The current tasklet has been put where it waits.
  outcome wait(std::size_t me) {
    if (blocked(me) && tasks_[me].trapped) return undo(me, "block_trap");
    const auto n = successor();
    if (!n) return undo(me, "deadlock");
    if (*n != me && within(me, guard::switch_trap))
      return undo(me, "switch_trap");
    dispatch_next();
    return std::nullopt;
  }
  outcome undo(std::size_t me, const char* what) {
    take_out(me);
    tasks_[me].at = place::current;
    throw raised{what};
  }

  // A partner that has been served goes on: now, or at the tail.
  outcome resume(std::size_t me, std::size_t partner, bool now) {
    if (!now) {
      push(partner);
      return tasks_[me].result;
    }
    push(me);
    dispatch(partner);
    return std::nullopt;
  }

  // The caller goes on as soon as `n` yields, blocks or ends.
  outcome run_now(std::size_t me, std::size_t n) {
    take_out(n);
    push_front(me);
    dispatch(n);
    return std::nullopt;
  }

  [[nodiscard]] bool blocked(std::size_t n) const {
    return tasks_[n].at == place::in_line || tasks_[n].at == place::in_join;
  }
  [[nodiscard]] bool paused(std::size_t n) const {
    return tasks_[n].at == place::nowhere ||
           tasks_[n].at == place::in_suspend || tasks_[n].at == place::in_run;
  }
  [[nodiscard]] bool alive(std::size_t n) const {
    return tasks_[n].at != place::dead && tasks_[n].at != place::unmade;
  }

  // Takes one that is not current away from where it stands or waits.
  void take_out(std::size_t n) {
    task& t = tasks_[n];
    const place at = std::exchange(t.at, place::nowhere);
    if (at == place::queued) std::erase(queue_, n);
    if (at == place::in_join) std::erase(tasks_[op_of(n).on].joiners, n);
    if (at == place::in_line) {
      line& c = channels_[op_of(n).on];
      std::erase(c.waiting, n);
      if (!clearing_)
        for (std::size_t served : move_up(c)) push(served);
    }
    if (at == place::in_run) {
      std::erase(runs_, n);
      t.woken = true;
    }
  }

  void forbid_switch(std::size_t me) const {
    if (within(me, guard::switch_trap)) throw raised{"switch_trap"};
  }

  // ---- what is due to a tasklet

  [[nodiscard]] bool held_back(std::size_t n) const {
    return within(n, guard::shield);
  }

  void raise_outcome(std::size_t me) {
    if (tasks_[me].thrown)
      throw raised{*std::exchange(tasks_[me].thrown, std::nullopt)};
  }
  void raise_due(std::size_t me) {
    task& t = tasks_[me];
    if (held_back(me)) return;
    if (me == 0 && !failures_.empty()) {
      const std::string first = failures_.front().second;
      failures_.pop_front();
      throw raised{first};
    }
    if (t.killed) throw raised{"kill"};
    if (t.injected) throw raised{*std::exchange(t.injected, std::nullopt)};
  }

  // A kill or an exception is due to `n`: now, or at its turn.
  outcome send_on(std::size_t me, std::size_t n, bool now) {
    if (n == me) raise_due(me);
    if (n == me || held_back(n)) return "done";
    if (now) return run_now(me, n);
    if (tasks_[n].at != place::queued) {
      take_out(n);
      push(n);
    }
    return "done";
  }

  outcome kill(std::size_t me, std::size_t n, bool now) {
    task& t = tasks_[n];
    if (!t.started) {
      take_out(n);
      settle(n, std::nullopt);
      return "done";
    }
    if (n == 0 && closing_) return "done";
    if (now && n != me && !held_back(n)) forbid_switch(me);
    t.killed = true;
    return send_on(me, n, now);
  }

  outcome throw_into(std::size_t me, std::size_t n, int what, bool now) {
    if (now && n != me && !held_back(n)) forbid_switch(me);
    tasks_[n].injected = boom_name(what);
    return send_on(me, n, now);
  }

  static std::string boom_name(int value) {
    return "boom" + std::to_string(value);
  }

  // ---- ends

  void end(std::size_t me, std::optional<std::string> failure) {
    if (failure == "kill") failure.reset();
    if (const auto heir = settle(me, failure)) return dispatch(*heir);
    if (successor()) return dispatch_next();
    tasks_[0].thrown = "deadlock";
    take_out(0);
    dispatch(0);
  }

  // Tells those who care; gives who has to run at once.
  std::optional<std::size_t> settle(std::size_t n,
                                    const std::optional<std::string>& failure) {
    std::optional<std::size_t> heir;
    if (failure && tasks_[n].joiners.empty()) heir = deliver(n, *failure);
    while (!tasks_[n].joiners.empty()) {
      const std::size_t joiner = tasks_[n].joiners.front();
      take_out(joiner);
      tasks_[joiner].thrown = failure;
      push(joiner);
    }
    tasks_[n].at = place::dead;
    ++ended_;
    return heir;
  }

  std::optional<std::size_t> deliver(std::size_t who,
                                     const std::string& failure) {
    if (closing_) {
      report(who, failure);
      return std::nullopt;
    }
    if (!runs_.empty()) {
      const std::size_t runner = runs_.front();
      take_out(runner);
      tasks_[runner].woken = false;
      tasks_[runner].thrown = failure;
      return runner;
    }
    failures_.emplace_back(who, failure);
    if (held_back(0)) return std::nullopt;
    take_out(0);
    return 0;
  }

  void report(std::size_t who, const std::string& failure) {
    trace_ += "left by " + std::to_string(who) + ": " + failure + "\n";
  }

  // ---- run()

  outcome begin_run(std::size_t me) {
    task& t = tasks_[me];
    t.ended_before = ended_;
    t.run_order = me == 0 ? 0 : ++runs_begun_;
    t.at = place::in_run;
    // Innermost first; main's is the outermost.
    runs_.insert(me == 0 ? runs_.end() : runs_.begin(), me);
    return wait(me);
  }
  void end_later_runs(int order) {
    while (!runs_.empty() && tasks_[runs_.front()].run_order > order) {
      const std::size_t runner = runs_.front();
      take_out(runner);
      push(runner);
    }
  }
  [[nodiscard]] std::string describe_run(const task& t) const {
    int n_blocked = 0;
    int n_paused = 0;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      n_blocked += blocked(i) ? 1 : 0;
      n_paused += paused(i) ? 1 : 0;
    }
    return (t.woken ? "woken " : "drained ") +
           std::to_string(ended_ - t.ended_before) + " " +
           std::to_string(n_blocked) + " " + std::to_string(n_paused);
  }

  // ---- the end of the scheduler

  void shut_down() {
    trace_ += "shutdown\n";
    closing_ = true;
    for (const auto& [who, what] : failures_) report(who, what);
    failures_.clear();
    kill_all();
  }

  // Main is back from running those it has killed.
  void wind_up() {
    if (tasks_[0].woken) end_later_runs(tasks_[0].run_order);
    try {
      raise_outcome(0);
      raise_due(0);
    } catch (const raised& r) {
      if (r.what != "kill") report(0, r.what);
    }
    kill_all();
  }

  void kill_all() {
    std::vector<std::tuple<int, int, std::size_t>> victims;
    for (std::size_t i = 1; i < tasks_.size(); ++i) {
      if (!alive(i)) continue;
      const int group = !tasks_[i].started              ? 0
                        : tasks_[i].at == place::queued ? 1
                        : paused(i)                     ? 2
                                                        : 3;
      victims.emplace_back(group, tasks_[i].id, i);
    }
    over_ = victims.empty();
    if (over_) return;
    std::sort(victims.begin(), victims.end());
    for (const auto& [group, id, n] : victims) {
      if (tasks_[n].started) {
        tasks_[n].killed = true;
        if (held_back(n)) continue;
      }
      take_out(n);
      if (tasks_[n].started)
        push(n);
      else
        settle(n, std::nullopt);
    }
    if (queue_.empty())
      for (const auto& [group, id, n] : victims) {
        // Woken by one that has left the line before it.
        if (!alive(n) || tasks_[n].at == place::queued) continue;
        tasks_[n].thrown = "deadlock";
        take_out(n);
        push(n);
      }
    tasks_[0].killed = false;
    tasks_[0].injected.reset();
    tasks_[0].thrown.reset();
    begin_run(0);
  }

  // ---- operations

  outcome perform(std::size_t me, const op& o) {
    task& t = tasks_[me];
    const int value = value_of(me, t.step);
    switch (o.what) {
      case verb::spawn:
      case verb::create:
        return make(o.on, o.what == verb::spawn);
      case verb::trap:
      case verb::untrap: {
        if (!alive(o.on)) return "was not";
        const bool before =
            std::exchange(tasks_[o.on].trapped, o.what == verb::trap);
        return before ? "was" : "was not";
      }
      case verb::insert:
      case verb::hand_in:
      case verb::remove:
      case verb::go:
      case verb::switch_to:
      case verb::kill:
      case verb::kill_pending:
      case verb::throw_now:
      case verb::throw_pending:
      case verb::join:
        return perform_on_tasklet(me, o, value);
      case verb::yield:
        raise_due(me);
        if (queue_.empty()) return "done";
        forbid_switch(me);
        push(me);
        dispatch_next();
        return std::nullopt;
      case verb::suspend:
        raise_due(me);
        t.at = place::in_suspend;
        t.result = "empty";
        return wait(me);
      case verb::run:
        raise_due(me);
        return begin_run(me);
      default:
        return perform_on_channel(me, o, channels_[o.on], value);
    }
  }

  outcome make(std::size_t n, bool inserted) {
    if (tasks_[n].at != place::unmade) return "made";
    tasks_[n].id = ++made_;
    tasks_[n].at = place::nowhere;
    if (inserted) push(n);
    if (closing_) {
      take_out(n);
      settle(n, std::nullopt);
    }
    return "done";
  }

  outcome perform_on_tasklet(std::size_t me, const op& o, int value) {
    const std::size_t n = o.on;
    task& target = tasks_[n];
    const bool harmless = o.what == verb::remove || o.what == verb::kill ||
                          o.what == verb::kill_pending || o.what == verb::join;
    if (!alive(n)) {
      if (harmless) return "done";
      throw raised{"error"};
    }
    raise_due(me);
    switch (o.what) {
      case verb::kill:
      case verb::kill_pending:
        return kill(me, n, o.what == verb::kill);
      case verb::throw_now:
      case verb::throw_pending:
        return throw_into(me, n, value, o.what == verb::throw_now);
      case verb::join:
        if (n == me) throw raised{"error"};
        target.joiners.push_back(me);
        tasks_[me].at = place::in_join;
        return wait(me);
      case verb::remove:
        if (n == me || blocked(n)) throw raised{"error"};
        if (target.at == place::queued) {
          take_out(n);
          target.at = place::nowhere;
        }
        return "done";
      default:
        break;
    }
    // What runs it, now or in its turn.
    if (blocked(n)) throw raised{"error"};
    if (o.what == verb::insert || o.what == verb::hand_in) {
      if (o.what == verb::hand_in) {
        if (target.at != place::in_suspend) throw raised{"error"};
        target.result = std::to_string(value);
      }
      if (paused(n)) {
        take_out(n);
        push(n);
      }
      return "done";
    }
    if (n == me) return o.what == verb::go ? "done" : "empty";
    forbid_switch(me);
    if (o.what == verb::go) return run_now(me, n);
    take_out(n);
    tasks_[me].at = place::in_suspend;
    tasks_[me].result = "empty";
    dispatch(n);
    return std::nullopt;
  }

  outcome perform_on_channel(std::size_t me, const op& o, line& c, int value) {
    switch (o.what) {
      case verb::send:
      case verb::try_send:
        return send(me, c, value, o.what == verb::send);
      case verb::receive:
      case verb::try_receive:
        return receive(me, c, o.what == verb::receive);
      case verb::send_exception:
        return send_exception(me, c, value);
      case verb::close:
        c.closed = true;
        while (!c.senders && !c.waiting.empty()) push(serve(c, "none"));
        return "done";
      case verb::clear: {
        raise_due(me);
        const std::deque<std::size_t> all = c.waiting;
        clearing_ = true;  // Values stay with those who are killed.
        for (std::size_t n : all) kill(me, n, false);
        clearing_ = false;
        for (std::size_t served : move_up(c)) push(served);
        return "done";
      }
      default:
        c.preference =
            static_cast<int>(o.what) - static_cast<int>(verb::prefer_neither);
        return "done";
    }
  }

  // ---- channels

  // The operation of the first in line is complete.
  std::size_t serve(line& c, const std::string& result) {
    const std::size_t first = c.waiting.front();
    c.waiting.pop_front();
    tasks_[first].at = place::nowhere;
    tasks_[first].result = result;
    return first;
  }

  outcome stand_in_line(std::size_t me, line& c, bool sends) {
    c.senders = sends;
    c.waiting.push_back(me);
    tasks_[me].at = place::in_line;
    return wait(me);
  }

  [[nodiscard]] int offered(std::size_t sender) const {
    return value_of(sender, tasks_[sender].step);
  }
  [[nodiscard]] bool exception_first(const line& c) const {
    return c.senders && !c.waiting.empty() &&
           tasks_[c.waiting.front()].offers_exception;
  }

  // Values of waiting senders go into the buffer while there is room.
  std::vector<std::size_t> move_up(line& c) {
    std::vector<std::size_t> served;
    while (c.senders && !c.waiting.empty() && !exception_first(c) &&
           c.buffer.size() < c.capacity) {
      c.buffer.push_back(offered(c.waiting.front()));
      served.push_back(serve(c, "done"));
    }
    return served;
  }

  outcome send(std::size_t me, line& c, int value, bool parks) {
    task& t = tasks_[me];
    raise_due(me);
    t.offers_exception = false;
    if (c.closed) {
      if (!parks) return "shut";
      throw raised{"closed"};
    }
    if (!c.senders && !c.waiting.empty()) {
      if (c.preference < 0) forbid_switch(me);
      return resume(me, serve(c, std::to_string(value)), c.preference < 0);
    }
    if (c.waiting.empty() && c.buffer.size() < c.capacity) {
      c.buffer.push_back(value);
      return "done";
    }
    return parks ? stand_in_line(me, c, true) : "would block";
  }

  outcome send_exception(std::size_t me, line& c, int value) {
    task& t = tasks_[me];
    raise_due(me);
    if (c.closed) throw raised{"closed"};
    if (!c.senders && !c.waiting.empty()) {
      if (c.preference < 0) forbid_switch(me);
      tasks_[c.waiting.front()].thrown = boom_name(value);
      return resume(me, serve(c, ""), c.preference < 0);
    }
    t.offers_exception = true;
    return stand_in_line(me, c, true);
  }

  outcome receive(std::size_t me, line& c, bool parks) {
    task& t = tasks_[me];
    raise_due(me);
    const bool offers = c.senders && !c.waiting.empty();
    if (c.buffer.empty() && !offers) {
      if (c.closed) return parks ? "none" : "shut";
      return parks ? stand_in_line(me, c, false) : "would block";
    }
    // Behind an exception nobody moves up.
    const bool moves = c.buffer.empty() || !exception_first(c);
    if (offers && moves && c.preference > 0) forbid_switch(me);
    std::vector<std::size_t> served;
    std::optional<std::string> sent;
    if (!c.buffer.empty()) {
      t.result = std::to_string(c.buffer.front());
      c.buffer.pop_front();
    } else {
      const std::size_t sender = c.waiting.front();
      if (exception_first(c))
        sent = boom_name(offered(sender));
      else
        t.result = std::to_string(offered(sender));
      served.push_back(serve(c, "done"));
    }
    for (std::size_t n : move_up(c)) served.push_back(n);
    return resume_all(me, served, c.preference > 0, sent);
  }

  // Those who have been served go on in the order in which they came; the
  // first at once if that is preferred. The caller gets a value, or throws.
  outcome resume_all(std::size_t me, const std::vector<std::size_t>& served,
                     bool now, const std::optional<std::string>& sent) {
    for (std::size_t i = now ? 1 : 0; i < served.size(); ++i) push(served[i]);
    if (now && !served.empty()) {
      tasks_[me].thrown = sent;
      return resume(me, served[0], true);
    }
    if (sent) throw raised{*sent};
    return tasks_[me].result;
  }

  // ---- the trace

  [[nodiscard]] std::string state() const {
    std::string text = " ";
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const place at = tasks_[i].at;
      text += at == place::unmade    ? '-'
              : at == place::current ? 'C'
              : at == place::queued  ? 's'
              : at == place::dead    ? 'd'
              : blocked(i)           ? 'b'
                                     : 'p';
    }
    return text + " " + std::to_string(queue_.size()) + balances();
  }

  [[nodiscard]] std::string balances() const {
    std::string text;
    for (const line& c : channels_) {
      const auto waiting = static_cast<int>(c.waiting.size());
      text += " " + std::to_string(c.senders ? waiting : -waiting) + "/" +
              std::to_string(c.buffer.size()) + (c.closed ? "x" : "");
    }
    return text;
  }

  const program& p_;
  std::vector<task> tasks_;
  std::vector<line> channels_;
  std::deque<std::size_t> queue_;
  std::deque<std::size_t> runs_;                              // who is in one
  std::deque<std::pair<std::size_t, std::string>> failures_;  // for main
  std::size_t current_ = 0;
  int made_ = 0;
  int ended_ = 0;
  int runs_begun_ = 0;
  bool closing_ = false;
  bool clearing_ = false;
  bool over_ = false;
  std::string trace_;
};

}  // namespace weft_test
