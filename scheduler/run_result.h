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
    woken,   // somebody has inserted or run the caller
  };

  reason why = drained;
  // Switches to tasklets; counted by runs with a budget, and while accounting
  // is on.
  std::uint64_t switches = 0;
  std::uint64_t completed = 0;  // tasklets that have ended meanwhile
  std::size_t runnable = 0;     // tasklets in the run queue
  std::size_t blocked = 0;      // tasklets that wait for something; no error
  std::size_t paused = 0;       // tasklets that somebody has to insert
  // When the first timer is due, if there is one.
  std::optional<std::chrono::steady_clock::time_point> next_deadline;
};

}  // namespace weft
