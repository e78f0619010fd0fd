// SPDX-License-Identifier: BSL-1.0
// Pictures in memory, and in files of the portable formats PGM and PPM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weft/examples/input.h"

struct pixel {
  std::uint8_t red;
  std::uint8_t green;
  std::uint8_t blue;
};

inline constexpr pixel white{255, 255, 255};

struct picture {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<pixel> pixels{};  // row by row

  pixel& at(std::size_t x, std::size_t y) { return pixels[y * width + x]; }
  [[nodiscard]] const pixel& at(std::size_t x, std::size_t y) const {
    return pixels[y * width + x];
  }
};

// P2, P3, P5 or P6, of up to 64 million pixels. Throws std::runtime_error, as
// `in` does.
[[nodiscard]] picture read_picture(cli::input& in);

// As P6. Throws std::runtime_error, which names the file.
void write_picture(const picture& p, const std::string& path);

// A copy that is at most `size` wide and high; small ones stay as they are.
[[nodiscard]] picture shrunk(const picture& p, std::size_t size);

// Puts all of `p` there. Requires: there is room.
void paste(const picture& p, picture& onto, std::size_t x, std::size_t y);
