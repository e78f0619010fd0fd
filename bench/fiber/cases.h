// SPDX-License-Identifier: BSL-1.0
// The cases of Boost.Fiber, a function for each idea.
#pragma once

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "weft/bench/harness.h"

void add_yield_cases(bench::suite& all);
void add_channel_cases(bench::suite& all);
void add_spawn_cases(bench::suite& all);
void add_future_cases(bench::suite& all);
void add_sync_cases(bench::suite& all);
void add_thread_cases(bench::suite& all);
void add_skynet_cases(bench::suite& all);
void add_memory_cases(bench::suite& all);

// The pool that all stacks of a thread come from, of the size that a tasklet's
// has.
inline boost::fibers::pooled_fixedsize_stack& stacks() {
  thread_local boost::fibers::pooled_fixedsize_stack pool(std::size_t{64}
                                                          << 10);
  return pool;
}

// A fiber at the tail of the run queue.
template <typename F>
boost::fibers::fiber spawn(F&& f) {
  return boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg,
                              stacks(), std::forward<F>(f));
}
