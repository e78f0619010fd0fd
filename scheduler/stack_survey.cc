// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/stack_survey.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iomanip>
#include <ostream>

#include "weft/scheduler/core.h"

namespace weft {
namespace {

constexpr unsigned char colour = 0xA5;

// What a stack needs beside the deepest frames.
constexpr std::size_t signal_frame = std::size_t{4} << 10;

// Tops are lowered by a 32nd at most.
std::size_t recommended(std::size_t deepest) {
  const std::size_t needed =
      deepest + deepest / 4 + signal_frame + stack_guard::size();
  std::size_t size = smallest_stack;
  while (size - size / 32 < needed) size *= 2;
  return size;
}

std::size_t used(stack s) noexcept {
  forget_frames(s.low(), s.top);
  const char* deepest = std::find_if(
      s.low(), s.top, [](char c) { return c != static_cast<char>(colour); });
  return static_cast<std::size_t>(s.top - deepest);
}

}  // namespace

void stack_survey::paint(stack s) noexcept {
  std::memset(s.low(), colour, static_cast<std::size_t>(s.top - s.low()));
}

void stack_survey::note(const descriptor& d) {
  const spawn_site& site = d.site;
  figures& f = figures_[{site.address, site.source.file_name(),
                         site.source.line(), d.stack_class}];
  f.site = site;
  ++f.tasklets;
  f.deepest = std::max(f.deepest, used(ground_of(d)));
}

void stack_survey::note_if_possible(const descriptor& d) noexcept {
  try {
    note(d);
  } catch (const std::bad_alloc&) {
    return;
  }
}

std::vector<stack_use> stack_survey::uses() const {
  std::vector<stack_use> result;
  result.reserve(figures_.size());
  for (const auto& [where, f] : figures_) {
    stack_use use;
    use.site = core::describe(f.site);
    use.tasklets = f.tasklets;
    use.size = stack{nullptr, where.stack_class}.size();
    use.deepest = f.deepest;
    use.recommended = recommended(f.deepest);
    result.push_back(std::move(use));
  }
  std::ranges::sort(result, std::greater{}, &stack_use::deepest);
  return result;
}

void report(std::ostream& out, const std::vector<stack_use>& uses) {
  out << "deepest  of stack  recommended  tasklets  spawned at\n";
  for (const stack_use& u : uses)
    out << std::setw(7) << u.deepest << std::setw(10) << u.size << std::setw(13)
        << u.recommended << std::setw(10) << u.tasklets << "  " << u.site
        << '\n';
}

}  // namespace weft
