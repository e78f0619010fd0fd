// SPDX-License-Identifier: BSL-1.0
// What is used in another scheduler than its own: which is whose, in words.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>

#include "weft/scheduler/core.h"
#include "weft/scheduler/registry.h"

namespace weft {
namespace {

// "thread 4242 (robots/1)", the name as the system has it; without one, where
// that gives none.
std::string describe_thread(unsigned long number) {
  std::string text = "thread " + std::to_string(number);
  const std::string path =
      "/proc/self/task/" + std::to_string(number) + "/comm";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  std::array<char, 32> name{};  // 15 characters and a newline
  const auto n = read(file, name.data(), name.size());
  close(file);
  if (n <= 1) return text;
  text += " (";
  text.append(name.data(), static_cast<std::size_t>(n) - 1);
  return text += ')';
}

// It may be ending just now, in its own thread: what is listed stays there as
// long as the lock is held.
std::string describe_owner(const void* owner) {
  registry& r = registry::all();
  const std::lock_guard lock(r.mutex);
  const auto at = std::ranges::find(r.cores, owner);
  if (at == r.cores.end()) return "a scheduler that has ended";
  return "the scheduler of " + describe_thread((*at)->strands.thread());
}

}  // namespace

void dispatcher::throw_wrong_scheduler(std::string_view whose,
                                       const void* owner,
                                       std::string_view advice) {
  const bool none = this_dispatcher() == no_dispatcher();
  std::string text = "weft: ";
  text.append(whose) += ' ';
  text += describe_owner(owner);
  text += none ? ", and was used in " : ", and was used in that of ";
  text += describe_thread(strand_home::this_thread());
  if (none) text += ", which has none";
  text += "; ";
  throw wrong_scheduler(text.append(advice));
}

}  // namespace weft
