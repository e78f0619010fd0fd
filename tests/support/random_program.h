// SPDX-License-Identifier: BSL-1.0
// Random programs of tasklets: each tasklet, main too, has a body, a list of
// operations on a few channels and on the others. What an operation throws its
// body either swallows or lets escape; main swallows everything.
//
// Run by weft (performer.h) and by a model of the laws (model.h), a program
// leaves a trace: an entry for each operation that has ended.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace weft_test {

enum class verb {
  spawn,
  create,
  insert,
  hand_in,  // insert() with a value
  remove,
  go,  // tasklet::run()
  switch_to,
  suspend,
  yield,
  send,
  receive,
  try_send,
  try_receive,
  send_exception,
  prefer_receiver,
  prefer_neither,
  prefer_sender,
  close,
  clear,
  kill,
  kill_pending,
  throw_now,
  throw_pending,
  join,
  run,
  trap,  // set_block_trap()
  untrap,
};

struct verb_kind {
  verb what;
  const char* name;
  unsigned weight;   // how often a random program has it
  bool of_channels;  // else of a tasklet, if of anything
};

inline constexpr std::array verbs{
    verb_kind{verb::spawn, "spawn", 4, false},
    verb_kind{verb::create, "create", 2, false},
    verb_kind{verb::insert, "insert", 8, false},
    verb_kind{verb::hand_in, "hand_in", 6, false},
    verb_kind{verb::remove, "remove", 5, false},
    verb_kind{verb::go, "go", 6, false},
    verb_kind{verb::switch_to, "switch_to", 6, false},
    verb_kind{verb::suspend, "suspend", 5, false},
    verb_kind{verb::yield, "yield", 10, false},
    verb_kind{verb::send, "send", 20, true},
    verb_kind{verb::receive, "receive", 20, true},
    verb_kind{verb::try_send, "try_send", 4, true},
    verb_kind{verb::try_receive, "try_receive", 4, true},
    verb_kind{verb::send_exception, "send_exception", 8, true},
    verb_kind{verb::prefer_receiver, "prefer_receiver", 2, true},
    verb_kind{verb::prefer_neither, "prefer_neither", 2, true},
    verb_kind{verb::prefer_sender, "prefer_sender", 2, true},
    verb_kind{verb::close, "close", 1, true},
    verb_kind{verb::clear, "clear", 1, true},
    verb_kind{verb::kill, "kill", 3, false},
    verb_kind{verb::kill_pending, "kill_pending", 3, false},
    verb_kind{verb::throw_now, "throw_now", 3, false},
    verb_kind{verb::throw_pending, "throw_pending", 3, false},
    verb_kind{verb::join, "join", 5, false},
    verb_kind{verb::run, "run", 5, false},
    verb_kind{verb::trap, "trap", 1, false},
    verb_kind{verb::untrap, "untrap", 3, false},
};

// What is alive around an operation.
enum class guard { none, shield, switch_trap };

struct op {
  verb what = verb::yield;
  std::size_t on = 0;  // a channel or a tasklet
  guard within = guard::none;
  bool swallows = false;
};

struct program {
  std::vector<std::size_t> capacities;
  std::vector<int> preferences;
  std::vector<std::vector<op>> bodies;  // main's is the first
};

// What the step `step` of tasklet `me` sends, hands in or throws.
inline int value_of(std::size_t me, std::size_t step) {
  return static_cast<int>(me * 100 + step);
}

inline program random_program(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return random() % n; };
  program p;
  const std::size_t channels = 1 + below(3);
  for (std::size_t i = 0; i < channels; ++i) {
    p.capacities.push_back(below(4));
    p.preferences.push_back(static_cast<int>(below(3)) - 1);
  }
  p.bodies.resize(3 + below(5));
  std::size_t total = 0;
  for (const verb_kind& v : verbs) total += v.weight;

  const auto random_op = [&] {
    std::size_t dice = below(total);
    const verb_kind* v = verbs.data();
    for (; dice >= v->weight; ++v) dice -= v->weight;
    op o{v->what, below(v->of_channels ? channels : p.bodies.size())};
    // Main is a target now and then only: a kill of it is sticky.
    if (!v->of_channels && o.on == 0 && below(4) != 0)
      o.on = 1 + below(p.bodies.size() - 1);
    o.within = below(12) == 0   ? guard::shield
               : below(16) == 0 ? guard::switch_trap
                                : guard::none;
    o.swallows = below(2) == 0;
    return o;
  };
  std::vector<op>& main = p.bodies.front();
  for (std::size_t i = 1; i < p.bodies.size(); ++i)
    if (const std::size_t dice = below(10); dice < 8)
      main.push_back({dice < 6 ? verb::spawn : verb::create, i});
  // Fewer than 16 steps, so that nobody swallows as many kills.
  for (auto& body : p.bodies)
    for (std::size_t n = 1 + below(8); n != 0; --n) body.push_back(random_op());
  // Now the rest has its turn, whatever escapes meanwhile.
  for (int i = 0; i < 3; ++i) main.push_back({verb::run});
  return p;
}

inline std::string describe(const program& p) {
  std::string text;
  for (std::size_t i = 0; i < p.capacities.size(); ++i)
    text += "channel " + std::to_string(i) + ": capacity " +
            std::to_string(p.capacities[i]) + ", preference " +
            std::to_string(p.preferences[i]) + "\n";
  for (std::size_t i = 0; i < p.bodies.size(); ++i) {
    text += "body " + std::to_string(i) + ":";
    for (const op& o : p.bodies[i]) {
      text += std::string(" ") + verbs[static_cast<std::size_t>(o.what)].name +
              "(" + std::to_string(o.on) + ")";
      if (o.within == guard::shield) text += "shield";
      if (o.within == guard::switch_trap) text += "switch_trap";
      if (o.swallows) text += "~";
    }
    text += "\n";
  }
  return text;
}

}  // namespace weft_test
