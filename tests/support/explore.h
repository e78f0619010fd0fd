// SPDX-License-Identifier: BSL-1.0
// Every interleaving of a small model of several threads, explored.
//
// Each step of a model is what one atomic operation of the code does, or what it
// does with a guard held.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

namespace weft_test {

// What a thread does in a state: a copy of that, changed; none, if it cannot go
// on now.
template <typename State>
using steps = std::vector<State>;

struct findings {
  std::size_t states = 0;
  std::size_t ends = 0;
  std::size_t stuck = 0;  // states where not all is done and nobody can go on
  std::size_t wrong = 0;  // ends that are not as they should be

  findings& operator+=(const findings& more) {
    states += more.states;
    ends += more.ends;
    stuck += more.stuck;
    wrong += more.wrong;
    return *this;
  }
};

// State: ordered; next(out) adds what may follow it; done(), right().
template <typename State>
findings explore(const State& first) {
  findings found;
  std::set<State> seen{first};
  std::vector<State> open{first};
  while (!open.empty()) {
    const State s = open.back();
    open.pop_back();
    ++found.states;
    steps<State> after;
    s.next(after);
    if (s.done()) {
      ++found.ends;
      found.wrong += s.right() ? 0 : 1;
    } else if (after.empty()) {
      ++found.stuck;
    }
    for (const State& n : after)
      if (seen.insert(n).second) open.push_back(n);
  }
  return found;
}

}  // namespace weft_test
