// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/stack_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

namespace weft {
namespace {

// The C library's headers do not name it yet.
constexpr int madv_guard_install = 102;

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

std::size_t stack_guard::size() noexcept {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return page;
}

void stack_guard::put(char* low) noexcept {
  const int before = errno;
  if (first_ == way::madvise && madvise(low, size(), madv_guard_install) != 0)
    first_ = way::mprotect;
  if (first_ == way::mprotect && mprotect(low, size(), PROT_NONE) != 0)
    first_ = way::zeros;
  if (first_ == way::zeros) {
    try {
      zeros_.insert(low);
    } catch (const std::bad_alloc&) {
    }
  }
  errno = before;
}

bool stack_guard::intact(char* low) const noexcept {
  return !zeros_.contains(low) ||
         std::all_of(low, low + size(), [](char c) { return c == 0; });
}

}  // namespace weft
