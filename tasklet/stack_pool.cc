// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/stack_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <stdexcept>

namespace weft {
namespace {

constexpr std::size_t slab_bytes = std::size_t{64} << 20;
constexpr std::size_t colour_step = 128;

// How many tops differ: 16, fewer where they would take over a 32nd of the
// stack.
constexpr std::size_t colours(std::size_t size) {
  return std::clamp<std::size_t>(size / 32 / colour_step, 1, 16);
}

// Instrumented frames are some four times as large, those that are not
// optimised twice.
#if defined(WEFT_ASAN) || defined(WEFT_TSAN)
constexpr std::uint32_t larger_frames = 2;
#elif !defined(__OPTIMIZE__)
constexpr std::uint32_t larger_frames = 1;
#else
constexpr std::uint32_t larger_frames = 0;
#endif

}  // namespace

std::uint32_t stack_pool::class_of(std::size_t bytes) {
  if (bytes == 0 || bytes > largest_stack)
    throw std::invalid_argument(
        "weft: a stack has 1 byte to 1 GiB; smaller ones get 8 KiB");
  // With pages of 64 KiB the guard alone is as large as an ordinary stack.
  const auto least = static_cast<std::uint32_t>(std::bit_width(
      std::max({bytes, smallest_stack, 2 * stack_guard::size()}) - 1));
  return std::min(
      least + larger_frames,
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

// The slab that the next stack of the class is cut from, with room to list all
// that it holds. Throws std::bad_alloc.
stack_pool::slab& stack_pool::open_slab(std::uint32_t size_class) {
  const std::size_t size = std::size_t{1} << size_class;
  shelf& of = shelves_[size_class];
  if (of.open == 0 || slabs_[of.open - 1].used == slabs_[of.open - 1].bytes) {
    const std::size_t bytes = std::max(size, slab_bytes);
    of.tops.resize(of.cut + bytes / size);
    slabs_.reserve(slabs_.size() + 1);
    slabs_.push_back(map(bytes, size));
    of.open = slabs_.size();
  }
  return slabs_[of.open - 1];
}

bool stack_pool::cut(std::uint32_t size_class) noexcept {
  const int before = errno;
  const std::size_t size = std::size_t{1} << size_class;
  try {
    slab& from = open_slab(size_class);
    char* end = from.begin + from.used;
    from.used += size;
    guard_.put(end);
    announce_stack(end + stack_guard::size(), end + size);
    shelf& to = shelves_[size_class];
    ++to.cut;
    to.tops[to.free++] = end + size - colour_++ % colours(size) * colour_step;
  } catch (const std::bad_alloc&) {
    errno = before;
    return false;
  }
  errno = before;
  return true;
}

std::size_t stack_pool::taken() const {
  std::size_t taken = 0;
  for (const shelf& s : shelves_) taken += s.cut - s.free;
  return taken;
}

bool stack_pool::trim(std::size_t keep, std::size_t most) noexcept {
  for (std::uint32_t c = 0; c != shelves_.size(); ++c) {
    shelf& s = shelves_[c];
    for (; s.trimmed + keep < s.free; ++s.trimmed) {
      if (most-- == 0) return true;
      const stack cold{s.tops[s.trimmed], c};
      madvise(cold.low(), cold.size() - stack_guard::size(), MADV_DONTNEED);
    }
  }
  return false;
}

stack_pool::~stack_pool() {
  if (taken() != 0) {
    trim(0, std::numeric_limits<std::size_t>::max());
    return;
  }
  for (std::uint32_t c = 0; c != shelves_.size(); ++c)
    for (std::size_t i = 0; i != shelves_[c].free; ++i) {
      const stack s{shelves_[c].tops[i], c};
      retract_stack(s.low(), s.end() + s.size());
    }
  for (const slab& s : slabs_) munmap(s.begin, s.bytes);
}

}  // namespace weft
