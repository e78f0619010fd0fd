// SPDX-License-Identifier: BSL-1.0
// What the benchmark programs share: cases by name, the command line, a clock.
//
//   int main(int argc, char** argv) {
//     bench::suite all;
//     all.add("yield/2", "a yield between 2; stacks warm",
//             [](const bench::work& w) { ...; return nanoseconds_each; });
//     all.read(argc, argv);
//     return all.run();
//   }
//
// The protocol, which the program in Go follows, too: `PROGRAM --list` prints
// the cases, `PROGRAM CASE...` runs them in that order, and each prints
// "case<TAB>unit<TAB>value".
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "weft/examples/cli.h"

namespace bench {

class stopwatch {
 public:
  void restart() { start_ = clock::now(); }
  [[nodiscard]] double ns() const {
    return std::chrono::duration<double, std::nano>(clock::now() - start_)
        .count();
  }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
};

// How much a case is to do.
struct work {
  long operations;  // about as many
  bool smoke;       // only to see that it works: the figures mean nothing

  // How many take part where there would be `usual`.
  [[nodiscard]] long crowd(long usual) const {
    return smoke ? std::min(usual, 100L) : usual;
  }
};

// A wrong result ends the program.
inline void check(bool right, const char* otherwise) {
  if (!right) cli::fail(std::string("wrong result: ") + otherwise, 1);
}

// f() `Depth` calls below the caller. They are real ones: neither inlined nor
// made by a jump.
template <int Depth, typename F>
  requires(Depth == 0)
[[gnu::always_inline]] inline auto below(const F& f) {
  return f();
}
template <int Depth, typename F>
  requires(Depth > 0)
[[gnu::noinline]] auto below(const F& f) {
  struct after {
    ~after() { asm volatile(""); }
  };
  const after something_is_left_to_do;
  return below<Depth - 1>(f);
}

class suite {
 public:
  // A case that takes any number of operations, and gives the nanoseconds of
  // one. It runs a few times, each with enough of them; the median counts, and
  // what the first times warm up is warm.
  void add(std::string name, std::string about,
           std::function<double(const work&)> measure) {
    cases_.push_back({std::move(name), "ns", std::move(about),
                      std::move(measure), &suite::repeated});
  }

  // A case that runs once, and gives its figure.
  void add_once(std::string name, std::string unit, std::string about,
                std::function<double(const work&)> measure) {
    cases_.push_back({std::move(name), std::move(unit), std::move(about),
                      std::move(measure), &suite::once});
  }

  // The command line; ends the program if there is nothing to run.
  void read(int argc, char** argv) {
    cli::arguments args(argc, argv);
    args.help(
        "Usage: PROGRAM [--quick | --smoke] CASE...\n"
        "       PROGRAM --list\n"
        "Runs benchmark cases in the order given. Each prints its name, unit\n"
        "and figure, with tabs between.\n\n"
        "  --list   print name and description of every case\n"
        "  --quick  measure for a shorter time\n"
        "  --smoke  do next to nothing, to see that a case works\n");
    const bool list = args.flag("list");
    quick_ = args.flag("quick");
    smoke_ = args.flag("smoke");
    const std::vector<std::string> names = args.operands();
    if (list) {
      for (const bench_case& c : cases_)
        std::printf("%s\t%s\n", c.name.c_str(), c.about.c_str());
      std::exit(cli::finish_stdout(0));
    }
    if (names.empty()) cli::fail("no case is given; --list prints them", 2);
    for (const std::string& name : names) {
      const auto found =
          std::find_if(cases_.begin(), cases_.end(),
                       [&](const bench_case& c) { return c.name == name; });
      if (found == cases_.end())
        cli::fail("there is no case '" + name + "'; --list prints them", 2);
      chosen_.push_back(*found);
    }
  }

  // Runs what the command line says; gives the exit code.
  [[nodiscard]] int run() const {
    for (const bench_case& c : chosen_) {
      std::printf("%s\t%s\t%.4g\n", c.name.c_str(), c.unit.c_str(),
                  (this->*c.how)(c));
      static_cast<void>(std::fflush(stdout));
    }
    return cli::finish_stdout(0);
  }

 private:
  struct bench_case {
    std::string name;
    std::string unit;
    std::string about;
    std::function<double(const work&)> measure;
    double (suite::*how)(const bench_case&) const;
  };

  [[nodiscard]] double once(const bench_case& c) const {
    return c.measure({1, smoke_});
  }

  // Up to five batches of `batch` nanoseconds, as far as time goes.
  [[nodiscard]] double repeated(const bench_case& c) const {
    if (smoke_) return c.measure({100, true});
    const double batch = quick_ ? 5e6 : 50e6;
    long n = 1000;
    for (;;) {
      const stopwatch trial;
      c.measure({n, false});
      const double took = trial.ns();
      if (took >= batch) break;
      n = std::max(n * 2, static_cast<long>(static_cast<double>(n) *
                                            std::min(batch / took, 20.0)));
    }
    const stopwatch all;
    std::vector<double> results;
    while (results.empty() || (results.size() < 5 && all.ns() < 5 * batch))
      results.push_back(c.measure({n, false}));
    const auto middle =
        results.begin() + static_cast<std::ptrdiff_t>(results.size() / 2);
    std::nth_element(results.begin(), middle, results.end());
    return *middle;
  }

  std::vector<bench_case> cases_;
  std::vector<bench_case> chosen_;
  bool quick_ = false;
  bool smoke_ = false;
};

}  // namespace bench
