// SPDX-License-Identifier: BSL-1.0
// How far the reader has come, on stderr, where stderr is a terminal.
//
//   weft::tasklet bar = weft::spawn(show_progress, std::cref(so_far), total);
//   ...
//   bar.kill();  // and the line is empty again
#pragma once

#include <cstdint>

#include "weft/examples/pipeline/text_reader.h"

// Draws until it is killed. `total`: bytes expected, 0 when nobody knows.
void show_progress(const input_totals& so_far, std::uint64_t total);

// Before something else is written to stderr.
void erase_progress();
