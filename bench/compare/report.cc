// SPDX-License-Identifier: BSL-1.0
#include "weft/bench/compare/report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <vector>

namespace compare {
namespace {

constexpr std::array<const char*, 3> columns{"weft", "boost.fiber", "go"};

using line = std::vector<std::string>;

// Nothing where there was one round only.
std::string spread(const figure& f) {
  if (f.samples.size() == 1) return "";
  return short_number(f.min()) + "-" + short_number(f.max());
}

// "-" where one of the two is missing.
std::string ratio(const figure* peer, const figure* ours) {
  if (peer == nullptr || ours == nullptr || ours->median() <= 0) return "-";
  return short_number(peer->median() / ours->median());
}

bool is_column(std::string_view impl) {
  return std::find(columns.begin(), columns.end(), impl) != columns.end();
}

// Every column as wide as its widest entry: `left` says which begin at the
// left.
std::string align(const std::vector<line>& lines, const std::string& left) {
  std::vector<std::size_t> widths(left.size());
  for (const line& each : lines)
    for (std::size_t i = 0; i < each.size(); ++i)
      widths[i] = std::max(widths[i], each[i].size());
  std::string text;
  for (const line& each : lines) {
    std::string row;
    for (std::size_t i = 0; i < each.size(); ++i) {
      const std::string blank(widths[i] - each[i].size(), ' ');
      if (i > 0) row += left[i] == 'l' ? " " : "  ";
      row += left[i] == 'l' ? each[i] + blank : blank + each[i];
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

}  // namespace

std::string short_number(double value) {
  std::array<char, 32> text;
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string table(const figures& all) {
  std::vector<line> lines{{"case", "weft", "", "boost.fiber", "", "go", "",
                           "Fiber/weft", "Go/weft", "unit"}};
  std::vector<line> others;
  for (const std::string& name : all.names()) {
    line cells{name};
    const figure* any = nullptr;
    for (const char* impl : columns) {
      const figure* f = all.find(name, impl);
      if (f != nullptr) any = f;
      cells.push_back(f == nullptr ? "-" : short_number(f->median()));
      cells.push_back(f == nullptr ? "" : spread(*f));
    }
    if (any == nullptr) continue;
    const figure* ours = all.find(name, columns[0]);
    cells.push_back(ratio(all.find(name, columns[1]), ours));
    cells.push_back(ratio(all.find(name, columns[2]), ours));
    cells.push_back(any->unit);
    lines.push_back(cells);
  }
  for (const figure& f : all.all())
    if (!is_column(f.impl))
      others.push_back(
          {f.name, f.impl, short_number(f.median()), spread(f), f.unit});
  std::string text = lines.size() > 1 ? align(lines, "lrlrlrlrrl") : "";
  if (!text.empty() && !others.empty()) text += "\n";
  return text + align(others, "llrll");
}

std::string json_lines(const figures& all) {
  std::string text;
  for (const figure& f : all.all()) {
    std::array<char, 128> numbers;
    std::snprintf(numbers.data(), numbers.size(),
                  R"("median":%.6g,"min":%.6g,"max":%.6g)", f.median(), f.min(),
                  f.max());
    text += R"({"case":")" + f.name + R"(","impl":")" + f.impl +
            R"(","unit":")" + f.unit + "\"," + numbers.data() + "}\n";
  }
  return text;
}

}  // namespace compare
