// SPDX-License-Identifier: BSL-1.0
// A tree of fibers, ten below each, whose leaves send up their numbers.
//
// A child starts at once, launch::dispatch: put into the queue, more of them
// would exist at a time, each with a stack.
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <cstddef>
#include <memory>

#include "weft/bench/fiber/cases.h"

namespace {

using boost::fibers::fiber;
using boost::fibers::launch;

struct unbuffered : boost::fibers::unbuffered_channel<long> {};

// The capacity is a power of two, of which one place stays empty: 15, not 10.
struct buffered : boost::fibers::buffered_channel<long> {
  buffered() : buffered_channel(16) {}
};

template <typename Channel>
void add_up(Channel& up, long first, long leaves) {
  if (leaves == 1) {
    up.push(first);
    return;
  }
  Channel below;
  const long part = leaves / 10;
  for (long i = 0; i < 10; ++i)
    fiber(launch::dispatch, std::allocator_arg, stacks(),
          [&below, first = first + i * part, part] {
            add_up(below, first, part);
          })
        .detach();
  long sum = 0;
  for (int i = 0; i < 10; ++i) sum += below.value_pop();
  up.push(sum);
}

template <typename Channel>
double skynet(long leaves) {
  Channel result;
  const bench::stopwatch watch;
  spawn([&] { add_up(result, 0, leaves); }).detach();
  const long sum = result.value_pop();
  const double took = watch.ns();
  bench::check(sum == leaves * (leaves - 1) / 2, "the sum of skynet");
  return took / 1e6;
}

template <typename Channel>
double cold(const bench::work& w) {
  return skynet<Channel>(w.crowd(1'000'000));
}

template <typename Channel>
double warm(const bench::work& w) {
  skynet<Channel>(w.crowd(1'000'000));
  return skynet<Channel>(w.crowd(1'000'000));
}

}  // namespace

void add_skynet_cases(bench::suite& all) {
  all.add_once("skynet_1m/unbuffered/cold", "ms",
               "a million leaves, unbuffered; the first run of its process",
               cold<unbuffered>);
  all.add_once("skynet_1m/unbuffered/warm", "ms",
               "a million leaves, unbuffered; the second run, stacks warm",
               warm<unbuffered>);
  all.add_once("skynet_1m/buffered/cold", "ms",
               "a million leaves, buffers of 15; the first run of its process",
               cold<buffered>);
  all.add_once("skynet_1m/buffered/warm", "ms",
               "a million leaves, buffers of 15; the second run, stacks warm",
               warm<buffered>);
}
