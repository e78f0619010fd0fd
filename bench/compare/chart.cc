// SPDX-License-Identifier: BSL-1.0
#include "weft/bench/compare/chart.h"

#include <algorithm>
#include <string_view>

#include "weft/bench/compare/report.h"

namespace compare {
namespace {

// In pixels of the picture.
constexpr int width = 640;
constexpr int names_end = 92;  // of the implementations, left of the bars
constexpr int longest_bar = 460;
constexpr int bar_height = 14;
constexpr int bar_step = 18;
constexpr int heading = 28;
constexpr int margin = 10;

// Mid-tones: legible on white and on black.
constexpr const char* text_colour = "#7d8590";

const char* colour_of(std::string_view impl) {
  if (impl == "weft") return "#2f81f7";
  if (impl == "boost.fiber") return "#d9822b";
  if (impl == "coroutine2") return "#c2569b";
  if (impl == "c++20") return "#9a8f2d";
  return impl == "go" ? "#2da58e" : "#8a63d2";
}

std::string tag(const std::string& name, const std::string& attributes,
                const std::string& content = "") {
  const std::string open = "<" + name + " " + attributes;
  return content.empty() ? open + "/>\n"
                         : open + ">" + content + "</" + name + ">\n";
}

std::string attribute(const std::string& name, int value) {
  return name + "=\"" + std::to_string(value) + "\" ";
}

std::string at(int x, int y) { return attribute("x", x) + attribute("y", y); }

// Appends the bars of one case below `y`, which moves.
void draw_case(const std::vector<const figure*>& bars, std::string& svg,
               int& y) {
  double most = 0;
  for (const figure* f : bars) most = std::max(most, f->median());
  y += heading;
  svg += tag("text", at(margin, y - 8) + "font-weight=\"bold\"",
             bars.front()->name);
  for (const figure* f : bars) {
    const int length =
        most > 0
            ? std::max(1, static_cast<int>(f->median() / most * longest_bar))
            : 1;
    const int base = y + bar_height - 3;
    svg +=
        tag("text", at(names_end - 6, base) + "text-anchor=\"end\"", f->impl);
    svg += tag("rect", at(names_end, y) + attribute("width", length) +
                           attribute("height", bar_height) + "fill=\"" +
                           colour_of(f->impl) + "\"");
    svg += tag("text", at(names_end + length + 6, base),
               short_number(f->median()) + " " + f->unit);
    y += bar_step;
  }
}

// "channel" of "channel/unbuffered", "spawn" of "spawn_join".
std::string group_of(const std::string& name) {
  return name.substr(0, name.find_first_of("/_"));
}

}  // namespace

std::vector<chart> charts(const figures& all) {
  struct drawing {
    std::string name;
    std::string content;
    int height = 0;
  };
  std::vector<drawing> drawings;
  for (const std::string& name : all.names()) {
    std::vector<const figure*> bars;
    for (const figure& f : all.all())
      if (f.name == name) bars.push_back(&f);
    if (bars.size() < 2) continue;
    const std::string group = group_of(name);
    auto d =
        std::find_if(drawings.begin(), drawings.end(),
                     [&](const drawing& each) { return each.name == group; });
    if (d == drawings.end()) d = drawings.insert(d, {group, "", 0});
    draw_case(bars, d->content, d->height);
  }

  std::vector<chart> result;
  for (const drawing& d : drawings)
    result.push_back(
        {d.name, R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" +
                     std::to_string(width) + " " +
                     std::to_string(d.height + margin) +
                     R"(" font-family="sans-serif" font-size="12" fill=")" +
                     text_colour + "\" role=\"img\">\n<title>" + d.name +
                     ", less is better</title>\n" + d.content + "</svg>\n"});
  return result;
}

}  // namespace compare
