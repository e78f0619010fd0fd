// SPDX-License-Identifier: BSL-1.0
// What lies below a tasklet: a call, Boost.Context's jump, weft's own switch.
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <memory>

#include "weft/bench/harness.h"
#include "weft/tasklet/flow.h"

namespace {

constexpr std::size_t stack_size = std::size_t{64} << 10;

double calls(long n) {
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) bench::below<1>([&count] { ++count; });
  const double took = watch.ns();
  bench::check(count == n, "a call was not made");
  return took / static_cast<double>(n);
}

// Jumps to and fro; each way counts.
double jumps(long n) {
  using boost::context::detail::fcontext_t;
  using boost::context::detail::jump_fcontext;
  using boost::context::detail::transfer_t;
  const std::unique_ptr<char[]> stack(new char[stack_size]);
  fcontext_t there = boost::context::detail::make_fcontext(
      stack.get() + stack_size, stack_size, [](transfer_t t) {
        for (;;) {
          ++*static_cast<long*>(t.data);
          t = jump_fcontext(t.fctx, t.data);
        }
      });
  long count = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) there = jump_fcontext(there, &count).fctx;
  const double took = watch.ns();
  bench::check(count == n, "a jump was not made");
  return took / static_cast<double>(2 * n);
}

struct counter {
  weft::flow* main;
  long count = 0;
  long n = 0;
};

void serve(counter* c, weft::flow& self) {
  weft::flow* main = c->main;
  while (c->count < c->n) {
    ++c->count;
    weft::flow* to = main;
    weft::flow::switch_to(c, &self, to);
  }
  weft::flow::leave(c, &self, main);
}

// As jumps(), by the switch that tasklets make.
double switches(long n) {
  const std::unique_ptr<char[]> stack(new char[stack_size]);
  weft::flow main;
  weft::flow other;
  adopt(main);
  other.prepare<counter, weft::flow, serve>(stack.get(),
                                            stack.get() + stack_size);
  counter c{.main = &main, .n = n};
  const auto go = [&] {
    counter* carried = &c;
    weft::flow* to = &other;
    weft::flow::switch_to(carried, &main, to);
  };
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) go();
  const double took = watch.ns();
  go();
  other.discard();
  bench::check(c.count == n, "a switch was not made");
  return took / static_cast<double>(2 * n);
}

}  // namespace

int main(int argc, char** argv) {
  bench::suite all;
  all.add("baseline/call", "a call that is not inlined, and its return",
          [](const bench::work& w) { return calls(w.operations); });
  all.add("baseline/fcontext", "Boost.Context's jump; both stacks warm",
          [](const bench::work& w) { return jumps(w.operations); });
  all.add("baseline/inline_switch",
          "weft's switch between two flows; both stacks warm",
          [](const bench::work& w) { return switches(w.operations); });
  all.read(argc, argv);
  return all.run();
}
