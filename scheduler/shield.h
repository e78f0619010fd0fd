// SPDX-License-Identifier: BSL-1.0
// Holds kills back while it is alive, and what throw_exception() raises.
//
//   ~connection() {
//     weft::shield while_closing;  // a kill waits for the end of this
//     goodbye_.send(id_);
//   }
//
// A kill is raised as an exception, and must not leave a noexcept frame: a
// destructor that blocks takes a shield. What was held back is raised by the
// first operation that may park or yield after the last shield has gone. They
// nest.
//
// Requires: ends in the tasklet that made it. Without a scheduler, or after its
// end, it does nothing.
#pragma once

#include <cstdint>

#include "weft/tasklet/control_block.h"

namespace weft {

class shield {
 public:
  shield() noexcept;
  shield(const shield&) = delete;
  shield& operator=(const shield&) = delete;
  ~shield();

 private:
  descriptor* who_;  // null: no scheduler
  std::uint64_t id_ = 0;
};

}  // namespace weft
