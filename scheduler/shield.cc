// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/shield.h"

#include "weft/scheduler/core.h"

namespace weft {

shield::shield() noexcept : who_(nullptr) {
  const dispatcher* s = this_dispatcher();
  if (s->current == nullptr) return;
  who_ = s->current->who;
  id_ = who_->id;
  ++who_->shields;
}

shield::~shield() {
  if (who_ == nullptr || who_->id != id_) return;
  --who_->shields;
  if (who_->block->flags != 0) core::of(this_dispatcher()).watch_current();
}

}  // namespace weft
