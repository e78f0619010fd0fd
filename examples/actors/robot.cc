// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/actors/robot.h"

#include <algorithm>

#include "weft/examples/actors/grid.h"
#include "weft/examples/actors/random.h"

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

void robot(birth self, address<report> world) {
  random dice(self.seed);
  const std::int32_t lifetime = 50 + dice.below(400);  // ticks
  vitals mine{self.clan, dice.below(1000)};
  std::int32_t dx = dice.around_zero(top_speed);
  std::int32_t dy = dice.around_zero(top_speed);

  mailbox<order> in(1);
  world.send(hello{self.seat, address(in)});

  std::int32_t age = 0;
  for (const order& next : in) {
    if (const auto* at = std::get_if<go>(&next)) {
      if (++age > lifetime) {
        world.send(outcome{self.seat, fate::dies});
        return;
      }
      const auto bend = [&dice](std::int32_t v, bool wall) {
        return std::clamp((wall ? -v : v) + dice.around_zero(top_speed / 8),
                          -top_speed, top_speed);
      };
      dx = bend(dx, at->wall_x);
      dy = bend(dy, at->wall_y);
      world.send(step{self.seat, dx, dy});
      continue;
    }

    fate mine_is = fate::lives;
    if (const auto* met = std::get_if<meet>(&next)) {
      met->opponent.send(challenge{address(in), mine});
      const vitals other = std::get<answer>(in.take()).challenged;
      mine_is = meeting(mine, other, true);
    } else {
      const auto& call = std::get<challenge>(next);
      call.from.send(answer{mine});
      mine_is = meeting(call.challenger, mine, false);
    }
    world.send(outcome{self.seat, mine_is});
    if (mine_is == fate::dies) return;
    // The survivor is the wiser, and goes back where it came from.
    mine.strength += 50;
    dx = -dx;
    dy = -dy;
  }
}

}  // namespace actors
