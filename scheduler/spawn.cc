// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/spawn.h"

#include "weft/scheduler/core.h"

namespace weft {

void spawning::set(descriptor& d, spawn_options& options) {
  if (options.stack_size != 0)
    d.stack_class = stack_pool::class_of(options.stack_size);
  if (!options.name.empty())
    d.name = std::make_unique<std::string>(std::move(options.name));
}

void spawning::drop(dispatcher* s, descriptor* d) noexcept {
  d->name.reset();
  s->free_descriptor(d);
}

void spawning::make_room(dispatcher* s, descriptor* d) {
  try {
    s->queue.reserve(s->live + 1);
  } catch (...) {
    d->body.drop();
    throw;
  }
}

void spawning::commit_rare(dispatcher* s, descriptor* d) {
  if (s->flags.load(std::memory_order_relaxed) & closing)
    core::of(s).end_unstarted(*d);
  else
    s->queue.push(&d->seed);
}

}  // namespace weft
