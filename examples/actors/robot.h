// SPDX-License-Identifier: BSL-1.0
// The robot actor.
#pragma once

#include <cstdint>

#include "weft/examples/actors/protocol.h"

namespace actors {

// What a robot is born with; all else it draws from its seed.
struct birth {
  std::uint32_t seat;
  std::uint8_t clan;
  std::uint64_t seed;
};

// Wanders and meets others until it dies of age, loses a fight, or its mailbox
// is closed.
void robot(birth self, world_address world);

}  // namespace actors
