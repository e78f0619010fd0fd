// SPDX-License-Identifier: BSL-1.0
// A tree of tasklets, ten below each, whose leaves send up their numbers.
#include <cstddef>

#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

void add_up(weft::channel<long>& up, long first, long leaves,
            std::size_t capacity) {
  if (leaves == 1) {
    up.send(first);
    return;
  }
  weft::channel<long> below(capacity);
  const long part = leaves / 10;
  for (long i = 0; i < 10; ++i)
    weft::spawn([&below, first = first + i * part, part, capacity] {
      add_up(below, first, part, capacity);
    });
  long sum = 0;
  for (int i = 0; i < 10; ++i) sum += below.take();
  up.send(sum);
}

double skynet(long leaves, std::size_t capacity) {
  weft::channel<long> result;
  const bench::stopwatch watch;
  weft::spawn([&] { add_up(result, 0, leaves, capacity); });
  const long sum = result.take();
  weft::run();
  const double took = watch.ns();
  bench::check(sum == leaves * (leaves - 1) / 2, "the sum of skynet");
  return took / 1e6;
}

double cold(const bench::work& w, std::size_t capacity) {
  return skynet(w.crowd(1'000'000), capacity);
}

double warm(const bench::work& w, std::size_t capacity) {
  skynet(w.crowd(1'000'000), capacity);
  return skynet(w.crowd(1'000'000), capacity);
}

}  // namespace

void add_skynet_cases(bench::suite& all) {
  all.add_once("skynet_1m/unbuffered/cold", "ms",
               "a million leaves, unbuffered; the first run of its process",
               [](const bench::work& w) { return cold(w, 0); });
  all.add_once("skynet_1m/unbuffered/warm", "ms",
               "a million leaves, unbuffered; the second run, stacks warm",
               [](const bench::work& w) { return warm(w, 0); });
  all.add_once("skynet_1m/buffered/cold", "ms",
               "a million leaves, buffers of 10; the first run of its process",
               [](const bench::work& w) { return cold(w, 10); });
  all.add_once("skynet_1m/buffered/warm", "ms",
               "a million leaves, buffers of 10; the second run, stacks warm",
               [](const bench::work& w) { return warm(w, 10); });
}
