// SPDX-License-Identifier: BSL-1.0
// What is known of stacks, and giving memory back.
#include <sys/mman.h>

#include <cstdlib>
#include <limits>

#include "weft/scheduler/core.h"

namespace weft {

void core::inspect(const descriptor& d) const noexcept {
  if (!stacks.guard().intact(ground_of(d).end())) {
    say_overflow(d, ground_of(d), false);
    std::abort();
  }
  if (survey) survey->note_if_possible(d);
}

std::vector<stack_use> core::stack_uses() {
  if (!survey) return {};
  stack_survey with_living = *survey;
  descriptors.for_each_live([&](const descriptor& d) {
    if (&d != main && started(*d.block)) with_living.note(d);
  });
  return with_living.uses();
}

void core::trim() noexcept {
  stacks.trim(0, std::numeric_limits<std::size_t>::max());
  if (survey) return;  // It would take untouched memory for used.
  descriptors.for_each_live([this](const descriptor& d) {
    if (&d == main || d.block == current || !started(*d.block)) return;
    const stack ground = ground_of(d);
    const char* lowest = lowest_in_use(*d.block);
    if (lowest < ground.low() || lowest > ground.top) return;  // In a strand.
    const std::ptrdiff_t unused = lowest - ground.low();
    const auto page = static_cast<std::ptrdiff_t>(stack_guard::size());
    if (unused < page) return;
    madvise(ground.low(), static_cast<std::size_t>(unused - unused % page),
            MADV_DONTNEED);
  });
}

}  // namespace weft
