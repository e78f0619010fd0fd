// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/descriptor_pool.h"

#include <algorithm>
#include <mutex>
#include <new>

namespace weft {
namespace {

std::mutex hand_on_mutex;

}  // namespace

// Slabs whose scheduler has ended.
descriptor_pool::slab*& descriptor_pool::handed_on() {
  static slab* first = nullptr;
  return first;
}

descriptor* descriptor_pool::more(std::uint64_t& ids) {
  descriptor* free = nullptr;
  if (slabs_ == nullptr || slabs_->made == cells) {
    slab* adopted = nullptr;
    {
      const std::lock_guard lock(hand_on_mutex);
      adopted = handed_on();
      if (adopted != nullptr) handed_on() = adopted->next;
    }
    if (adopted == nullptr) adopted = new slab;
    adopted->next = slabs_;
    slabs_ = adopted;
    ids = std::max(ids, adopted->last_id);
    for (std::size_t i = adopted->made; i-- != 0;) {
      descriptor* d = adopted->at(i);
      if (d->abandoned) continue;
      d->next_free = free;
      free = d;
    }
  }
  // An adopted slab may have been full of the abandoned.
  if (free == nullptr) {
    if (slabs_->made == cells) return more(ids);
    free = new (slabs_->at(slabs_->made)) descriptor;
    ++slabs_->made;
  }
  return free;
}

void descriptor_pool::retire(std::uint64_t ids, const void* owner) noexcept {
  last_id_ = ids;
  for (slab* s = slabs_; s != nullptr; s = s->next)
    for (std::size_t i = 0; i != s->made; ++i) s->at(i)->owner = owner;
}

descriptor_pool::~descriptor_pool() {
  const std::lock_guard lock(hand_on_mutex);
  while (slabs_ != nullptr) {
    slab* s = slabs_;
    slabs_ = s->next;
    s->last_id = last_id_;
    s->next = handed_on();
    handed_on() = s;
  }
}

}  // namespace weft
