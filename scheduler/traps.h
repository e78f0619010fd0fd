// SPDX-License-Identifier: BSL-1.0
// What a tasklet forbids for the length of a scope. They nest.
//
//   {
//     weft::switch_trap none;   // two accounts, and nobody sees one without
//     from -= amount;           // the other
//     to += amount;
//   }
//
// Require: a scheduler, made and ended in the same tasklet. Making one throws
//          no_scheduler.
#pragma once

#include <cstdint>

#include "weft/tasklet/tasklet.h"

namespace weft {

// Whatever would switch to another tasklet throws switch_trap_error, and leaves
// everything as it was: to block, to yield where another is runnable, run() and
// kill() of another, a hand-over that the partner goes on with. What only makes
// others runnable goes on working; and the end of a scope or a group waits for
// tasklets that it has, whatever is trapped. (Stackless: switch_trap.)
class switch_trap {
 public:
  switch_trap();
  switch_trap(const switch_trap&) = delete;
  switch_trap& operator=(const switch_trap&) = delete;
  ~switch_trap();

 private:
  descriptor* main_;  // says whether the scheduler lives
  std::uint64_t id_;
};

// What would block this tasklet throws block_trap_error: see
// tasklet::set_block_trap().
class block_trap {
 public:
  block_trap();
  block_trap(const block_trap&) = delete;
  block_trap& operator=(const block_trap&) = delete;
  ~block_trap();

 private:
  descriptor* who_;
  std::uint64_t id_;
  bool before_;
};

// Budgets wait: a run_for(), run_n() or run_until() whose budget is spent does
// not come back at a switch away from this tasklet, and checkpoint() does not
// yield. The switches are counted. (Stackless: atomic.)
class atomic_section {
 public:
  atomic_section();
  atomic_section(const atomic_section&) = delete;
  atomic_section& operator=(const atomic_section&) = delete;
  ~atomic_section();

 private:
  descriptor* who_;
  std::uint64_t id_;
};

// Private: for whoever has to wait all the same. Made and ended by one tasklet.
class untrapped {
 public:
  untrapped();
  untrapped(const untrapped&) = delete;
  untrapped& operator=(const untrapped&) = delete;
  ~untrapped();

 private:
  bool blocking_;
  std::uint32_t switching_;
};

}  // namespace weft
