// SPDX-License-Identifier: BSL-1.0
// C++20's coroutines, measured. Who makes one is never inlined, as if it stood
// in another file: otherwise a compiler may do without the coroutine.
#include <coroutine>
#include <exception>

#include "weft/bench/cpp20/generator.h"
#include "weft/bench/harness.h"

namespace {

using flat = cpp20::generator<long>;
using recursive = cpp20::recursive_generator<long>;

template <typename Generator>
double consume(Generator g, long n, const bench::stopwatch& watch) {
  long sum = 0;
  while (const long* v = g.next()) sum += *v;
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what was yielded");
  return took / static_cast<double>(n);
}

[[gnu::noinline]] flat count(long n) {
  for (long i = 0; i < n; ++i) co_yield i;
}

double next(long n) {
  const bench::stopwatch watch;
  return consume(count(n), n, watch);
}

[[gnu::noinline]] flat one(long i) { co_yield i; }

double create(long n) {
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) {
    flat g = one(i);
    while (const long* v = g.next()) sum += *v;
  }
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what was yielded");
  return took / static_cast<double>(n);
}

// Every call that may yield is a coroutine of its own.
[[gnu::noinline]] recursive below(int depth, long value) {
  if (depth == 0)
    co_yield value;
  else
    co_yield below(depth - 1, value);
}

[[gnu::noinline]] recursive count_below(int depth, long n) {
  for (long i = 0; i < n; ++i) co_yield below(depth - 1, i);
}

double deep(long n) {
  const bench::stopwatch watch;
  return consume(count_below(4, n), n, watch);
}

[[gnu::noinline]] recursive nest(int depth, long n) {
  if (depth == 0)
    for (long i = 0; i < n; ++i) co_yield i;
  else
    co_yield nest(depth - 1, n);
}

double yield_from(int depth, long n) {
  const bench::stopwatch watch;
  return consume(nest(depth, n), n, watch);
}

// NOLINTBEGIN(readability-convert-member-functions-to-static): a coroutine calls
// them through objects, which another check objects to.

// Of two coroutines, each of which goes on where the other has stopped.
class player {
 public:
  struct promise_type {
    player get_return_object() { return player(*this); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  [[nodiscard]] std::coroutine_handle<> handle() const { return *self_; }

 private:
  explicit player(promise_type& p) : self_(p) {}
  cpp20::owner<promise_type> self_;
};

struct ball {
  std::coroutine_handle<> to;
  long& lies_at;
  long value;

  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<>) {
    lies_at = value;
    return to;
  }
  long await_resume() const { return lies_at; }
};

// NOLINTEND(readability-convert-member-functions-to-static)

struct court {
  std::coroutine_handle<> players[2];
  long ball = 0;
};

[[gnu::noinline]] player serve(court& c, long n, long& sum) {
  for (long i = 0; i < n; ++i) sum += co_await ball{c.players[1], c.ball, i};
}

[[gnu::noinline]] player echo(court& c) {
  for (long i = c.ball;;) i = co_await ball{c.players[0], c.ball, i};
}

double switches(long n) {
  court c;
  long sum = 0;
  const player first = serve(c, n, sum);
  const player second = echo(c);
  c.players[0] = first.handle();
  c.players[1] = second.handle();
  const bench::stopwatch watch;
  first.handle().resume();
  const double took = watch.ns();
  bench::check(sum == n * (n - 1) / 2, "the sum of what came back");
  return took / static_cast<double>(n);
}

}  // namespace

int main(int argc, char** argv) {
  bench::suite all;
  all.add("generator/next", "a number from a flat coroutine",
          [](const bench::work& w) { return next(w.operations); });
  all.add("generator/create", "make one of one element, exhaust and end it",
          [](const bench::work& w) { return create(w.operations); });
  all.add("generator/deep",
          "a number yielded four coroutines below, made for that",
          [](const bench::work& w) { return deep(w.operations); });
  all.add("generator/yield_from",
          "a number through ten coroutines that delegate",
          [](const bench::work& w) { return yield_from(10, w.operations); });
  all.add("greenlet/switch", "to another and back, with a number",
          [](const bench::work& w) { return switches(w.operations); });
  all.read(argc, argv);
  return all.run();
}
