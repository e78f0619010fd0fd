// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/stack_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <new>
#include <stdexcept>
#include <string>

namespace weft {
namespace {

// The C library's headers do not name it yet.
constexpr int madv_guard_install = 102;

// Each takes two mappings.
std::atomic<std::size_t> all_protected{0};
std::size_t most_protected() {
  static const std::size_t most = [] {
    std::size_t mappings = 65530;  // the kernel's own choice
    std::ifstream("/proc/sys/vm/max_map_count") >> mappings;
    return mappings / 8;
  }();
  return most;
}

}  // namespace

stack_guard::stack_guard() : first_(way::madvise) {
  const char* wanted = std::getenv("WEFT_STACK_GUARD");
  if (wanted == nullptr) return;
  const std::string name = wanted;
  if (name == "mprotect")
    first_ = way::mprotect;
  else if (name == "zeros")
    first_ = way::zeros;
  else if (name != "madvise")
    throw std::invalid_argument("weft: WEFT_STACK_GUARD is '" + name +
                                "'; it may be madvise, mprotect or zeros");
}

stack_guard::~stack_guard() {
  all_protected.fetch_sub(protected_, std::memory_order_relaxed);
}

// False: there are as many as there may be.
bool stack_guard::protect(char* low) noexcept {
  if (all_protected.fetch_add(1, std::memory_order_relaxed) <
          most_protected() &&
      mprotect(low, size(), PROT_NONE) == 0) {
    ++protected_;
    return true;
  }
  all_protected.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

std::size_t stack_guard::size() noexcept {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return page;
}

void stack_guard::put(char* low) noexcept {
  const int before = errno;
  if (first_ == way::madvise && madvise(low, size(), madv_guard_install) != 0)
    first_ = way::mprotect;
  if (first_ == way::mprotect && !protect(low)) first_ = way::zeros;
  if (first_ == way::zeros) {
    try {
      zeros_.insert(low);
    } catch (const std::bad_alloc&) {
      errno = before;
    }
  }
  errno = before;
}

bool stack_guard::intact(char* low) const noexcept {
  return !zeros_.contains(low) ||
         std::all_of(low, low + size(), [](char c) { return c == 0; });
}

}  // namespace weft
