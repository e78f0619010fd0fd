// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/slots.h"

namespace weft {

slots::holder slots::take(const char* reason, std::source_location where) {
  const auto alive = shared_from_this();
  dispatcher* s = this_dispatcher();
  s->admit();
  if (free() != 0) return take_now();
  bool handed = false;
  wait_record w(reason, where);
  w.slot = &handed;
  try {
    s->park(w, waiting_);
  } catch (...) {
    if (handed) give_back();
    throw;
  }
  return holder(alive);
}

void slots::give_back() noexcept {
  --taken_;
  hand_out();
}

void slots::resize(std::size_t limit) noexcept {
  limit_ = limit;
  hand_out();
}

void slots::hand_out() noexcept {
  while (free() != 0 && !waiting_.empty()) {
    ++taken_;
    dispatcher* s = this_dispatcher();
    wait_record& w = waiting_.front();
    *static_cast<bool*>(w.slot) = true;
    s->serve(w, waiting_);
  }
}

}  // namespace weft
