// SPDX-License-Identifier: BSL-1.0
// boost::coroutines2, measured: generators as its pull coroutines.
#include <boost/coroutine2/coroutine.hpp>
#include <boost/coroutine2/pooled_fixedsize_stack.hpp>
#include <cstddef>
#include <utility>

#include "weft/bench/harness.h"

namespace {

using boost::coroutines2::coroutine;
using source = coroutine<long>::pull_type;
using sink = coroutine<long>::push_type;

// The pool that all stacks come from, of the size that a generator's has.
boost::coroutines2::pooled_fixedsize_stack& stacks() {
  static boost::coroutines2::pooled_fixedsize_stack pool(std::size_t{64} << 10);
  return pool;
}

template <typename F>
source generate(F&& body) {
  return source(stacks(), std::forward<F>(body));
}

// Each value of `g`; gives the nanoseconds of one.
double consume(source g, long n, const bench::stopwatch& watch) {
  long sum = 0;
  for (; g; g()) sum += g.get();
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what was yielded");
  return took / static_cast<double>(n);
}

template <int Depth>
double next(long n) {
  const bench::stopwatch watch;
  return consume(generate([n](sink& yield) {
                   for (long i = 0; i < n; ++i)
                     bench::below<Depth>([&] { yield(i); });
                 }),
                 n, watch);
}

double create(long n) {
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i)
    for (source g = generate([i](sink& yield) { yield(i); }); g; g())
      sum += g.get();
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what was yielded");
  return took / static_cast<double>(n);
}

source nest(int depth, long n) {
  return generate([depth, n](sink& yield) {
    if (depth == 0)
      for (long i = 0; i < n; ++i) yield(i);
    else
      for (source inner = nest(depth - 1, n); inner; inner())
        yield(inner.get());
  });
}

double yield_from(int depth, long n) {
  const bench::stopwatch watch;
  return consume(nest(depth, n), n, watch);
}

// A number there; nothing can come back with the control.
double switches(long n) {
  long sum = 0;
  sink there(stacks(), [&sum](source& from) {
    for (; from; from()) sum += from.get();
  });
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) there(i);
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what arrived");
  return took / static_cast<double>(n);
}

}  // namespace

int main(int argc, char** argv) {
  bench::suite all;
  all.add("generator/next", "a number from a flat coroutine; stack warm",
          [](const bench::work& w) { return next<0>(w.operations); });
  all.add("generator/create",
          "make one of one element, exhaust and end it; stack warm",
          [](const bench::work& w) { return create(w.operations); });
  all.add("generator/deep",
          "a number yielded four calls below the body; stack warm",
          [](const bench::work& w) { return next<4>(w.operations); });
  all.add("generator/yield_from",
          "a number handed on by ten coroutines; stacks warm",
          [](const bench::work& w) { return yield_from(10, w.operations); });
  all.add("greenlet/switch",
          "to another with a number, and back with none; stacks warm",
          [](const bench::work& w) { return switches(w.operations); });
  all.read(argc, argv);
  return all.run();
}
