// SPDX-License-Identifier: BSL-1.0
// An actor simulation: robots, each a tasklet with a mailbox, wander through a
// world, which is another one. Those who collide talk to each other: the same
// clan breeds, of two clans the stronger lives on.
//
// actors/actor.h says what an actor is, actors/protocol.h what they say,
// actors/shard.h how they live on several threads.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <string>

#include "weft/examples/actors/picture.h"
#include "weft/examples/actors/screen.h"
#include "weft/examples/actors/shard.h"
#include "weft/examples/actors/world.h"
#include "weft/examples/cli.h"
#include "weft/weft.h"

namespace {

constexpr const char* help = R"(Usage: actors [OPTION]...
Simulates robots that wander, collide, breed, fight and die. Every robot is a
tasklet. The same options give the same history, down to the digest.

  --robots N    how many the world tries to have, 1 to 1000000 (1000)
  --ticks N     how long, from 1 (200)
  --seed N      another seed is another history (1)
  --size WxH    of the world, in squares from 10 to 100000 (32 a robot)
  --threads N   robots live on so many, 1 to 64 (1); the history is the same
  --watch       shows the world in the terminal while it lives
  --svg FILE    draws paths: of at most 300 robots at a time, for 400 ticks
  --help        this text

Ctrl-C ends the simulation between two ticks. What took how long goes to stderr.
)";

struct settings {
  actors::rules rules{};
  std::size_t threads = 1;
  bool watch = false;
  std::string svg;
};

void parse_size(const std::string& given, actors::rules& r) {
  const char* end = given.data() + given.size();
  const auto width = std::from_chars(given.data(), end, r.width);
  if (width.ec == std::errc{} && width.ptr != end && *width.ptr == 'x') {
    const auto height = std::from_chars(width.ptr + 1, end, r.height);
    if (height.ec == std::errc{} && height.ptr == end &&
        std::min(r.width, r.height) >= 10 &&
        std::max(r.width, r.height) <= 100'000)
      return;
  }
  cli::fail("--size takes WIDTHxHEIGHT, each from 10 to 100000, not '" + given +
                "'; try --help",
            2);
}

settings parse(cli::arguments& args) {
  constexpr long any = std::numeric_limits<long>::max();
  args.help(help);
  settings s;
  s.rules.robots =
      static_cast<std::uint32_t>(args.number("robots", 1000, 1, 1'000'000));
  s.rules.ticks = static_cast<std::uint64_t>(args.number("ticks", 200, 1, any));
  s.rules.seed = static_cast<std::uint64_t>(args.number("seed", 1, 0, any));
  s.threads = static_cast<std::size_t>(args.number("threads", 1, 1, 64));
  s.watch = args.flag("watch");
  s.svg = args.text("svg", "");
  const std::string size = args.text("size", "");
  args.no_operands();
  if (!size.empty()) {
    parse_size(size, s.rules);
  } else {
    // Twice as wide as high, as terminals are.
    const auto half_area = static_cast<std::int32_t>(16 * s.rules.robots);
    s.rules.height = 10;
    while (s.rules.height * s.rules.height < half_area) ++s.rules.height;
    s.rules.width = 2 * s.rules.height;
  }
  if (s.watch && !actors::screen::possible())
    cli::fail("--watch needs a terminal on standard output", 2);
  return s;
}

void report(const actors::world& w, std::uint64_t messages,
            std::chrono::duration<double> took) {
  const actors::history& past = w.past();
  std::printf("ticks       %" PRIu64 "\n", past.ticks);
  std::printf("population  %zu\n", w.population());
  std::printf("collisions  %" PRIu64 "\n", past.collisions);
  std::printf("spawned     %" PRIu64 "\n", past.spawned);
  std::printf("removed     %" PRIu64 "\n", past.removed);
  std::printf("messages    %" PRIu64 "\n", messages);
  std::printf("digest      %016" PRIx64 "\n", past.digest);
  std::fprintf(stderr, "%.2f s: %.1f ticks/s, %.0f messages/s\n", took.count(),
               static_cast<double>(past.ticks) / took.count(),
               static_cast<double>(messages) / took.count());
}

void simulate(const settings& s) {
  std::optional<actors::picture> picture;
  if (!s.svg.empty()) picture.emplace(s.svg, s.rules);
  const auto start = std::chrono::steady_clock::now();
  actors::shards shards(s.threads);
  actors::world world(s.rules, shards);
  std::optional<weft::scheduler_pool> others;
  if (s.threads > 1)
    others.emplace(weft::scheduler_pool_options{
        .threads = s.threads - 1, .pin = false, .name = "robots"});
  weft::scheduler scheduler;
  if (others) {
    // There is memory for a stack in each of them, or this throws.
    others->broadcast([] {});
    others->join();
    for (std::size_t i = 1; i != s.threads; ++i)
      others->spawn_on(i - 1, [&shards, i] { shards.serve(i); });
    weft::spawn([&shards] { shards.serve(0); });
  }
  std::optional<actors::screen> screen;
  if (s.watch) screen.emplace();

  const weft::tasklet life = weft::spawn([&] {
    world.live([&] {
      if (picture) picture->add(world);
      if (screen) screen->draw(world);
      return !cli::interrupted() && std::ferror(stdout) == 0;
    });
  });
  life.join();
  shards.close();
  weft::run();  // until the last robot has ended
  if (others) others->join();

  screen.reset();
  report(world, shards.messages_sent(),
         std::chrono::steady_clock::now() - start);
  if (picture) picture->save();
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  const settings s = parse(args);
  cli::catch_interrupt();
  int code = 0;
  try {
    simulate(s);
    if (cli::interrupted()) code = 130;
  } catch (const std::bad_alloc&) {
    cli::warn("out of memory; ask for fewer --robots");
    code = 1;
  } catch (const std::exception& e) {
    cli::warn(e.what());
    code = 1;
  }
  return cli::finish_stdout(code);
}
