// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/spawn.h"

#include "weft/scheduler/core.h"

namespace weft {

void spawning::set(spawn_options& options) {
  if (options.stack_size != 0)
    d_->stack_class = stack_pool::class_of(options.stack_size);
  if (!options.name.empty())
    d_->name = std::make_unique<std::string>(std::move(options.name));
}

void spawning::drop() noexcept {
  d_->name.reset();
  s_->free_descriptor(d_);
}

void spawning::commit_rare(descriptor& d) {
  core& c = core::of(s_);
  if (s_->flags.load(std::memory_order_relaxed) & closing)
    c.end_unstarted(d);
  else
    c.queue.push(&d.seed);
}

}  // namespace weft
