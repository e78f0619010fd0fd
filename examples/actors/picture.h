// SPDX-License-Identifier: BSL-1.0
// The robots' paths as an SVG file.
//
// Its size is bounded, 2 MB at most: of more than 300 robots only every k-th is
// drawn, and no tick after the 400th.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "weft/examples/actors/world.h"

namespace actors {

class picture {
 public:
  // Makes a temporary file beside the one that is asked for, so that what can
  // not be written is known at once. This and save() throw std::runtime_error.
  picture(std::string file, const rules& r);
  picture(const picture&) = delete;
  picture& operator=(const picture&) = delete;
  // Removes the temporary file, unless saved.
  ~picture();

  // Every path goes on to where its robot is now.
  void add(const world& w);
  // Writes it all, and puts it into place.
  void save();

 private:
  struct path {
    std::uint8_t clan = 0;
    std::vector<point> points;
  };

  void write(const path& p);
  [[noreturn]] void give_up(const std::string& why) const;

  std::string file_, temporary_;
  std::FILE* out_;
  point size_;
  std::uint64_t every_;
  std::map<std::uint64_t, path> paths_;  // by robot
};

}  // namespace actors
