// SPDX-License-Identifier: BSL-1.0
// Figures as text: a table to read, and lines for programs.
#pragma once

#include <string>

#include "weft/bench/compare/figures.h"

namespace compare {

// About three digits: "7.46", "55.9", "1093".
std::string short_number(double value);

// A line a case with weft and its peers side by side, each as "median
// min-max"; below it, a line each for whatever else was measured.
std::string table(const figures& all);

// {"case", "impl", "unit", "median", "min", "max"}, one object a line.
std::string json_lines(const figures& all);

}  // namespace compare
