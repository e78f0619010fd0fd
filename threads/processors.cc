// SPDX-License-Identifier: BSL-1.0
#include "weft/threads/processors.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace weft {
namespace {

// Microseconds in each period: "150000 100000", or "max 100000", in one file, or
// by cgroup v1 in two, of which -1 is no limit. 0: no limit.
std::size_t quota_of(const std::filesystem::path& group) {
  std::int64_t quota = 0;
  std::int64_t period = 0;
  if (!(std::ifstream(group / "cpu.max") >> quota >> period)) {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<std::size_t>((quota + period - 1) / period);
}

// Where the group is that a line of /proc/self/cgroup tells of: "0::/PATH" is
// that of cgroup v2, "1:cpu,cpuacct:/PATH" one of v1. Nothing: it has nothing to
// do with processors.
struct place {
  std::filesystem::path mount;
  std::filesystem::path group;
};
std::optional<place> find_group(const std::filesystem::path& root,
                                const std::string& line) {
  const auto controllers = line.find(':') + 1;
  const auto path = line.find(":/", controllers);
  if (controllers == 0 || path == std::string::npos) return std::nullopt;
  const std::string these = line.substr(controllers, path - controllers);
  if (!these.empty() && ("," + these + ",").find(",cpu,") == std::string::npos)
    return std::nullopt;
  const auto mount = these.empty() ? root : root / these;
  return place{mount, mount / line.substr(path + 2)};
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
    auto at = find_group(root, line);
    if (!at) continue;
    for (auto& [mount, group] = *at;; group = group.parent_path()) {
      const std::size_t quota = quota_of(group);
      if (quota != 0) least = least == 0 ? quota : std::min(least, quota);
      if (group == mount || !group.has_relative_path()) break;
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
