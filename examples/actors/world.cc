// SPDX-License-Identifier: BSL-1.0
// Invariants:
// - Between two steps of a tick every robot waits for its mailbox, and the
//   world's own mailbox is empty: as many reports have come as were owed.
// - Reports are filed first and acted upon by seat, so that the history does
//   not depend on who ran first, nor on how many threads there are.
#include "weft/examples/actors/world.h"

#include <algorithm>

#include "weft/examples/actors/robot.h"

namespace actors {
namespace {

constexpr std::size_t mailbox_size = 256;
constexpr std::uint64_t rest = 20;  // ticks
// A robot's calls are shallow. A signal is handled on its stack, too.
constexpr std::size_t robot_stack = std::size_t{32} << 10;

}  // namespace

world::world(const rules& r, shards& homes)
    : rules_(r),
      homes_(&homes),
      end_{r.width * square - 1, r.height * square - 1},
      dice_(r.seed),
      in_(mailbox_size) {}

void world::live(const std::function<bool()>& after_tick) {
  do {
    repopulate();
    move_all();
    collide();
    remember();
  } while (after_tick() && past_.ticks < rules_.ticks);
  for (const body& b : bodies_)
    if (b.id != 0) b.robot.close();
}

// Robots die faster than they breed: an eighth of those missing comes anew.
void world::repopulate() {
  const std::size_t missing = rules_.robots - population();
  const std::size_t fresh = past_.ticks == 0 ? missing : (missing + 7) / 8;
  for (std::size_t i = 0; i != fresh; ++i) {
    const auto clan = static_cast<std::uint8_t>(dice_.below(clans));
    const std::int32_t x = dice_.below(end_.x);
    spawn(clan, {x, dice_.below(end_.y)});
  }
  collect(fresh);
}

void world::move_all() {
  for (const body& b : bodies_)
    if (b.id != 0)
      b.robot.send(go{b.at.x == 0 || b.at.x == end_.x,  //
                      b.at.y == 0 || b.at.y == end_.y});
  collect(population());
  for (body& b : bodies_) {
    b.at.x = std::clamp(b.at.x + b.last.dx, 0, end_.x);
    b.at.y = std::clamp(b.at.y + b.last.dy, 0, end_.y);
  }
  settle();
}

void world::collide() {
  grid_.clear(population());
  std::size_t pairs = 0;
  for (std::uint32_t seat = 0; seat != bodies_.size(); ++seat) {
    body& b = bodies_[seat];
    if (b.id == 0 || b.rests_until > past_.ticks) continue;
    const auto opponent = grid_.pair_up(seat, b.at);
    if (!opponent) continue;
    body& other = bodies_[*opponent];
    b.rests_until = other.rests_until = past_.ticks + rest;
    b.robot.send(meet{other.robot});
    ++pairs;
  }
  collect(2 * pairs);
  past_.collisions += pairs;
  settle();
}

void world::remember() {
  const auto add = [this](std::uint64_t x) {
    past_.digest = examples::mix(past_.digest ^ x);
  };
  add(++past_.ticks);
  for (const body& b : bodies_) {
    if (b.id == 0) continue;
    add(b.id);
    add(static_cast<std::uint64_t>(b.at.x) << 32 |
        static_cast<std::uint64_t>(b.at.y));
  }
}

// Its hello is still to be collected.
void world::spawn(std::uint8_t clan, point at) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(bodies_.size()));
    bodies_.emplace_back();
  }
  const std::uint32_t seat = free_.back();
  const std::uint64_t id = past_.spawned + 1;
  const birth b{seat, clan, examples::mix(rules_.seed ^ examples::mix(id))};
  homes_->spawn(seat % homes_->size(), {.stack_size = robot_stack},
                [b, to = address(in_)] { robot(b, to); });
  free_.pop_back();
  past_.spawned = id;
  bodies_[seat] = {
      .id = id, .at = at, .clan = clan, .rests_until = past_.ticks + rest};
}

void world::collect(std::size_t reports) {
  for (; reports != 0; --reports)
    in_.receive([this](const auto& r) { file(r); });
}

// Frees the seats of the dead, then gives parents their child, if the world has
// room for one.
void world::settle() {
  std::vector<std::uint32_t> parents;
  for (std::uint32_t seat = 0; seat != bodies_.size(); ++seat) {
    body& b = bodies_[seat];
    if (b.what == fate::breeds) parents.push_back(seat);
    if (b.what == fate::dies) {
      b = {};
      free_.push_back(seat);
      ++past_.removed;
    }
    b.what = fate::lives;
  }
  std::size_t born = 0;
  for (const std::uint32_t seat : parents) {
    if (population() == rules_.robots) break;
    spawn(bodies_[seat].clan, bodies_[seat].at);
    ++born;
  }
  collect(born);
}

}  // namespace actors
