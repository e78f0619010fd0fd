// SPDX-License-Identifier: BSL-1.0
// Private: where descriptors come from.
//
// They lie in dense slabs. A slab is handed on when its scheduler ends, and
// never unmapped: a handle may look at its descriptor at any time. Ids only
// grow within a slab, so that no handle ever matches a later tasklet.
//
// Thread safety: a pool belongs to one scheduler; handing slabs on is locked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "weft/tasklet/control_block.h"

namespace weft {

class descriptor_pool {
 public:
  descriptor_pool() = default;
  descriptor_pool(const descriptor_pool&) = delete;
  descriptor_pool& operator=(const descriptor_pool&) = delete;
  ~descriptor_pool();

  // A free list of at least one descriptor. `ids` is raised above every id that
  // they have had. Throws std::bad_alloc.
  descriptor* more(std::uint64_t& ids);

  // Calls see(descriptor&) for every tasklet that has not ended.
  template <typename See>
  void for_each_live(See see);

  // Notes the last id given, for those who get the slabs next. All descriptors
  // are `owner`'s until then.
  void retire(std::uint64_t ids, const void* owner) noexcept;

 private:
  static constexpr std::size_t cells = 1024;
  struct slab {
    slab* next = nullptr;
    std::uint64_t last_id = 0;
    std::size_t made = 0;  // cells that hold a descriptor object
    alignas(descriptor) std::byte room[cells * sizeof(descriptor)];

    descriptor* at(std::size_t i) {
      return reinterpret_cast<descriptor*>(room) + i;
    }
  };
  static slab*& handed_on();

  slab* slabs_ = nullptr;
  std::uint64_t last_id_ = 0;
};

template <typename See>
void descriptor_pool::for_each_live(See see) {
  for (slab* s = slabs_; s != nullptr; s = s->next)
    for (std::size_t i = 0; i != s->made; ++i)
      if (s->at(i)->id != 0) see(*s->at(i));
}

}  // namespace weft
