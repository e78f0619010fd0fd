// SPDX-License-Identifier: BSL-1.0
// The third stage: steps are taken, and each line's result comes out.
#pragma once

#include <string>

#include "weft/examples/calculator/steps.h"
#include "weft/examples/input.h"
#include "weft/weft.h"

namespace calculator {

struct result {
  std::string name;  // what it was assigned to; empty: to nothing
  double value;
};

// `in` is where the steps come from, for errors; it outlives this.
[[nodiscard]] weft::generator<const result&> results(
    weft::generator<const step&> steps, const cli::input& in);

}  // namespace calculator
