// SPDX-License-Identifier: BSL-1.0
// Deadlocks that several schedulers have in common.
//
// A scheduler *rests* when only others could wake one of its tasklets. When all
// rest, and nothing is on its way, none ever will: then one of them goes on, as
// one that is alone would, with a deadlock_error or the end of a run(). It is
// the last to rest that would not wait for ever. If it rests again, or ends,
// the next is told.
//
// Invariants:
// - Who rests changes nothing of its own before it has left the list: under the
//   mutex all of it can be read.
// - Whoever posts is not at rest meanwhile, so that what is on its way shows as
//   has_mail when he rests.
// - Threads without a scheduler are no part of this; one that still means to do
//   something holds a weft::outside. But as long as one of them runs it may be
//   about to make a scheduler: nobody is told before all have slept for a while.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "weft/scheduler/core.h"
#include "weft/scheduler/registry.h"

namespace weft {
namespace {

// Between two looks at a standstill; twice as long each time.
constexpr std::chrono::milliseconds first_look{1};
constexpr std::chrono::milliseconds last_look{128};
// Looks in a row that must have found all threads asleep. Those that wait for
// valgrind to let them run seem to be.
#ifdef WEFT_VALGRIND
constexpr int sure = 20;
#else
constexpr int sure = 2;
#endif

// No other thread of this process runs.
bool others_sleep() {
  namespace fs = std::filesystem;
  const auto me = fs::read_symlink("/proc/thread-self").filename();
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == me) continue;
    std::ifstream file(task.path() / "stat");
    std::string text;
    std::getline(file, text);
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= text.size()) continue;
    const char state = text[name_end + 2];
    if (state == 'R' || state == 'D') return false;
  }
  return true;
}

}  // namespace

// Waits until something has come. False: nothing ever will.
bool core::rest() noexcept {
  registry& r = registry::all();
  {
    const std::lock_guard lock(r.mutex);
    r.resting.push_back(this);
  }
  int asleep_in_a_row = 0;
  auto pause = first_look;
  while (!flagged(has_mail) && !stuck.load(std::memory_order_acquire)) {
    const bool all = find_standstill(asleep_in_a_row >= sure);
    if (!all) {
      asleep_in_a_row = 0;
      sleep_for_mail(std::nullopt, std::nullopt);
      continue;
    }
    try {
      asleep_in_a_row = others_sleep() ? asleep_in_a_row + 1 : 0;
    } catch (...) {
      ++asleep_in_a_row;  // There is no /proc, or no memory to read it.
    }
    sleep_for_mail(std::nullopt, pause);
    pause = std::min(2 * pause, last_look);
  }
  const std::lock_guard lock(r.mutex);
  std::erase(r.resting, this);
  const bool told = stuck.exchange(false, std::memory_order_relaxed);
  if (told && !flagged(has_mail)) return false;
  others.clear();
  return true;
}

// All rest, and nothing is on its way. Tells one of them if that is `certain`.
bool core::find_standstill(bool certain) noexcept {
  registry& r = registry::all();
  const std::lock_guard lock(r.mutex);
  if (r.resting.size() != r.cores.size()) return false;
  core* whom = nullptr;
  for (core* c : r.resting) {
    if (c->flagged(has_mail) || c->stuck.load(std::memory_order_relaxed))
      return false;
    if (c->patience == 0) whom = c;
  }
  if (whom == nullptr) return false;
  if (!certain) return true;
  whom->note_others(r);
  whom->stuck.store(true, std::memory_order_release);
  whom->driver->wake();
  return false;
}

// What the report of a deadlock says of the other schedulers.
void core::note_others(const registry& r) noexcept {
  try {
    std::ostringstream text;
    for (core* c : r.resting) {
      if (c == this) continue;
      std::ostringstream those;
      c->report(those, lines_of_others);
      if (those.str().empty()) continue;
      text << "Those of another scheduler:\n" << those.str();
    }
    others = text.str();
  } catch (...) {
    others.clear();  // There is no memory for it.
  }
}

}  // namespace weft
