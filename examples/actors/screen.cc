// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/actors/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

namespace actors {
namespace {

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// Asked for every frame: terminals are resized.
point terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2 ||
      size.ws_row < 2)
    return {80, 24};
  return {size.ws_col, size.ws_row};
}

}  // namespace

bool screen::possible() { return isatty(STDOUT_FILENO) == 1; }

screen::screen() : next_(std::chrono::steady_clock::now()) {
  put("\033[?1049h\033[?25l\033[2J");
}

screen::~screen() { put("\033[0m\033[?25h\033[?1049l"); }

void screen::draw(const world& w) {
  // The last column stays empty, so that no line wraps; the last line is text.
  const point terminal = terminal_size();
  const std::int32_t columns = terminal.x - 1;
  const std::int32_t rows = terminal.y - 1;
  struct cell {
    std::uint32_t robots = 0;
    std::uint8_t clan = 0;
  };
  std::vector<cell> cells(static_cast<std::size_t>(columns * rows));
  for (const body& b : w.bodies()) {
    if (b.id == 0) continue;
    const std::int64_t x = std::int64_t{b.at.x} * columns / w.size().x;
    const std::int64_t y = std::int64_t{b.at.y} * rows / w.size().y;
    cell& c = cells[static_cast<std::size_t>(y * columns + x)];
    ++c.robots;
    c.clan = b.clan;
  }

  static constexpr std::array<std::string_view, clans> colours{
      "\033[36m", "\033[33m", "\033[35m"};
  frame_ = "\033[H";
  for (std::size_t i = 0; i != cells.size(); ++i) {
    const cell& c = cells[i];
    if (c.robots != 0) frame_ += colours[c.clan];
    frame_ += " .:*#"[std::min(c.robots, 4U)];
    if ((i + 1) % static_cast<std::size_t>(columns) == 0)
      frame_ += "\033[K\r\n";
  }
  std::string status = "tick " + std::to_string(w.past().ticks) + ", " +
                       std::to_string(w.population()) + " robots, " +
                       std::to_string(w.past().collisions) +
                       " collisions; Ctrl-C ends";
  status.resize(
      std::min<std::size_t>(status.size(), static_cast<std::size_t>(columns)));
  frame_ += "\033[0m" + status + "\033[K";
  put(frame_);

  next_ = std::max(next_ + std::chrono::milliseconds(40),
                   std::chrono::steady_clock::now());
  weft::sleep_until(next_);
}

}  // namespace actors
