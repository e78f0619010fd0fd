// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/pipeline/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "weft/weft.h"

void show_progress(const input_totals& so_far, std::uint64_t total) {
  using namespace std::chrono;
  if (isatty(STDERR_FILENO) == 0) return;
  struct line {
    ~line() { erase_progress(); }
  } erased_in_the_end;
  const auto start = steady_clock::now();
  for (;;) {
    weft::sleep_for(100ms);
    const duration<double> time = steady_clock::now() - start;
    const double mb = static_cast<double>(so_far.bytes) / 1e6;
    std::string bar;
    if (total != 0) {
      const std::uint64_t percent = std::min<std::uint64_t>(
          100, so_far.bytes / std::max<std::uint64_t>(1, total / 100));
      bar = "[" + std::string(percent / 4, '#');
      bar.resize(26, ' ');
      bar += "] " + std::to_string(percent) + " %  ";
    }
    std::fprintf(stderr, "\r%s%.1f MB  %.0f MB/s\x1b[K", bar.c_str(), mb,
                 mb / time.count());
  }
}

void erase_progress() {
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\x1b[K", stderr);
}
