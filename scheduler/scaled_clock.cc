// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/scaled_clock.h"

#include <cmath>
#include <stdexcept>

#include "weft/scheduler/saturate.h"

namespace weft {
namespace {

// Of nanoseconds; there are more of them than a double could tell apart.
using exact = std::chrono::duration<long double, std::nano>;

double checked(double rate) {
  if (!std::isfinite(rate) || rate < 0)
    throw std::invalid_argument(
        "weft: the rate of a clock is finite and not negative");
  return rate;
}

}  // namespace

scaled_clock::scaled_clock(double rate) : inner_(own_), rate_(checked(rate)) {}

scaled_clock::scaled_clock(idle_driver& inner, double rate)
    : inner_(inner), rate_(checked(rate)) {}

void scaled_clock::set_rate(double rate) {
  checked(rate);
  const auto inner = inner_.now();
  start_ = outward(inner);
  inner_start_ = inner;
  rate_ = rate;
}

idle_driver::clock::time_point scaled_clock::now() noexcept {
  return outward(inner_.now());
}

idle_driver::clock::time_point scaled_clock::outward(
    clock::time_point inner) const {
  if (inner == clock::time_point::max() && rate_ > 0) return inner;
  const exact passed = inner - inner_start_;
  return later(start_, saturate(passed * static_cast<long double>(rate_)));
}

idle_driver::clock::time_point scaled_clock::inward(
    clock::time_point outer) const {
  if (outer <= start_) return inner_start_;
  const exact left = outer - start_;
  const exact needed = left / static_cast<long double>(rate_);
  auto when = later(inner_start_, saturate(needed));
  // What was rounded down would be too early.
  while (outward(when) < outer) when = later(when, clock::duration(1));
  return when;
}

void scaled_clock::wait(std::optional<clock::time_point> deadline) noexcept {
  if (deadline && rate_ > 0)
    inner_.wait(inward(*deadline));
  else
    inner_.wait(std::nullopt);
}

}  // namespace weft
