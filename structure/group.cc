// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/group.h"

#include <new>

#include "weft/scheduler/scheduler.h"

namespace weft {

group::group(std::source_location where)
    : crew_(std::make_shared<crew>(ledger_)), where_(where) {}

group::~group() {
  crew_->drain("the end of a group", where_);
  crew_->forget_overseer();
  ledger_.report_all();
}

bool group::has_current() const { return crew_->has_current(); }

void group::wait(std::source_location where) const {
  require_home();
  if (has_current())
    throw error("weft: a tasklet of a group cannot wait for the group's end");
  crew_->wait("join of a group", where);
}

void group::join(std::source_location where) {
  wait(where);
  auto& all = ledger_.failures;
  if (all.empty()) return;
  const std::exception_ptr first = all.front().what;
  all.erase(all.begin());
  std::rethrow_exception(first);
}

void group::ledger::member_failed(const tasklet& who,
                                  std::exception_ptr what) noexcept {
  try {
    failures.push_back({who, what});
  } catch (const std::bad_alloc&) {
    this_dispatcher()->report_unheard(who, what);
  }
}

void group::ledger::report_all() noexcept {
  for (const member_failure& f : failures)
    this_dispatcher()->report_unheard(f.who, f.what);
}

}  // namespace weft
