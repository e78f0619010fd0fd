// SPDX-License-Identifier: BSL-1.0
// Values that a generator yields, and greenlets that hand each other one.
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

using numbers = weft::generator<long>;
using yielder = weft::yielder<long>;

// Each value of `g`; gives the nanoseconds of one.
double consume(numbers g, long n, const bench::stopwatch& watch) {
  long sum = 0;
  while (const long* v = g.next()) sum += *v;
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what was yielded");
  return took / static_cast<double>(n);
}

template <int Depth>
double next(long n) {
  const bench::stopwatch watch;
  return consume(numbers([n](yielder& yield) {
                   for (long i = 0; i < n; ++i)
                     bench::below<Depth>([&] { yield(i); });
                 }),
                 n, watch);
}

double create(long n) {
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) {
    numbers g([i](yielder& yield) { yield(i); });
    while (const long* v = g.next()) sum += *v;
  }
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what was yielded");
  return took / static_cast<double>(n);
}

numbers nest(int depth, long n) {
  return numbers([depth, n](yielder& yield) {
    if (depth == 0)
      for (long i = 0; i < n; ++i) yield(i);
    else
      yield.from(nest(depth - 1, n));
  });
}

double yield_from(int depth, long n) {
  const bench::stopwatch watch;
  return consume(nest(depth, n), n, watch);
}

// To and fro, with a number each way.
double switches(long n) {
  const weft::greenlet main = weft::main_greenlet();
  const weft::greenlet echo([&main](weft::parcel p) {
    for (;;) p = main.switch_to(p.take<long>());
  });
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) sum += echo.switch_to(i).take<long>();
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what came back");
  return took / static_cast<double>(n);
}

}  // namespace

void add_generator_cases(bench::suite& all) {
  all.add("generator/next", "a number from a flat generator; stack warm",
          [](const bench::work& w) { return next<0>(w.operations); });
  all.add("generator/create",
          "make one of one element, exhaust and end it; stack warm",
          [](const bench::work& w) { return create(w.operations); });
  all.add("generator/deep",
          "a number yielded four calls below the body; stack warm",
          [](const bench::work& w) { return next<4>(w.operations); });
  all.add("generator/yield_from",
          "a number through ten generators that delegate; stacks warm",
          [](const bench::work& w) { return yield_from(10, w.operations); });
  all.add("greenlet/switch", "to another and back, with a number; stacks warm",
          [](const bench::work& w) { return switches(w.operations); });
}
