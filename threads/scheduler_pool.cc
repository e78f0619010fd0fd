// SPDX-License-Identifier: BSL-1.0
#include "weft/threads/scheduler_pool.h"

#include <stdexcept>
#include <utility>

#include "weft/threads/crowd.h"

namespace weft {

scheduler_pool::scheduler_pool(scheduler_pool_options options)
    : crowd_(std::make_unique<crowd>(std::move(options))) {}

scheduler_pool::~scheduler_pool() {
  if (crowd_->lost()) {
    static_cast<void>(crowd_.release());  // NOLINT: its threads are elsewhere.
    return;
  }
  if (crowd_->here())
    weft::stop("a scheduler_pool was ended by one of its own tasklets");
  crowd_->end();
}

crowd& scheduler_pool::members() const {
  if (crowd_->lost())
    throw error("weft: this pool's threads have not come along with fork()");
  return *crowd_;
}

std::size_t scheduler_pool::size() const { return crowd_->size(); }

std::optional<std::size_t> scheduler_pool::here() const {
  return crowd_->here();
}

void scheduler_pool::require(std::size_t i) const {
  if (i >= size())
    throw std::out_of_range("weft: the pool has no scheduler of this number");
}

void scheduler_pool::put(std::size_t i, std::unique_ptr<errand> one) {
  members().put(i, std::move(one));
}

void scheduler_pool::put_each(std::vector<std::unique_ptr<errand>>& copies) {
  members().put_each(copies);
}

void scheduler_pool::join(std::source_location where) { members().join(where); }

std::vector<scheduler_pool_failure> scheduler_pool::take_failures() noexcept {
  if (crowd_->lost()) return {};
  return crowd_->take_failures();
}

bool scheduler_pool::stop_within(std::chrono::nanoseconds time,
                                 std::source_location where) {
  return members().stop(time, where);
}

}  // namespace weft
