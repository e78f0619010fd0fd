// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/census.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "weft/scheduler/core.h"

namespace weft {
namespace {

struct registry {
  std::mutex mutex;
  std::vector<core*> cores;
  std::size_t abandoned = 0;
};

// Never destroyed: a scheduler may outlive static objects.
registry& all() {
  static auto* r = new registry;
  return *r;
}

}  // namespace

census take_census() {
  registry& r = all();
  const std::lock_guard lock(r.mutex);
  census result{r.cores.size(), r.abandoned, r.abandoned, 0};
  for (const core* c : r.cores) {
    result.tasklets += c->live;
    result.stacks += c->stacks_in_use();
    result.waiters += c->parked();
  }
  if (weft_this_strand_home != nullptr)
    result.stacks += weft_this_strand_home->stacks_taken();
  return result;
}

void core::enlist() {
  registry& r = all();
  const std::lock_guard lock(r.mutex);
  r.cores.push_back(this);
}

void core::delist() noexcept {
  registry& r = all();
  const std::lock_guard lock(r.mutex);
  std::erase(r.cores, this);
}

void core::count_abandoned() noexcept {
  registry& r = all();
  const std::lock_guard lock(r.mutex);
  ++r.abandoned;
}

}  // namespace weft
