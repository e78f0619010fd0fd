// SPDX-License-Identifier: BSL-1.0
// Private: which generators and which greenlet the running code is inside of.
// One a tasklet; switches between tasklets leave it alone.
#pragma once

namespace weft {

struct generator_flow;
struct greenlet_core;

struct strand_place {
  generator_flow* innermost = nullptr;
  greenlet_core* greenlet = nullptr;  // null: the tasklet has used none
};

}  // namespace weft
