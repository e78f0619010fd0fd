// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/census.h"

#include <pthread.h>

#include <algorithm>
#include <new>

#include "weft/scheduler/claimant.h"
#include "weft/scheduler/core.h"
#include "weft/scheduler/guard.h"
#include "weft/scheduler/registry.h"

namespace weft {

namespace {

// The child of a fork() has one thread, and so one scheduler at most. What the
// others held is nobody's.
void forget_other_threads() {
  registry& r = registry::all();
  r.resting.clear();
  dispatcher* const mine = this_dispatcher();
  std::erase_if(r.cores, [mine](const core* c) { return c != mine; });
  for (core* const c : r.cores) {  // mine, if there is one
    c->mail->forget_posters();
    c->set(has_mail);  // They may have linked it, and not said so.
    new (&c->own_driver) thread_driver;  // Somebody may have been waking it.
  }
  guard::free_all();
  claimant::forget_others();
  if (weft_this_strand_home != nullptr) weft_this_strand_home->renumber();
  r.mutex.unlock();
}

}  // namespace

registry& registry::all() {
  static auto* r = [] {
    pthread_atfork([] { all().mutex.lock(); }, [] { all().mutex.unlock(); },
                   &forget_other_threads);
    return new registry;
  }();
  return *r;
}

census take_census() {
  registry& r = registry::all();
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
  registry& r = registry::all();
  const std::lock_guard lock(r.mutex);
  r.resting.reserve(r.cores.size() + 1);
  r.cores.push_back(this);
}

void core::delist() noexcept {
  registry& r = registry::all();
  const std::lock_guard lock(r.mutex);
  std::erase(r.cores, this);
  // It may have been the only one that did not rest: that one looks again.
  if (!r.resting.empty()) r.resting.back()->driver->wake();
}

// While it is listed its inbox is there.
bool core::post_home(const tasklet& t, letter& l) noexcept {
  const void* const home = described(t)->owner;
  registry& r = registry::all();
  const std::lock_guard lock(r.mutex);
  const auto at = std::ranges::find(r.cores, home);
  return at != r.cores.end() && (*at)->mail->post(l, false);
}

void core::count_abandoned() noexcept {
  registry& r = registry::all();
  const std::lock_guard lock(r.mutex);
  ++r.abandoned;
}

}  // namespace weft
