// SPDX-License-Identifier: BSL-1.0
// Sorts numbers by sleeping: each is a tasklet that sleeps as long as it is
// great, and says so when it wakes up.
//
// On a virtual clock that takes no time at all. The same program runs on the
// real one: the driver is all that differs.
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: sleep_sort [--real] NUMBER...
Prints the numbers in ascending order, one a line, each after as many
milliseconds: of virtual time, which passes at once.

  --real  of real time
  --help  print this

Numbers are whole, from 0 to 1000000000000.
)";

constexpr long greatest = 1'000'000'000'000;

long parse(const std::string& given) {
  long number = 0;
  const char* const end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, number);
  if (error != std::errc{} || stop != end || number < 0 || number > greatest)
    cli::fail("'" + given + "' is not a whole number from 0 to " +
                  std::to_string(greatest) + "; try --help",
              2);
  return number;
}

int sort(const std::vector<long>& numbers, weft::idle_driver* driver) {
  const weft::scheduler scheduler({.driver = driver});
  weft::channel<long> awake;
  const auto begin = weft::clock::now();
  for (const long n : numbers)
    weft::spawn([&awake, until = begin + std::chrono::milliseconds(n), n] {
      weft::sleep_until(until);
      awake.send(n);
    });
  for (std::size_t left = numbers.size(); left != 0; --left)
    if (std::printf("%ld\n", awake.take()) < 0 || std::fflush(stdout) != 0)
      break;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const bool real = args.flag("real");
  std::vector<long> numbers;
  for (const std::string& given : args.operands())
    numbers.push_back(parse(given));
  if (numbers.empty()) cli::fail("there are no numbers to sort; try --help", 2);
  weft::virtual_clock clock;
  return cli::run([&] { return sort(numbers, real ? nullptr : &clock); });
}
