// SPDX-License-Identifier: BSL-1.0
// Runs a random program by weft, in a scheduler of its own, to its end.
//
//   performer<int> by_weft(p);
//   by_weft.run();
//   by_weft.trace;  // "1^ 1.0=... " and so on
//
// An entry of the trace is the tasklet, its step, "=" and the result, or "!"
// and what was thrown; then where everybody is and what the channels hold.
#pragma once

#include <any>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/traps.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/random_program.h"

namespace weft_test {

// What a program throws. Counts how many are alive.
struct boom {
  explicit boom(int i) : id(i) { ++alive; }
  boom(const boom& other) : id(other.id) { ++alive; }
  boom& operator=(const boom&) = delete;
  ~boom() { --alive; }

  int id;
  static inline int alive = 0;
};

// The name of what is being handled, as the trace has it.
inline std::string name_of_exception() {
  try {
    throw;
  } catch (const weft::tasklet_exit&) {
    return "kill";
  } catch (const weft::channel_closed&) {
    return "closed";
  } catch (const weft::deadlock_error&) {
    return "deadlock";
  } catch (const weft::block_trap_error&) {
    return "block_trap";
  } catch (const weft::switch_trap_error&) {
    return "switch_trap";
  } catch (const weft::error&) {
    return "error";
  } catch (const boom& b) {
    return "boom" + std::to_string(b.id);
  }
}

inline int number_in(int v) { return v; }
template <typename T>
int number_in(const T& v) {
  return v.value;
}

// T: what goes through the channels, made of an int.
template <typename T>
class performer {
 public:
  explicit performer(const program& p) : p_(p), made_(p.bodies.size()) {
    tasklets.resize(p.bodies.size());
    steps.resize(p.bodies.size());
  }

  void run() {
    std::optional<weft::scheduler> s(std::in_place);
    scheduler_ = &*s;
    for (std::size_t i = 0; i < p_.capacities.size(); ++i)
      channels.emplace_back(p_.capacities[i])
          .set_preference(static_cast<weft::preference>(p_.preferences[i]));
    tasklets[0] = s->main();
    made_[0] = true;
    perform_body(0);
    s->set_error_handler([this](weft::tasklet who, std::exception_ptr what) {
      try {
        std::rethrow_exception(std::move(what));
      } catch (...) {
        trace += "left by " + std::to_string(slot_of(who)) + ": " +
                 name_of_exception() + "\n";
      }
    });
    trace += "shutdown\n";
    s.reset();
    trace += "over" + balances() + "\n";
    scheduler_ = nullptr;
  }

  // One letter a tasklet, and what the channels hold.
  [[nodiscard]] std::string state() const {
    std::string text = " ";
    for (std::size_t i = 0; i < tasklets.size(); ++i) {
      const weft::tasklet& t = tasklets[i];
      text += !made_[i]        ? '-'
              : t.is_current() ? 'C'
              : t.scheduled()  ? 's'
              : t.blocked()    ? 'b'
              : t.paused()     ? 'p'
              : t.alive()      ? '?'
                               : 'd';
    }
    return text + " " + std::to_string(scheduler_->runnable()) + balances();
  }

  // Called before each operation, on its tasklet; what it throws the operation
  // throws.
  std::function<void(std::size_t me)> before_each;

  std::string trace;
  std::deque<weft::channel<T>> channels;
  std::vector<weft::tasklet> tasklets;  // main is the first
  std::vector<std::size_t> steps;       // where they are in their bodies

 private:
  [[nodiscard]] std::string balances() const {
    std::string text;
    for (const auto& c : channels)
      text += " " + std::to_string(c.balance()) + "/" +
              std::to_string(c.size()) + (c.closed() ? "x" : "");
    return text;
  }

  [[nodiscard]] std::size_t slot_of(const weft::tasklet& t) const {
    std::size_t i = 0;
    while (i < tasklets.size() && tasklets[i] != t) ++i;
    return i;
  }

  void perform_body(std::size_t me) {
    const std::vector<op>& body = p_.bodies[me];
    for (std::size_t& step = steps[me]; step < body.size(); ++step) {
      const op o = body[step];
      try {
        if (before_each) before_each(me);
        note(me, step, '=' + perform_within(o.within, me, step));
      } catch (...) {
        note(me, step, '!' + name_of_exception());
        if (me != 0 && !o.swallows) throw;
      }
    }
  }

  // What came of a step, and how that leaves everybody.
  void note(std::size_t me, std::size_t step, const std::string& result) {
    trace += std::to_string(me) + "." + std::to_string(step) + result +
             state() + "\n";
  }

  std::string perform_within(guard g, std::size_t me, std::size_t step) {
    if (g == guard::shield) {
      const weft::shield on;
      return perform(me, step);
    }
    if (g == guard::switch_trap) {
      const weft::switch_trap on;
      return perform(me, step);
    }
    return perform(me, step);
  }

  std::string perform(std::size_t me, std::size_t step) {
    const op o = p_.bodies[me][step];
    const weft::tasklet t = tasklets[o.on % tasklets.size()];
    weft::channel<T>& c = channels[o.on % channels.size()];
    const int value = value_of(me, step);
    switch (o.what) {
      case verb::spawn:
      case verb::create:
        return make(o.on, o.what == verb::spawn, value);
      case verb::insert:
        t.insert();
        break;
      case verb::hand_in:
        t.insert(std::make_shared<T>(value));
        break;
      case verb::remove:
        t.remove();
        break;
      case verb::go:
        t.run();
        break;
      case verb::switch_to:
        return name_of(t.switch_to());
      case verb::suspend:
        return name_of(weft::suspend());
      case verb::yield:
        weft::yield();
        break;
      case verb::send:
        c.send(T(value));
        break;
      case verb::receive:
        return name_of(c.receive());
      case verb::try_send:
        return name_of(c.try_send(T(value)));
      case verb::try_receive: {
        const auto got = c.try_receive();
        return got ? name_of(got) : name_of(got.status());
      }
      case verb::send_exception:
        c.send_exception(std::make_exception_ptr(boom(value)));
        break;
      case verb::prefer_receiver:
      case verb::prefer_neither:
      case verb::prefer_sender:
        c.set_preference(static_cast<weft::preference>(
            static_cast<int>(o.what) - static_cast<int>(verb::prefer_neither)));
        break;
      case verb::close:
        c.close();
        break;
      case verb::clear:
        c.clear();
        break;
      case verb::kill:
        t.kill();
        break;
      case verb::kill_pending:
        t.kill(weft::pending);
        break;
      case verb::throw_now:
        t.throw_exception(std::make_exception_ptr(boom(value)));
        break;
      case verb::throw_pending:
        t.throw_exception(std::make_exception_ptr(boom(value)), weft::pending);
        break;
      case verb::join:
        t.join();
        break;
      case verb::run:
        return name_of(weft::run());
      case verb::trap:
      case verb::untrap:
        return t.set_block_trap(o.what == verb::trap) ? "was" : "was not";
    }
    return "done";
  }

  std::string make(std::size_t slot, bool inserted, int value) {
    if (made_[slot]) return "made";
    made_[slot] = true;
    auto body = [this, slot, kept = std::make_shared<T>(value)] {
      trace += std::to_string(slot) + "^\n";
      perform_body(slot);
    };
    tasklets[slot] =
        inserted ? weft::spawn(std::move(body)) : weft::create(std::move(body));
    return "done";
  }

  template <typename Optional>
  static std::string name_of(const Optional& got) {
    return got ? std::to_string(number_in(*got)) : "none";
  }
  static std::string name_of(const std::any& got) {
    if (!got.has_value()) return "empty";
    return std::to_string(number_in(*std::any_cast<std::shared_ptr<T>>(got)));
  }
  static std::string name_of(weft::op_status status) {
    return status == weft::op_status::done     ? "done"
           : status == weft::op_status::closed ? "shut"
                                               : "would block";
  }
  static std::string name_of(const weft::run_result& r) {
    return (r.why == weft::run_result::drained ? "drained " : "woken ") +
           std::to_string(r.completed) + " " + std::to_string(r.blocked) + " " +
           std::to_string(r.paused);
  }

  const program& p_;
  weft::scheduler* scheduler_ = nullptr;
  std::vector<bool> made_;
};

}  // namespace weft_test
