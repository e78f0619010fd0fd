// SPDX-License-Identifier: BSL-1.0
// Game AI: thousands of characters, each a tasklet that runs a script, driven
// by a frame loop with a budget.
//
// npc/behaviour.cc has the scripts, npc/frames.h the wait for a later frame.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "weft/examples/cli.h"
#include "weft/examples/npc/behaviour.h"
#include "weft/examples/npc/report.h"
#include "weft/examples/npc/world.h"
#include "weft/weft.h"

namespace {

using frame_clock = std::chrono::steady_clock;
constexpr std::chrono::nanoseconds frame_time{1'000'000'000 / 60};

constexpr const char* help =
    R"(Usage: npc [OPTION]...
Runs a world of characters that patrol, chase, flee and talk, 60 frames a second.

  --npcs N      characters that live at a time, 1 to 200000 (5000)
  --frames N    frames to run, 1 to 1000000 (600)
  --budget MS   milliseconds a frame for the characters, up to 1000, fractions
                allowed; 0: no limit (4)
  --seed N      of the world (1)
  --fast        do not sleep between frames
  --watch       draw the world in the terminal, 78 x 23: W wolf, ! fleeing,
                " talking
  --help        print this

The report is printed on stdout, the times on stderr. Where no frame left
anything over, and always with --budget 0, stdout depends on the options only.
Ctrl-C ends the world with the frame; the report covers what has been.
)";

struct settings {
  std::size_t npcs;
  long frames;
  std::chrono::nanoseconds budget;
  std::uint64_t seed;
  bool fast;
  bool watch;
};

std::chrono::nanoseconds parse_budget(const std::string& text) {
  double ms = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, ms);
  const bool in_range = ms >= 0 && ms <= 1000;  // not so for a NaN
  if (error != std::errc{} || stop != end || !in_range)
    cli::fail("--budget takes milliseconds from 0 to 1000, not '" + text +
                  "'; try --help",
              2);
  if (ms == 0) return std::chrono::nanoseconds::max();
  return std::chrono::nanoseconds(std::llround(std::ceil(ms * 1e6)));
}

settings parse(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  settings given{
      .npcs = static_cast<std::size_t>(args.number("npcs", 5000, 1, 200'000)),
      .frames = args.number("frames", 600, 1, 1'000'000),
      .budget = parse_budget(args.text("budget", "4")),
      .seed = static_cast<std::uint64_t>(
          args.number("seed", 1, 0, std::numeric_limits<long>::max())),
      .fast = args.flag("fast"),
      .watch = args.flag("watch"),
  };
  args.no_operands();
  if (given.watch && isatty(STDOUT_FILENO) == 0)
    cli::fail("--watch draws in a terminal, and standard output is none", 2);
  return given;
}

// What the game does to its characters between two frames: some go, others
// come in their place and in that of the eaten.
void step(npc::world& w, const weft::scheduler& s, std::size_t npcs) {
  constexpr long frames_to_live = 10'000;
  const long gone =
      (static_cast<long>(npcs) + w.random(frames_to_live)) / frames_to_live;
  for (long i = 0; i != gone && !w.cast().empty(); ++i) {
    const long who = w.random(static_cast<long>(w.cast().size()));
    w.cast()[static_cast<std::size_t>(who)]->kill(w.count.despawned);
  }
  while (s.live() < npcs)
    weft::spawn(w.count.born++ % 20 == 0 ? npc::wolf : npc::villager,
                std::ref(w));
}

// Leaves nothing to restore in the terminal, however the program ends.
bool draw(const npc::world& w, const npc::measurements& m) {
  constexpr long width = 78;
  constexpr long height = 22;
  constexpr std::string_view by_importance = " .\"!W";
  std::string picture(static_cast<std::size_t>((width + 1) * height), ' ');
  for (const npc::character* c : w.cast()) {
    char& pixel = picture[static_cast<std::size_t>(
        c->at().y * height / w.side() * (width + 1) +
        c->at().x * width / w.side())];
    const char mine = c->what() == npc::kind::wolf         ? 'W'
                      : c->doing() == npc::behaviour::flee ? '!'
                      : c->doing() == npc::behaviour::talk ? '"'
                                                           : '.';
    if (by_importance.find(mine) > by_importance.find(pixel)) pixel = mine;
  }
  for (auto end = static_cast<std::size_t>(width); end < picture.size();
       end += width + 1)
    picture[end] = '\n';
  std::printf("%s\x1b[H%s%zu characters, frame %ld: %.2f ms\x1b[J\n",
              w.frames.now() == 1 ? "\x1b[2J" : "", picture.c_str(),
              w.cast().size(), w.frames.now(), m.milliseconds.back());
  return std::fflush(stdout) == 0;
}

void play(const settings& given) {
  weft::scheduler s;
  npc::world w(given.seed, given.npcs);
  npc::measurements m;
  auto next_frame = frame_clock::now();
  while (w.frames.now() != given.frames && !cli::interrupted()) {
    step(w, s, given.npcs);
    w.frames.open();

    const auto start = frame_clock::now();
    const weft::run_result result = s.run_for(given.budget);
    m.add(frame_clock::now() - start, result);

    if (given.watch && !draw(w, m)) break;
    if (given.fast) continue;
    next_frame = std::max(next_frame + frame_time, frame_clock::now());
    std::this_thread::sleep_until(next_frame);
  }
  s.shutdown();  // Kills all characters, before their world ends.
  print_report(w, std::move(m));
}

}  // namespace

int main(int argc, char** argv) {
  const settings given = parse(argc, argv);
  cli::catch_interrupt();
  try {
    play(given);
  } catch (const std::exception& e) {
    cli::fail(e.what(), 1);
  }
  return cli::finish_stdout(cli::interrupted() ? 130 : 0);
}
