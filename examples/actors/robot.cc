// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/actors/robot.h"

#include <algorithm>

#include "weft/examples/actors/grid.h"
#include "weft/examples/random.h"

namespace actors {
namespace {

constexpr std::int32_t top_speed = square / 2;  // squares a tick

// The same clan breeds, once a pair; of two clans the stronger lives on.
fate meeting(const vitals& challenger, const vitals& challenged,
             bool is_first) {
  if (challenger.clan == challenged.clan)
    return is_first ? fate::breeds : fate::lives;
  const bool first_wins = challenger.strength >= challenged.strength;
  return first_wins == is_first ? fate::lives : fate::dies;
}

}  // namespace

void robot(birth self, world_address world) {
  examples::random dice(self.seed);
  const std::int32_t lifetime = 50 + dice.below(400);  // ticks
  vitals mine{self.clan, dice.below(1000)};
  std::int32_t dx = dice.around_zero(top_speed);
  std::int32_t dy = dice.around_zero(top_speed);

  robot_mailbox in(1);
  world.send(hello{self.seat, address(in)});

  std::int32_t age = 0;
  bool alive = true;
  const auto settle = [&](fate mine_is) {
    world.send(outcome{self.seat, mine_is});
    alive = mine_is != fate::dies;
    // The survivor is the wiser, and goes back where it came from.
    mine.strength += 50;
    dx = -dx;
    dy = -dy;
  };
  const auto move = [&](go at) {
    if (++age > lifetime) {
      alive = false;
      return world.send(outcome{self.seat, fate::dies});
    }
    const auto bend = [&dice](std::int32_t v, bool wall) {
      return std::clamp((wall ? -v : v) + dice.around_zero(top_speed / 8),
                        -top_speed, top_speed);
    };
    dx = bend(dx, at.wall_x);
    dy = bend(dy, at.wall_y);
    world.send(step{self.seat, dx, dy});
  };
  const auto challenge_it = [&](meet met) {
    met.opponent.send(challenge{address(in), mine});
    if (const auto reply = in.receive_only<answer>())
      settle(meeting(mine, reply->challenged, true));
  };
  const auto answer_it = [&](challenge call) {
    call.from.send(answer{mine});
    settle(meeting(call.challenger, mine, false));
  };
  const auto unasked = [](answer) {};
  while (alive && in.receive(move, challenge_it, answer_it, unasked)) {
  }
}

}  // namespace actors
