// SPDX-License-Identifier: BSL-1.0
// Private: the schedulers of this process.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

namespace weft {

struct core;

struct registry {
  // Never destroyed: a scheduler may outlive static objects.
  static registry& all();

  std::mutex mutex;
  std::vector<core*> cores;
  std::vector<core*> resting;  // some of them, in the order in which they began
  std::size_t abandoned = 0;   // tasklets, by all there ever were
};

}  // namespace weft
