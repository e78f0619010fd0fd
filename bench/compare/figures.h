// SPDX-License-Identifier: BSL-1.0
// What has been measured: for each case and implementation, its samples.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compare {

struct figure {
  std::string name;  // of the case
  std::string impl;
  std::string unit;
  std::vector<double> samples;  // at least one; sorted

  [[nodiscard]] double min() const { return samples.front(); }
  [[nodiscard]] double max() const { return samples.back(); }
  [[nodiscard]] double median() const {
    const std::size_t n = samples.size();
    return (samples[(n - 1) / 2] + samples[n / 2]) / 2;
  }
};

// In the order in which they were first measured: cases stay together.
class figures {
 public:
  void add(const std::string& name, const std::string& impl,
           const std::string& unit, double sample) {
    auto at = std::find_if(all_.begin(), all_.end(), [&](const figure& each) {
      return each.name == name && each.impl == impl;
    });
    if (at == all_.end()) at = all_.insert(at, {name, impl, unit, {}});
    at->samples.insert(
        std::upper_bound(at->samples.begin(), at->samples.end(), sample),
        sample);
  }

  [[nodiscard]] const std::vector<figure>& all() const { return all_; }

  // Null: not measured.
  [[nodiscard]] const figure* find(std::string_view name,
                                   std::string_view impl) const {
    for (const figure& each : all_)
      if (each.name == name && each.impl == impl) return &each;
    return nullptr;
  }

  // Names of cases, each once.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const figure& each : all_)
      if (std::find(result.begin(), result.end(), each.name) == result.end())
        result.push_back(each.name);
    return result;
  }

 private:
  std::vector<figure> all_;
};

}  // namespace compare
