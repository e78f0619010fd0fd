// SPDX-License-Identifier: BSL-1.0
// Figures as pictures.
#pragma once

#include <string>
#include <vector>

#include "weft/bench/compare/figures.h"

namespace compare {

struct chart {
  std::string name;  // "channel", of channel/...
  std::string svg;
};

// A chart for each group of cases that two implementations have at least. Every
// case has a scale of its own, from zero: its longest bar is as long as that
// of any other.
std::vector<chart> charts(const figures& all);

}  // namespace compare
