// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/actors/picture.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace actors {
namespace {

constexpr std::uint64_t most_robots = 300;
constexpr std::uint64_t most_ticks = 400;

}  // namespace

picture::picture(std::string file, const rules& r)
    : file_(std::move(file)),
      temporary_(file_ + "." + std::to_string(getpid()) + ".tmp"),
      out_(nullptr),
      size_{r.width * square, r.height * square},
      every_((r.robots + most_robots - 1) / most_robots) {
  // Renaming would replace a device, too.
  std::error_code ignored;
  const auto there = std::filesystem::status(file_, ignored);
  if (std::filesystem::exists(there) &&
      !std::filesystem::is_regular_file(there))
    give_up("it is there and not a regular file");
  out_ = std::fopen(temporary_.c_str(), "wx");
  if (out_ == nullptr) give_up(std::strerror(errno));
}

picture::~picture() {
  if (out_ != nullptr) static_cast<void>(std::fclose(out_));
  if (!temporary_.empty()) static_cast<void>(unlink(temporary_.c_str()));
}

void picture::add(const world& w) {
  if (w.past().ticks > most_ticks) return;
  for (const body& b : w.bodies()) {
    if (b.id == 0 || b.id % every_ != 0) continue;
    path& p = paths_[b.id];
    p.clan = b.clan;
    p.points.push_back(b.at);
  }
}

void picture::save() {
  const int thickness = std::max(size_.x, size_.y) / 1000;
  std::fprintf(out_,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
               " fill=\"none\" stroke-width=\"%d\" stroke-linejoin=\"round\""
               " stroke-linecap=\"round\">\n"
               "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
               size_.x, size_.y, thickness);
  for (const auto& [robot, each] : paths_) write(each);
  std::fputs("</svg>\n", out_);
  const bool failed_before = std::ferror(out_) != 0;
  if (std::fclose(std::exchange(out_, nullptr)) != 0 || failed_before)
    give_up(std::strerror(errno));
  if (std::rename(temporary_.c_str(), file_.c_str()) != 0)
    give_up(std::strerror(errno));
  temporary_.clear();
}

// From the first point on in relative steps, which are short numbers.
void picture::write(const path& p) {
  static constexpr std::array<const char*, clans> colours{"#088", "#c80",
                                                          "#b0b"};
  point at = p.points.front();
  std::fprintf(out_, R"(<path stroke="%s" d="M%d %dl0 0)", colours[p.clan],
               at.x, at.y);
  for (const point& next : p.points) {
    std::fprintf(out_, " %d %d", next.x - at.x, next.y - at.y);
    at = next;
  }
  std::fputs("\"/>\n", out_);
}

void picture::give_up(const std::string& why) const {
  throw std::runtime_error("cannot write " + file_ + ": " + why);
}

}  // namespace actors
