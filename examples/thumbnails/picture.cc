// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/thumbnails/picture.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace {

constexpr unsigned long most_pixels = 64'000'000;

class reader {
 public:
  explicit reader(cli::input& in) : in_(in) {}

  picture read() {
    if (in_.get() != 'P') fail();
    const int format = in_.get();
    if (format == EOF || !std::strchr("2356", format)) fail();
    const bool coloured = format == '3' || format == '6';
    binary_ = format >= '5';

    picture p{number(), number()};
    highest_ = number();
    if (p.width == 0 || p.height == 0 || highest_ == 0 || highest_ > 65535)
      fail();
    if (p.height > most_pixels / p.width)
      in_.fail("the picture has more than 64 million pixels");
    if (binary_) in_.get();  // one blank

    // What the file only claims to have takes no memory.
    for (std::size_t left = p.width * p.height; left != 0; --left) {
      const std::uint8_t first = sample();
      if (coloured) {
        const std::uint8_t second = sample();
        p.pixels.push_back({first, second, sample()});
      } else {
        p.pixels.push_back({first, first, first});
      }
    }
    return p;
  }

 private:
  [[noreturn]] void fail() {
    in_.fail("it is no picture in one of the formats PGM and PPM");
  }
  int byte() {
    const int c = in_.get();
    if (c == EOF) in_.fail("the picture ends too early");
    return c;
  }

  // After blanks, and comments up to the ends of their lines.
  unsigned long number() {
    for (;;) {
      const int c = in_.peek();
      if (c == '#')
        while (byte() != '\n') continue;
      else if (c == ' ' || (c >= '\t' && c <= '\r'))
        in_.get();
      else
        break;
    }
    if (in_.peek() == EOF) byte();
    if (!is_digit(in_.peek())) fail();
    unsigned long value = 0;
    while (is_digit(in_.peek()))
      value = std::min(10 * value + static_cast<unsigned long>(byte() - '0'),
                       most_pixels + 1);
    return value;
  }
  static bool is_digit(int c) { return c >= '0' && c <= '9'; }

  std::uint8_t sample() {
    unsigned long value = 0;
    if (!binary_) {
      value = number();
    } else {
      value = static_cast<unsigned long>(byte());
      if (highest_ > 255) value = value << 8 | static_cast<unsigned>(byte());
    }
    if (value > highest_) in_.fail("a pixel is brighter than the brightest");
    return static_cast<std::uint8_t>((255 * value + highest_ / 2) / highest_);
  }

  cli::input& in_;
  bool binary_ = false;
  unsigned long highest_ = 0;  // white
};

// Of a part of `p` that is not empty.
pixel average(const picture& p, std::size_t left, std::size_t top,
              std::size_t right, std::size_t bottom) {
  std::size_t red = 0;
  std::size_t green = 0;
  std::size_t blue = 0;
  for (std::size_t y = top; y != bottom; ++y)
    for (std::size_t x = left; x != right; ++x) {
      red += p.at(x, y).red;
      green += p.at(x, y).green;
      blue += p.at(x, y).blue;
    }
  const std::size_t n = (right - left) * (bottom - top);
  const auto mean = [n](std::size_t sum) {
    return static_cast<std::uint8_t>((sum + n / 2) / n);
  };
  return {mean(red), mean(green), mean(blue)};
}

}  // namespace

picture read_picture(cli::input& in) { return reader(in).read(); }

void write_picture(const picture& p, const std::string& path) {
  std::string bytes = "P6\n" + std::to_string(p.width) + " " +
                      std::to_string(p.height) + "\n255\n";
  for (const pixel& each : p.pixels)
    for (const std::uint8_t part : {each.red, each.green, each.blue})
      bytes += static_cast<char>(part);
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) throw std::runtime_error(path + ": " + std::strerror(errno));
}

picture shrunk(const picture& p, std::size_t size) {
  const std::size_t longer = std::max(p.width, p.height);
  if (longer <= size) return p;
  picture small{std::max(p.width * size / longer, std::size_t{1}),
                std::max(p.height * size / longer, std::size_t{1})};
  for (std::size_t y = 0; y != small.height; ++y)
    for (std::size_t x = 0; x != small.width; ++x)
      small.pixels.push_back(average(
          p, x * p.width / small.width, y * p.height / small.height,
          (x + 1) * p.width / small.width, (y + 1) * p.height / small.height));
  return small;
}

void paste(const picture& p, picture& onto, std::size_t x, std::size_t y) {
  for (std::size_t row = 0; row != p.height; ++row)
    std::copy_n(&p.at(0, row), p.width, &onto.at(x, y + row));
}
