// SPDX-License-Identifier: BSL-1.0
// Law 20 against a model: random programs of selects, run by weft and by what
// the laws say; both must leave the same trace. Where a fair select could choose
// the model follows weft's choice, if that is one of those that are ready.
#include "weft/tests/support/select_model.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "weft/channel/channel.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/channel_kind.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::channel;
using namespace weft_test;

int number_in(int v) { return v; }
int number_in(const counted& v) { return v.value; }

// T: what goes through the channels, made of an int.
template <typename T>
class performer {
 public:
  performer(const select_program& p, unsigned seed)
      : p_(p), s_({.seed = seed}) {
    for (const auto& each : p.channels)
      channels_.emplace_back(each.capacity)
          .set_preference(static_cast<preference>(each.preference));
  }

  void run() {
    for (std::size_t i = 0; i != p_.bodies.size(); ++i)
      tasklets_.push_back(spawn([this, i] { perform_body(i); }));
    weft_test::run();
    trace += "drained\n";
    for (const tasklet& t : tasklets_) t.kill();
  }

  std::string trace;
  select_program::choices chosen;

 private:
  using receiving = receive_case<T, no_handler>;
  using sending = send_case<T, no_handler>;
  using any_case = std::variant<receiving, sending>;

  void perform_body(std::size_t me) {
    std::size_t step = 0;
    const auto finish = [&](const std::string& how) {
      trace += std::to_string(me) + "." + std::to_string(step) + how;
      for (const auto& c : channels_)
        trace +=
            " " + std::to_string(c.balance()) + "/" + std::to_string(c.size());
      trace += "\n";
    };
    for (; step != p_.bodies[me].size(); ++step) try {
        finish("=" + perform(me, step));
      } catch (const tasklet_exit&) {
        finish("!kill");
        throw;
      } catch (const channel_closed&) {
        finish("!closed");
      }
  }

  std::string perform(std::size_t me, std::size_t step) {
    const select_program::op& o = p_.bodies[me][step];
    switch (o.what) {
      case select_program::verb::yield:
        yield();
        break;
      case select_program::verb::close:
        channels_[o.on].close();
        break;
      case select_program::verb::kill:
        tasklets_[o.on].kill();
        break;
      case select_program::verb::select:
        return choose(o, me, step);
    }
    return "";
  }

  std::string choose(const select_program::op& o, std::size_t me,
                     std::size_t step) {
    T value(select_program::value_of(me, step));
    if (o.cases.size() == 1 && !o.has_default)
      return plainly(o.cases[0], value);
    std::vector<any_case> cases;
    cases.reserve(o.cases.size());
    for (const auto& each : o.cases) {
      channel<T>& c = channels_[each.channel];
      if (each.sends)
        cases.emplace_back(c.send_case(std::move(value)).when(each.enabled));
      else
        cases.emplace_back(c.receive_case().when(each.enabled));
    }
    const std::size_t which = choose_among(o, cases);
    chosen[{me, step}] = which;
    if (which == cases.size()) return "default";
    return std::to_string(which) + ":" +
           (o.cases[which].sends ? "sent"
                                 : name_of(std::get<0>(cases[which]).value()));
  }
  std::string plainly(const select_program::one_case& k, T& value) {
    channel<T>& c = channels_[k.channel];
    if (!k.sends) return "0:" + name_of(c.receive());
    c.send(std::move(value));
    return "0:sent";
  }

  // Of types that are known, up to three; else of a range.
  static std::size_t choose_among(const select_program::op& o,
                                  std::vector<any_case>& cases) {
    default_case otherwise;
    otherwise.set_enabled(o.has_default);
    const auto among = [&](auto&... some) {
      return o.ordered ? select(in_order, some..., otherwise)
                       : select(some..., otherwise);
    };
    if (cases.size() == 1) return std::visit(among, cases[0]);
    if (cases.size() == 2) return std::visit(among, cases[0], cases[1]);
    if (cases.size() == 3)
      return std::visit(among, cases[0], cases[1], cases[2]);
    std::vector<select_case*> all;
    for (any_case& each : cases)
      all.push_back(std::visit(
          [](auto& k) { return static_cast<select_case*>(&k); }, each));
    all.push_back(&otherwise);
    return o.ordered ? select(in_order, all) : select(all);
  }

  static std::string name_of(const std::optional<T>& got) {
    return got ? std::to_string(number_in(*got)) : "none";
  }

  const select_program& p_;
  scheduler s_;
  std::deque<channel<T>> channels_;
  std::vector<tasklet> tasklets_;
};

template <typename T>
bool agrees(unsigned seed, bool fair) {
  const select_program p(seed, fair);
  performer<T> by_weft(p, seed);
  by_weft.run();
  const std::string expected = select_model(p, by_weft.chosen).run();
  if (by_weft.trace == expected) return true;
  INFO("seed " << seed);
  CHECK(by_weft.trace == expected);
  return false;
}

TEST_CASE("random selects do what the laws say") {
  const bool fair = GENERATE(true, false);
  for (unsigned seed = 1; seed <= 4000; ++seed) {
    counted::reset();
    if (!agrees<int>(seed, fair) || !agrees<counted>(seed, fair)) return;
    if (counted::alive != 0) FAIL("seed " << seed << " leaves values");
  }
  SUCCEED();
}

}  // namespace
