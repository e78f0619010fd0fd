// SPDX-License-Identifier: BSL-1.0
// Why a run came back, and what it left behind.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace weft {

struct run_result {
  enum reason {
    drained,  // nothing is runnable and nothing can wake anyone
    idle,    // nothing is runnable now; a timer or the driver may wake somebody
    budget,  // the time or the number of switches is spent
  };

  reason why = drained;
  // Switches to tasklets; counted by run_for(), run_n() and run_one() only.
  std::uint64_t switches = 0;
  std::size_t runnable = 0;  // tasklets in the run queue
  std::size_t blocked = 0;   // tasklets that are parked; no error
  // When the first timer is due, if there is one.
  std::optional<std::chrono::steady_clock::time_point> next_deadline;
};

}  // namespace weft
