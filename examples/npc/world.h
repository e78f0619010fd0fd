// SPDX-License-Identifier: BSL-1.0
// The world: a square map, the characters on it, and the waypoints they claim.
//
// What a character holds of the world it holds by objects on its tasklet's
// stack, so that a kill in the middle of anything gives it back.
//
// Everything is integers and one seeded generator: the same turns in the same
// order give the same digest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "weft/examples/npc/frames.h"
#include "weft/weft.h"

namespace npc {

struct square {
  long x = 0;
  long y = 0;
  friend bool operator==(const square&, const square&) = default;
};

// In steps; a diagonal one is a step.
inline long distance(square a, square b) {
  return std::max(std::labs(a.x - b.x), std::labs(a.y - b.y));
}

enum class kind : std::uint8_t { villager, wolf };
enum class behaviour : std::uint8_t { patrol, chase, flee, talk };

class character;
class conversation;

struct waypoint {
  square at;
  bool claimed = false;
};

class world {
 public:
  // Room for `population` at one to a cell.
  world(std::uint64_t seed, std::size_t population);

  // In [0, n).
  long random(long n);
  square random_square() { return {random(side_), random(side_)}; }
  square inside(square s) const;

  // A free waypoint near `s`; null: all taken.
  waypoint* free_waypoint(square s);
  // The nearest to `of`, less itself, within `sight` steps; null: none.
  character* nearest(const character& of, kind what, long sight) const;

  void enter(character& c);
  void leave(character& c);
  void move(character& c, square to);
  // Puts an event into the digest.
  void note(std::uint64_t event);

  long side() const { return side_; }
  const std::vector<character*>& cast() const { return cast_; }
  std::size_t claimed() const;

  struct counts {
    std::array<std::uint64_t, 4> begun{};  // by behaviour
    std::uint64_t born = 0, awake = 0;
    std::uint64_t finished_talks = 0, warnings = 0;
    std::uint64_t eaten = 0, despawned = 0;
    std::uint64_t hurried = 0;  // steps of one that had made one this frame
  };

  npc::frames frames;
  counts count;
  std::uint64_t digest = 0xcbf29ce484222325;

 private:
  static constexpr long cell_size = 8;   // squares a side
  static constexpr long block_size = 2;  // cells a side, a waypoint each

  // What a look at a cell needs, so that it touches no other stacks.
  struct sighting {
    character* who;
    kind what;
    square at;
  };

  void forget(const character& c);
  std::vector<sighting>& cell_of(square s) {
    return cells_of_map_[static_cast<std::size_t>(s.y / cell_size * cells_ +
                                                  s.x / cell_size)];
  }

  std::uint64_t random_;
  long cells_;  // a side
  long side_;   // in squares
  std::vector<std::vector<sighting>> cells_of_map_;
  std::vector<waypoint> waypoints_;
  std::vector<character*> cast_;
};

// A character, for as long as its tasklet lives.
class character {
 public:
  character(world& w, kind what);
  character(const character&) = delete;
  character& operator=(const character&) = delete;
  ~character() { world_.leave(*this); }

  kind what() const { return what_; }
  behaviour doing() const { return doing_; }
  square at() const { return at_; }
  world& home() const { return world_; }

  void begin(behaviour b);
  // Each parks: a step takes `pace` frames.
  void wait(long frames) { world_.frames.wait(frames); }
  void step_towards(square to, long pace);
  void step_away(square from, long pace);

  character* nearest(kind what, long sight) const {
    return world_.nearest(*this, what, sight);
  }
  // Ends it, whatever it is doing. Counted in `cause`, once.
  void kill(std::uint64_t& cause);

  // Who wants to talk parks here until this one has time.
  weft::channel<conversation*> calls;
  // The frame of the last wolf that this one has seen or heard of.
  long wolf_seen = 0;

 private:
  friend class world;

  world& world_;
  kind what_;
  behaviour doing_ = behaviour::patrol;
  bool doomed_ = false;
  square at_;
  weft::tasklet self_ = weft::current();
  std::size_t index_ = 0;  // in the cast
  long stepped_ = -1;      // in which frame
};

// A waypoint, taken for as long as the claim lives.
class claim {
 public:
  explicit claim(const character& c) : at_(c.home().free_waypoint(c.at())) {
    if (at_ != nullptr) at_->claimed = true;
  }
  claim(const claim&) = delete;
  claim& operator=(const claim&) = delete;
  ~claim() {
    if (at_ != nullptr) at_->claimed = false;
  }

  explicit operator bool() const { return at_ != nullptr; }
  square at() const { return at_->at; }

 private:
  waypoint* at_;
};

}  // namespace npc
