// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/npc/report.h"

#include <cinttypes>
#include <cstdio>

namespace npc {
namespace {

// The value that `percent` of all do not exceed; sorts.
template <typename T>
T percentile(std::vector<T>& all, std::size_t percent) {
  if (all.empty()) return T{};
  std::sort(all.begin(), all.end());
  return all[(all.size() - 1) * percent / 100];
}

}  // namespace

void print_report(const world& w, measurements m) {
  const world::counts& c = w.count;
  const auto& [patrols, chases, flights, talks] = c.begun;
  std::printf("frames          %ld\n", w.frames.now());
  std::printf("characters      %" PRIu64 " born, %" PRIu64 " had a turn\n",
              c.born, c.awake);
  std::printf("behaviours      %" PRIu64 " patrols, %" PRIu64
              " chases, %" PRIu64 " flights\n",
              patrols, chases, flights);
  std::printf("conversations   %" PRIu64 " sides begun, %" PRIu64
              " talks finished, %" PRIu64 " warnings\n",
              talks, c.finished_talks, c.warnings);
  std::printf("killed          %" PRIu64 " eaten, %" PRIu64 " despawned\n",
              c.eaten, c.despawned);
  std::printf("turns a frame   median %" PRIu64 ", most %" PRIu64 "\n",
              percentile(m.turns, 50), percentile(m.turns, 100));
  std::printf("left over       in %zu frames, at most %zu\n",
              m.frames_with_left_over, m.worst_left_over);
  std::printf("fairness        latest turn %ld frames late, %" PRIu64
              " second steps in a frame\n",
              w.frames.latest(), c.hurried);
  std::printf("left behind     %zu characters, %zu claims\n", w.cast().size(),
              w.claimed());
  std::printf("digest          %016" PRIx64 "\n", w.digest);

  std::fprintf(stderr,
               "run_for         median %.3f ms, 99 %% %.3f ms, worst %.3f ms\n",
               percentile(m.milliseconds, 50), percentile(m.milliseconds, 99),
               percentile(m.milliseconds, 100));
}

}  // namespace npc
