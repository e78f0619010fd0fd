// SPDX-License-Identifier: BSL-1.0
#include "weft/threads/processors.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

namespace weft {
namespace {

// "max 100000", "150000 100000": microseconds in each period. 0: no limit.
std::size_t quota_of(const std::filesystem::path& group) {
  std::ifstream file(group / "cpu.max");
  std::uint64_t quota = 0;
  std::uint64_t period = 0;
  if (!(file >> quota >> period) || period == 0) return 0;
  return std::max<std::uint64_t>(1, (quota + period - 1) / period);
}

}  // namespace

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  for (int most = CPU_SETSIZE; most <= 1 << 20; most *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(
        CPU_ALLOC(most), [](cpu_set_t* m) { CPU_FREE(m); });
    if (mask == nullptr) break;
    const std::size_t size = CPU_ALLOC_SIZE(most);
    // Of the thread that the process began with: others may have been pinned.
    if (sched_getaffinity(getpid(), size, mask.get()) == 0) {
      for (int i = 0; i != most; ++i)
        if (CPU_ISSET_S(static_cast<std::size_t>(i), size, mask.get()))
          cores.push_back(i);
      break;
    }
    if (errno != EINVAL) break;  // The kernel's masks are larger.
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

std::size_t processor_quota(const std::filesystem::path& root,
                            const std::filesystem::path& self) {
  std::ifstream groups(self);
  std::size_t least = 0;
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    std::filesystem::path group = root / line.substr(4);
    for (;;) {
      const std::size_t quota = quota_of(group);
      if (quota != 0) least = least == 0 ? quota : std::min(least, quota);
      if (group == root || !group.has_relative_path()) break;
      group = group.parent_path();
    }
  }
  return least;
}

std::size_t usable_processors() {
  const std::size_t cores = allowed_cores().size();
  const std::size_t quota =
      processor_quota("/sys/fs/cgroup", "/proc/self/cgroup");
  return quota == 0 ? cores : std::min(cores, quota);
}

}  // namespace weft
