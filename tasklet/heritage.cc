// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/heritage.h"

#include <atomic>
#include <utility>

#include "weft/tasklet/control_block.h"

namespace weft {

std::uint64_t belonging::new_key() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

belonging* find_belonging(const descriptor& d, std::uint64_t key) {
  belonging* b = d.heritage;
  while (b != nullptr && b->key != key) b = b->older;
  return b;
}

void keep_belonging(descriptor& d, belonging& b) {
  d.detailed = true;
  b.older = std::exchange(d.heritage, &b);
}

void drop_belonging(descriptor& d, std::uint64_t key) noexcept {
  belonging** place = &d.heritage;
  while (*place != nullptr && (*place)->key != key) place = &(*place)->older;
  if (*place == nullptr) return;
  // Unlinked first: its destructor may do anything.
  belonging& b = **place;
  *place = b.older;
  b.drop(b);
}

void drop_belongings(descriptor& d) noexcept {
  while (d.heritage != nullptr) {
    belonging& b = *std::exchange(d.heritage, d.heritage->older);
    b.drop(b);
  }
}

void inherit(descriptor& child, const descriptor& parent) {
  belonging** end = &child.heritage;
  for (const belonging* b = parent.heritage; b != nullptr; b = b->older) {
    if (b->inherit == nullptr) continue;
    *end = b->inherit(*b);
    if (*end == nullptr) continue;
    child.detailed = true;
    end = &(*end)->older;
  }
}

}  // namespace weft
