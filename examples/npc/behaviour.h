// SPDX-License-Identifier: BSL-1.0
// What characters do: each function is the whole life of one, and never
// returns. To be spawned; a kill ends it.
#pragma once

#include "weft/examples/npc/world.h"

namespace npc {

// Patrols, talks with those it meets, flees from wolves.
[[noreturn]] void villager(world& w);

// Prowls, and chases villagers.
[[noreturn]] void wolf(world& w);

}  // namespace npc
