// SPDX-License-Identifier: BSL-1.0
// Selects between channels in each of which senders wait.
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

constexpr int crowd = 16;  // senders to a channel

// So many values by a select between all of `c`; only these are timed.
template <std::size_t... Is>
void take(std::array<weft::channel<int>, sizeof...(Is)>& c, int n, long& sum,
          std::index_sequence<Is...>) {
  const auto add = [&](std::optional<int> v) { sum += *v; };
  for (int i = 0; i != n; ++i) weft::select(c[Is].receive_case(add)...);
}

template <std::size_t Width>
double between(long n) {
  constexpr int batch = crowd / 2 * static_cast<int>(Width);
  std::array<weft::channel<int>, Width> c;
  std::vector<weft::tasklet> senders;
  for (auto& each : c)
    for (int i = 0; i != crowd; ++i)
      senders.push_back(weft::spawn([&each] {
        for (;;) each.send(1);
      }));
  long sum = 0;
  long taken = 0;
  double took = 0;
  while (taken < n) {
    weft::yield();  // all of them wait
    const bench::stopwatch watch;
    take(c, batch, sum, std::make_index_sequence<Width>());
    took += watch.ns();
    taken += batch;
  }
  bench::check(sum == taken, "the sum of a select");
  for (const weft::tasklet& each : senders) each.kill();
  return took / static_cast<double>(taken);
}

}  // namespace

void add_select_cases(bench::suite& all) {
  all.add("select/2", "an int by a select between 2, senders waiting in both",
          [](const bench::work& w) { return between<2>(w.operations); });
  all.add("select/8", "the same between 8",
          [](const bench::work& w) { return between<8>(w.operations); });
}
