// SPDX-License-Identifier: BSL-1.0
// The world, live in a terminal.
#pragma once

#include <chrono>
#include <string>

#include "weft/examples/actors/world.h"

namespace actors {

class screen {
 public:
  // Stdout is a terminal.
  [[nodiscard]] static bool possible();

  // Takes the whole terminal, and hides the cursor; the end gives both back.
  screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;
  ~screen();

  // Shows the world as it is now, scaled to the terminal. Sleeps as long as it
  // takes to show 25 frames a second.
  void draw(const world& w);

 private:
  std::chrono::steady_clock::time_point next_;
  std::string frame_;
};

}  // namespace actors
