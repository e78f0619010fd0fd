// SPDX-License-Identifier: BSL-1.0
// A queue with several servers, as a simulation of discrete events, beside what
// Erlang's theory says of it.
//
// A customer is a tasklet, the servers are the permits of a semaphore, and time
// is that of a virtual clock, which jumps from one event to the next. Such a
// queue is called M/M/c: arrivals at random times, service that takes
// exponentially distributed times, c servers, first come, first served.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/random.h"
#include "weft/weft.h"

namespace {

using seconds = std::chrono::duration<double>;

constexpr std::string_view help = R"(Usage: mmc [OPTION]...
Simulates a queue and compares how long its customers wait with theory.

  --arrivals N   customers that come in an hour, 10 to 100000 (90)
  --rate N       customers that a server could serve in an hour, the same (40)
  --servers N    1 to 1000 (3)
  --customers N  to watch, 1000 to 10000000 (1000000); a tenth as many come
                 before, so that the queue has its usual length
  --within N     the error that is allowed, in percent, 1 to 100 (5)
  --seed N       another seed is another history (1)
  --help         print this

Exit status: 0 the mean wait is as in theory, 1 it is not, 2 bad usage.
)";

struct settings {
  double arrivals = 0;  // a second
  double rate = 0;      // a second and server
  std::uint32_t servers = 0;
  long customers = 0;
  double within = 0;
  std::uint64_t seed = 0;
};

// Of a customer in a queue that has been open for long.
struct expectation {
  double waits = 0;  // how probably at all
  double mean = 0;   // in seconds
};

// Erlang's formula C, from his formula B: that is a recursion over the number
// of servers, whose steps lie between 0 and 1.
expectation theory(const settings& s) {
  const double load = s.arrivals / s.rate;
  double lost = 1;
  for (std::uint32_t k = 1; k <= s.servers; ++k)
    lost = load * lost / (k + load * lost);
  const double waits = lost / (1 - load / s.servers * (1 - lost));
  return {waits, waits / (s.servers * s.rate - s.arrivals)};
}

// Waits in the order of arrival. Those that lie close together are alike, so
// that the error of their mean is estimated from means of batches, which are
// too long to bear on each other.
class statistics {
 public:
  explicit statistics(long customers)
      : batch_((customers + batches - 1) / batches) {}

  void arrive(long number, seconds wait) {
    auto& [sum, count] = sums_[static_cast<std::size_t>(number / batch_)];
    sum += wait.count();
    ++count;
    if (wait.count() > 0) ++waited_;
  }

  [[nodiscard]] expectation observed() const {
    double sum = 0;
    long count = 0;
    for (const auto& [s, n] : sums_) {
      sum += s;
      count += n;
    }
    return {static_cast<double>(waited_) / static_cast<double>(count),
            sum / static_cast<double>(count)};
  }
  [[nodiscard]] double standard_error() const {
    const double mean = observed().mean;
    double squares = 0;
    for (const auto& [sum, count] : sums_)
      squares += std::pow(sum / static_cast<double>(count) - mean, 2);
    return std::sqrt(squares / (batches - 1) / batches);
  }

 private:
  static constexpr long batches = 40;
  long batch_;
  long waited_ = 0;
  std::vector<std::pair<double, long>> sums_{batches};
};

class queue {
 public:
  explicit queue(const settings& s)
      : settings_(s),
        servers_(s.servers),
        waits_(s.customers),
        gaps_(examples::mix(2 * s.seed)),
        services_(examples::mix(2 * s.seed + 1)) {}

  // Until the last customer has left.
  void simulate() {
    for (long n = -settings_.customers / 10; n < settings_.customers; ++n) {
      weft::sleep_for(exponential(gaps_, settings_.arrivals));
      weft::spawn([this, n] { serve(n); });
    }
    weft::run();
  }
  [[nodiscard]] const statistics& waits() const { return waits_; }

 private:
  void serve(long number) {
    const auto arrived = weft::clock::now();
    servers_.acquire();
    if (number >= 0) waits_.arrive(number, weft::clock::now() - arrived);
    weft::sleep_for(exponential(services_, settings_.rate));
    servers_.release();
  }

  static std::chrono::nanoseconds exponential(examples::random& dice,
                                              double rate) {
    return std::chrono::round<std::chrono::nanoseconds>(
        seconds(-std::log(dice.fraction()) / rate));
  }

  settings settings_;
  weft::semaphore servers_;
  statistics waits_;
  examples::random gaps_;
  examples::random services_;
};

int compare(const settings& s) {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  queue q(s);
  q.simulate();

  const expectation expected = theory(s);
  const expectation observed = q.waits().observed();
  const auto percent_of_mean = [&](double x) {
    return 100 * x / expected.mean;
  };
  const double error = percent_of_mean(observed.mean - expected.mean);
  std::printf(
      "servers         %u\n"
      "load            %.1f %%\n"
      "customers       %ld\n"
      "have to wait    %.2f %%, in theory %.2f %%\n"
      "mean wait       %.3f s, in theory %.3f s\n"
      "error           %.2f %%\n"
      "standard error  %.2f %%\n",
      s.servers, 100 * s.arrivals / s.rate / s.servers, s.customers,
      100 * observed.waits, 100 * expected.waits, observed.mean, expected.mean,
      error, percent_of_mean(q.waits().standard_error()));
  if (std::abs(error) <= s.within) return 0;
  cli::warn("the mean wait is not within " +
            std::to_string(static_cast<int>(s.within)) + " % of theory");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr double hour = 3600;
  cli::arguments args(argc, argv);
  args.help(help);
  const long arrivals = args.number("arrivals", 90, 10, 100'000);
  const long rate = args.number("rate", 40, 10, 100'000);
  const long servers = args.number("servers", 3, 1, 1000);
  const long customers = args.number("customers", 1'000'000, 1000, 10'000'000);
  const long within = args.number("within", 5, 1, 100);
  const long seed = args.number("seed", 1, 0, 1'000'000'000);
  args.no_operands();
  if (arrivals >= servers * rate)
    cli::fail(
        "more customers come than can be served: the queue would grow "
        "for ever",
        2);
  return cli::run([&] {
    return compare({.arrivals = static_cast<double>(arrivals) / hour,
                    .rate = static_cast<double>(rate) / hour,
                    .servers = static_cast<std::uint32_t>(servers),
                    .customers = customers,
                    .within = static_cast<double>(within),
                    .seed = static_cast<std::uint64_t>(seed)});
  });
}
