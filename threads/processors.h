// SPDX-License-Identifier: BSL-1.0
// Private: the processors that this process may use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace weft {

// The cores of the process's affinity mask, in order: at least one.
std::vector<int> allowed_cores();

// How many threads the process's group may keep busy at once, rounded up, by
// the limits of the group and of those around it (cgroup v2, v1); 0: no limit.
// `root` stands for /sys/fs/cgroup, `self` for /proc/self/cgroup.
std::size_t processor_quota(const std::filesystem::path& root,
                            const std::filesystem::path& self);

// How many threads it is worth to have: at least one.
std::size_t usable_processors();

}  // namespace weft
