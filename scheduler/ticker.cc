// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/ticker.h"

#include <algorithm>
#include <stdexcept>

#include "weft/scheduler/yield.h"

namespace weft {

ticker::ticker(long double span, long double ticks)
    : span_(span), ticks_(ticks) {
  // The second is true of no number, too.
  if (!(ticks > 0) || !(span >= ticks))
    throw std::invalid_argument(
        "weft: a tick takes a positive time, and a nanosecond at least");
}

ticker at_rate(double hz) { return {1e9L, hz}; }

ticker::iterator::iterator(const ticker& t)
    : span_(t.span_), ticks_(t.ticks_), start_(clock::now()) {
  tick_.time = start_;
}

ticker::iterator& ticker::iterator::operator++() {
  const std::uint64_t next = tick_.number + 1;
  sleep_until(time_of(next));
  const clock::time_point now = clock::now();
  tick_.number = std::max(next, latest(now));
  tick_.missed = tick_.number - next;
  tick_.time = time_of(tick_.number);
  tick_.late = now - tick_.time;
  return *this;
}

clock::time_point ticker::iterator::time_of(std::uint64_t number) const {
  using exact = std::chrono::duration<long double, std::nano>;
  return later(start_, saturate(exact(static_cast<long double>(number) * span_ /
                                      ticks_)));
}

std::uint64_t ticker::iterator::latest(clock::time_point now) const {
  if (now == clock::time_point::max()) return 0;  // All later ones are then.
  const auto passed = static_cast<long double>((now - start_).count());
  auto number = static_cast<std::uint64_t>(passed * ticks_ / span_);
  // It was rounded.
  while (time_of(number) > now) --number;
  while (time_of(number + 1) <= now) ++number;
  return number;
}

}  // namespace weft
