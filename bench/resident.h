// SPDX-License-Identifier: BSL-1.0
// How much memory this process has touched.
#pragma once

#include <unistd.h>

#include <cstdio>

#include "weft/examples/cli.h"

namespace bench {

inline double resident_bytes() {
  long total = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  const bool read =
      file != nullptr && std::fscanf(file, "%ld %ld", &total, &resident) == 2;
  if (!read) cli::fail("/proc/self/statm cannot be read", 1);
  static_cast<void>(std::fclose(file));
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE));
}

}  // namespace bench
