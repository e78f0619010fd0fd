// SPDX-License-Identifier: BSL-1.0
// The sleeping barber: E. W. Dijkstra, "Cooperating Sequential Processes"
// (1965); one of Savina's.
//
// The waiting room is a channel with a buffer: a seat for each value, and the
// barber asleep where he waits to receive one. To look into the room and to sit
// down is one step, try_send(), so that nobody is overlooked and nobody sits on
// another's seat; there is nothing to lock.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <ratio>
#include <string_view>

#include "weft/examples/cli.h"
#include "weft/weft.h"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view help = R"(Usage: barber [OPTION]...
Runs a barber's shop for as long as customers come. Who finds no seat goes away,
and may come again.

  --customers N  that come, up to 100000 (1000)
  --seats N      of the waiting room, up to 1000000 (4)
  --gap S        seconds from a customer to the next, on average (600)
  --cut S        seconds for a haircut, on average (600)
  --again N      how often one who found no seat comes again, up to 100 (0)
  --seed N       of the times (1)
  --help         print this

The clock is virtual: the output depends on the options only.
)";

struct settings {
  long customers;
  std::size_t seats;
  std::chrono::seconds gap;
  std::chrono::seconds cut;
  long again;
  std::uint64_t seed;
};

settings parse(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  constexpr long many = 1'000'000;
  const settings given{
      .customers = args.number("customers", 1000, 0, 100'000),
      .seats = static_cast<std::size_t>(args.number("seats", 4, 0, many)),
      .gap = std::chrono::seconds(args.number("gap", 600, 1, many)),
      .cut = std::chrono::seconds(args.number("cut", 600, 1, many)),
      .again = args.number("again", 0, 0, 100),
      .seed = static_cast<std::uint64_t>(args.number("seed", 1, 0, many)),
  };
  args.no_operands();
  return given;
}

using duration = weft::clock::duration;

class shop {
 public:
  explicit shop(const settings& given)
      : given_(given), random_(given.seed), waiting_room_(given.seats) {}

  // Parks until all who come have gone.
  void open() {
    weft::scope staff;
    staff.spawn([this] { work(); });
    {
      weft::scope customers;
      for (long i = 0; i != given_.customers; ++i) {
        weft::sleep_for(about(given_.gap));
        customers.spawn([this] { visit(); });
      }
    }
    waiting_room_.close();
  }

  struct counts {
    long arrived = 0;
    long served = 0;
    long turned_away = 0;  // for good
    long full = 0;         // how often somebody found no seat
    long haircuts = 0;
    long naps = 0;
    duration asleep{0};
    duration waited{0};
    duration longest_wait{0};
    std::size_t seats_taken = 0;
  };
  counts count;

 private:
  // What the barber hears from a customer: whom to tell that the cut is done.
  struct chair {
    weft::clock::time_point since;
    weft::event* done;
  };

  void work() {
    for (;;) {
      const auto begin = weft::clock::now();
      const bool asleep = waiting_room_.size() == 0;
      const auto next = waiting_room_.receive();
      const auto now = weft::clock::now();
      if (!next) return;
      if (asleep) {
        ++count.naps;
        count.asleep += now - begin;
      }
      count.waited += now - next->since;
      count.longest_wait = std::max(count.longest_wait, now - next->since);
      weft::sleep_for(about(given_.cut));
      ++count.haircuts;
      next->done->set();
    }
  }

  void visit() {
    ++count.arrived;
    weft::event done;
    for (long left = given_.again; !sit_down(done); --left) {
      ++count.full;
      if (left == 0) {
        ++count.turned_away;
        return;
      }
      weft::sleep_for(about(given_.gap));
    }
    done.wait();
    ++count.served;
  }

  bool sit_down(weft::event& done) {
    if (waiting_room_.try_send({weft::clock::now(), &done}) !=
        weft::op_status::done)
      return false;
    count.seats_taken = std::max(count.seats_taken, waiting_room_.size());
    return true;
  }

  // In [0, 2 * average]; the same with every library.
  duration about(std::chrono::seconds average) {
    const auto most = static_cast<std::uint64_t>(2 * duration(average) / 1ms);
    return std::chrono::milliseconds(random_() % (most + 1));
  }

  settings given_;
  std::mt19937_64 random_;
  weft::channel<chair> waiting_room_;
};

double in_minutes(duration d) {
  return std::chrono::duration<double, std::ratio<60>>(d).count();
}

int play(const settings& given) {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  shop s(given);
  const auto begin = weft::clock::now();
  s.open();
  const auto took = weft::clock::now() - begin;

  const shop::counts& c = s.count;
  const double mean =
      c.served == 0 ? 0 : in_minutes(c.waited) / static_cast<double>(c.served);
  std::printf("customers   %ld arrived, %ld served, %ld turned away\n",
              c.arrived, c.served, c.turned_away);
  std::printf("full        %ld times\n", c.full);
  std::printf("seats       %zu of %zu taken at most\n", c.seats_taken,
              given.seats);
  std::printf("waiting     %.1f minutes on average, %.1f at most\n", mean,
              in_minutes(c.longest_wait));
  std::printf("barber      %ld haircuts, %ld naps, asleep for %.1f minutes\n",
              c.haircuts, c.naps, in_minutes(c.asleep));
  std::printf("closed      after %.1f minutes\n", in_minutes(took));
  if (c.served + c.turned_away == c.arrived && c.haircuts == c.served) return 0;
  cli::warn("a customer was lost");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const settings given = parse(argc, argv);
  return cli::run([&] { return play(given); });
}
