// SPDX-License-Identifier: BSL-1.0
// How much of their stacks tasklets have used.
//
//   weft::scheduler s{{.measure_stacks = true}};
//   ...
//   weft::report(std::cerr, s.stack_uses());
//
//   deepest of stack  recommended  tasklets  spawned at
//      2944    65536         8192      1000  npc.cc:41
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace weft {

// Of the tasklets that were spawned at one place with stacks of one size.
struct stack_use {
  std::string site;
  std::size_t tasklets = 0;  // those that have started
  std::size_t size = 0;      // of the stack, in bytes
  std::size_t deepest = 0;   // bytes used by the one that used most
  // The smallest stack with room for a quarter more, the guard page and the
  // frame of a signal handler: what to give as spawn_options::stack_size.
  std::size_t recommended = 0;
};

// A table, a line each.
void report(std::ostream& out, const std::vector<stack_use>& uses);

}  // namespace weft
