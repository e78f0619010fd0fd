// SPDX-License-Identifier: BSL-1.0
#include "weft/sync/lockable.h"

namespace weft {

void ownership::throw_not_owner() {
  throw error("weft: only the tasklet that owns a mutex unlocks it");
}

void ownership::throw_vain(const descriptor* d) const {
  if (held_by(d))
    throw error("weft: this tasklet waits for a mutex that it owns itself");
  throw error(
      "weft: the tasklet that owned this mutex has ended and left it locked");
}

}  // namespace weft
