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

// Who are beside each other in a table, weft first.
struct comparison {
  std::array<const char*, 3> columns;
  std::array<const char*, 2> ratios;  // what they are called
};

constexpr std::array<comparison, 2> comparisons{{
    {{"weft", "boost.fiber", "go"}, {"Fiber/weft", "Go/weft"}},
    {{"weft", "coroutine2", "c++20"}, {"coro.2/weft", "C++20/weft"}},
}};

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

bool has_column(const comparison& c, std::string_view impl) {
  return std::ranges::find(c.columns, impl) != c.columns.end();
}

bool is_column(std::string_view impl) {
  return std::ranges::any_of(comparisons, [&](const comparison& each) {
    return has_column(each, impl);
  });
}

// That in which others than weft have measured the case; else the first.
const comparison& home_of(const figures& all, std::string_view name) {
  for (const comparison& each : comparisons)
    for (const char* impl : each.columns)
      if (impl != each.columns.front() && all.find(name, impl) != nullptr)
        return each;
  return comparisons.front();
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
  std::vector<std::string> parts;
  for (const comparison& each : comparisons) {
    std::vector<line> lines{{"case"}};
    for (const char* impl : each.columns)
      lines[0].insert(lines[0].end(), {impl, ""});
    lines[0].insert(lines[0].end(), each.ratios.begin(), each.ratios.end());
    lines[0].emplace_back("unit");
    for (const std::string& name : all.names()) {
      if (&home_of(all, name) != &each) continue;
      line cells{name};
      const figure* any = nullptr;
      for (const char* impl : each.columns) {
        const figure* f = all.find(name, impl);
        if (f != nullptr) any = f;
        cells.push_back(f == nullptr ? "-" : short_number(f->median()));
        cells.push_back(f == nullptr ? "" : spread(*f));
      }
      if (any == nullptr) continue;
      const figure* ours = all.find(name, each.columns[0]);
      cells.push_back(ratio(all.find(name, each.columns[1]), ours));
      cells.push_back(ratio(all.find(name, each.columns[2]), ours));
      cells.push_back(any->unit);
      lines.push_back(cells);
    }
    if (lines.size() > 1) parts.push_back(align(lines, "lrlrlrlrrl"));
  }
  std::vector<line> others;
  for (const figure& f : all.all())
    if (!is_column(f.impl))
      others.push_back(
          {f.name, f.impl, short_number(f.median()), spread(f), f.unit});
  if (!others.empty()) parts.push_back(align(others, "llrll"));
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : "\n") + part;
  return text;
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
