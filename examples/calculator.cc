// SPDX-License-Identifier: BSL-1.0
// A calculator of three generators, each of which pulls from the one before:
//
//   characters ---> tokens ---> steps ---> results ---> main
//            tokenizer     parser    evaluator
//
// Nobody stores what another has made, so a file may be of any length, and a
// line that is typed is answered at once. An error in any stage comes out of
// main's own loop.
//
// calculator/steps.h has the grammar, loan.txt an example.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/calculator/results.h"
#include "weft/examples/calculator/steps.h"
#include "weft/examples/calculator/tokens.h"
#include "weft/examples/cli.h"
#include "weft/examples/input.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: calculator [FILE]
Prints the results of arithmetic expressions, one a line, from a file or
standard input (no FILE, or -).

  --help  print this

  rate = 3.5 / 100    # names what it prints
  1000 * (1 + rate) ^ 10

There are + - * / % (remainder) ^ (power) and parentheses. The first error ends
it, with its line and column.
)";

int calculate(const std::string& path) {
  cli::input in = cli::input::file(path);
  namespace calc = calculator;
  // A program that asks through pipes gets its answers at once, too.
  static_cast<void>(std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ));
  for (const calc::result& r :
       calc::results(calc::steps(calc::tokens(in), in), in)) {
    if (!r.name.empty()) std::printf("%s = ", r.name.c_str());
    if (std::printf("%.12g\n", r.value) < 0) break;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const std::vector<std::string> files = args.operands();
  if (files.size() > 1)
    cli::fail("there is one file to read, not " + std::to_string(files.size()) +
                  "; try --help",
              2);
  return cli::run([&] { return calculate(files.empty() ? "-" : files[0]); });
}
