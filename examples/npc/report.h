// SPDX-License-Identifier: BSL-1.0
// What is measured of every frame, and what is said of it at the end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weft/examples/npc/world.h"
#include "weft/weft.h"

namespace npc {

struct measurements {
  std::vector<double> milliseconds;  // in run_for()
  std::vector<std::uint64_t> turns;  // switches to characters
  std::size_t frames_with_left_over = 0;
  std::size_t worst_left_over = 0;

  void add(std::chrono::nanoseconds spent, const weft::run_result& result) {
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(spent).count());
    turns.push_back(result.switches);
    if (result.why != weft::run_result::budget) return;
    ++frames_with_left_over;
    worst_left_over = std::max(worst_left_over, result.runnable);
  }
};

// Requires: all characters have ended.
void print_report(const world& w, measurements m);

}  // namespace npc
