// SPDX-License-Identifier: BSL-1.0
// The world actor: it knows where every robot is, moves them, and introduces
// those who collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "weft/examples/actors/grid.h"
#include "weft/examples/actors/protocol.h"
#include "weft/examples/actors/shard.h"
#include "weft/examples/random.h"

namespace actors {

inline constexpr std::int32_t clans = 3;

struct rules {
  std::uint32_t robots;  // that the world tries to have
  std::uint64_t ticks;
  std::uint64_t seed;
  std::int32_t width, height;  // squares
};

// What the world knows of a robot.
struct body {
  std::uint64_t id = 0;  // 0: the seat is free
  robot_address robot{};
  point at{};
  std::uint8_t clan = 0;
  std::uint64_t rests_until = 0;  // who has just met meets nobody
  step last{};
  fate what = fate::lives;
};

struct history {
  std::uint64_t ticks = 0;
  std::uint64_t collisions = 0;
  std::uint64_t spawned = 0;
  std::uint64_t removed = 0;
  std::uint64_t digest = 0;  // of who was where at every tick
};

class world {
 public:
  // Robots live in all of the shards, the world in the first.
  world(const rules& r, shards& homes);

  // The loop of the actor. Ends after the asked ticks, or as soon as
  // `after_tick` gives false; all robots have been told to end then.
  void live(const std::function<bool()>& after_tick);

  // By seat; some are free.
  [[nodiscard]] const std::vector<body>& bodies() const { return bodies_; }
  [[nodiscard]] std::size_t population() const {
    return bodies_.size() - free_.size();
  }
  // In the unit of positions.
  [[nodiscard]] point size() const { return {end_.x + 1, end_.y + 1}; }
  [[nodiscard]] const history& past() const { return past_; }

 private:
  void repopulate();
  void move_all();
  void collide();
  void remember();

  void spawn(std::uint8_t clan, point at);
  void collect(std::size_t reports);
  void settle();
  void file(const hello& h) { bodies_[h.seat].robot = h.robot; }
  void file(const step& s) { bodies_[s.seat].last = s; }
  void file(const outcome& o) { bodies_[o.seat].what = o.what; }

  rules rules_;
  shards* homes_;
  point end_;  // the last position
  examples::random dice_;
  world_mailbox in_;
  std::vector<body> bodies_;
  std::vector<std::uint32_t> free_;
  grid grid_;
  history past_;
};

}  // namespace actors
