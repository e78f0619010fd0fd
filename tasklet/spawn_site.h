// SPDX-License-Identifier: BSL-1.0
// Where in the source a tasklet was spawned.
#pragma once

#include <source_location>

namespace weft {

// A source location where the language can give one by a defaulted argument;
// the address of the calling code where it cannot (spawn(f, args...)).
struct spawn_site {
  std::source_location source;
  const void* address = nullptr;

  spawn_site() = default;
  // Implicit: a source location is a spawn site.
  spawn_site(std::source_location where) : source(where) {}  // NOLINT
  explicit spawn_site(const void* code) : address(code) {}
};

}  // namespace weft
