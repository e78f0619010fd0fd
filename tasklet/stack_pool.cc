// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/stack_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <stdexcept>

#include "weft/tasklet/context.h"

namespace weft {
namespace {

constexpr std::size_t slab_bytes = std::size_t{64} << 20;
constexpr std::size_t colour_step = 128;

// How many tops differ: 16, fewer where they would take over a 32nd of the
// stack.
constexpr std::size_t colours(std::size_t size) {
  return std::clamp<std::size_t>(size / 32 / colour_step, 1, 16);
}

// Linux 6.13: a guard that does not split the mapping, so that a million of
// them stay within vm.max_map_count. The C library's headers do not name it
// yet.
constexpr int madv_guard_install = 102;

// Instrumented frames are some four times as large.
#if defined(WEFT_ASAN) || defined(WEFT_TSAN)
constexpr std::uint32_t sanitizer_classes = 2;
#else
constexpr std::uint32_t sanitizer_classes = 0;
#endif

// A page below the stack that faults when touched. Older kernels get one by
// mprotect until the process has no mappings left; the rest go without.
// Leaves errno alone: a start is part of a switch.
void guard(char* low, std::size_t size) {
  const int before = errno;
  if (madvise(low, size, madv_guard_install) != 0)
    static_cast<void>(mprotect(low, size, PROT_NONE));
  errno = before;
}

}  // namespace

std::size_t stack_pool::guard_size() {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return page;
}

std::uint32_t stack_pool::class_of(std::size_t bytes) {
  if (bytes == 0 || bytes > largest_stack)
    throw std::invalid_argument(
        "weft: a stack has 1 byte to 1 GiB; smaller ones get 8 KiB");
  const auto least = static_cast<std::uint32_t>(
      std::bit_width(std::max(bytes, smallest_stack) - 1));
  return std::min(
      least + sanitizer_classes,
      static_cast<std::uint32_t>(std::bit_width(largest_stack - 1)));
}

stack_pool::slab stack_pool::map(std::size_t bytes, std::size_t alignment) {
  // The alignment is paid in address space only: what sticks out is unmapped.
  const std::size_t asked = bytes + alignment;
  void* got = mmap(nullptr, asked, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) throw std::bad_alloc();
  char* from = static_cast<char*>(got);
  const auto past = reinterpret_cast<std::uintptr_t>(from) & (alignment - 1);
  const std::size_t head = past == 0 ? 0 : alignment - past;
  if (head != 0) munmap(from, head);
  munmap(from + head + bytes, asked - head - bytes);
  // A huge page would make each touched stack cost 2 MiB.
  madvise(from + head, bytes, MADV_NOHUGEPAGE);
  return {from + head, bytes, 0};
}

// The slab that the next stack of the class is cut from. Throws std::bad_alloc.
stack_pool::slab* stack_pool::open_slab(std::uint32_t size_class) {
  const std::size_t size = std::size_t{1} << size_class;
  std::size_t& open = open_[size_class];
  if (open == 0 || slabs_[open - 1].used == slabs_[open - 1].bytes) {
    slabs_.reserve(slabs_.size() + 1);
    slabs_.push_back(map(std::max(size, slab_bytes), size));
    open = slabs_.size();
  }
  return &slabs_[open - 1];
}

bool stack_pool::cut(std::uint32_t size_class) noexcept {
  slab* from;
  try {
    from = open_slab(size_class);
  } catch (const std::bad_alloc&) {
    return false;
  }
  const std::size_t size = std::size_t{1} << size_class;
  char* low = from->begin + from->used;
  from->used += size;
  guard(low, guard_size());
  announce_stack(low, low + size - 1);
  char* top = low + size - colour_++ % colours(size) * colour_step;
  next_free(top) = free_[size_class];
  free_[size_class] = top;
  return true;
}

stack_pool::~stack_pool() {
  if (taken_ != 0) return;
  for (const slab& s : slabs_) munmap(s.begin, s.bytes);
}

}  // namespace weft
