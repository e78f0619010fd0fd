// SPDX-License-Identifier: BSL-1.0
// What the world and its robots say to each other.
//
//   world                robot                other robot
//     | <------- hello --- |                      |        once, when it starts
//     |                    |                      |
//     | --- go ----------> |                      |        every tick
//     | <-------- step --- |                      |        or outcome: too old
//     |                    |                      |
//     | --- meet --------> | --- challenge -----> |        when two collide
//     |                    | <---------- answer - |
//     | <----- outcome --- |                      |
//     | <---------------------------- outcome --- |
//
// No deadlock: a robot is sent a message only while it waits for one, and gets
// no second before it has replied to the first; so its mailbox of one always
// has room, and who sends to a robot never parks. The world's mailbox may be
// full: robots do park there. But the world parks only to receive, and knows
// how many replies it is owed. Nobody waits for a robot that waits for the
// world, so no circle of waiting closes.
//
// Nor does one that goes through the letter boxes of several threads. All but
// that of the world's thread hold letters to robots alone, who have room: they
// are emptied whatever the others do. That of the world's thread is emptied as
// soon as the world receives, and what the world waits for meanwhile, if it
// waits for anything else, is room in one of the others.
//
// A robot that reports its death sends nothing afterwards; the world forgets
// its address then, and its opponent has had its last message.
//
// Every robot is linked to the world: should one fail, the world ends rather
// than wait for its reply, and with the world the others. One of another thread
// is linked to who serves that, who tells the world's thread.
#pragma once

#include <cstdint>

#include "weft/examples/actors/actor.h"

namespace actors {

struct vitals {
  std::uint8_t clan = 0;
  std::int32_t strength = 0;
};

struct go;
struct meet;
struct challenge;
struct answer;
using robot_mailbox = weft::mailbox<go, meet, challenge, answer>;
using robot_address = address<robot_mailbox>;

// To a robot.
struct go {
  bool wall_x, wall_y;  // it stands at one
};
struct meet {
  robot_address opponent;
};
struct challenge {
  robot_address from;
  vitals challenger;
};
struct answer {
  vitals challenged;
};

// To the world. The seat is the robot's place in the world's table.
struct hello {
  std::uint32_t seat;
  robot_address robot;
};
struct step {
  std::uint32_t seat;
  std::int32_t dx, dy;
};
enum class fate : std::uint8_t { lives, dies, breeds };
struct outcome {
  std::uint32_t seat;
  fate what;
};
using world_mailbox = weft::mailbox<hello, step, outcome>;
using world_address = address<world_mailbox>;

}  // namespace actors
