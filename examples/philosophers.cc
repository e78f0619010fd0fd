// SPDX-License-Identifier: BSL-1.0
// Philosophers sit around a table, a fork between each two of them, and eat
// with two. Where all take their left fork first nobody may ever eat again:
// three ways that avoid this, and one that runs into it and says so.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "weft/examples/cli.h"
#include "weft/examples/random.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: philosophers [OPTION]...
Has philosophers dine, on a virtual clock: it takes no time.

  --philosophers N  2 to 1000 (5)
  --meals N         that each of them eats, 1 to 100000 (100)
  --by WAY          how they keep from waiting for each other in a circle:
                      order   forks have numbers: the lower one is taken first
                      lock    std::scoped_lock takes both or none
                      waiter  lets all but one philosopher take forks (order)
  --deadlock        by nothing: all take their left forks at the same time, then
                    want their right ones
  --seed N          another seed is another dinner (1)
  --help            print this

Exit status: 0 all have eaten, 1 they have not, 2 bad usage.
)";

enum class way { order, lock, waiter, none };

struct settings {
  std::size_t philosophers = 0;
  long meals = 0;
  way by = way::order;
  std::uint64_t seed = 0;
};

class dinner {
 public:
  explicit dinner(const settings& s)
      : settings_(s),
        forks_(s.philosophers),
        waiter_(static_cast<std::uint32_t>(s.philosophers - 1)),
        dice_(s.seed) {
    for (std::size_t i = 0; i != forks_.size(); ++i)
      forks_[i].set_name("fork " + std::to_string(i + 1));
  }

  // Throws deadlock_error.
  void serve() {
    weft::scope table;
    for (std::size_t i = 0; i != settings_.philosophers; ++i)
      table.spawn({.name = "philosopher " + std::to_string(i + 1)},
                  [this, i] { dine(i); });
  }

  void print() const {
    std::printf(
        "meals         %ld\nat a time     %d at most\ntook          %ld s\n",
        meals_, most_at_once_,
        static_cast<long>(weft::clock::now().time_since_epoch() /
                          std::chrono::seconds(1)));
  }

 private:
  void dine(std::size_t seat) {
    const std::size_t next = (seat + 1) % forks_.size();
    weft::mutex& left = forks_[seat];
    weft::mutex& right = forks_[next];
    for (long meal = 0; meal != settings_.meals; ++meal) {
      linger();
      switch (settings_.by) {
        case way::order:
          eat_with(&forks_[std::min(seat, next)],
                   &forks_[std::max(seat, next)]);
          break;
        case way::lock: {
          const std::scoped_lock forks(left, right);
          eat();
          break;
        }
        case way::waiter:
          waiter_.acquire();
          eat_with(&left, &right);
          waiter_.release();
          break;
        case way::none:
          eat_with(&left, &right);
      }
    }
  }

  // lock() is called here, not by std's guards, so that a report says where.
  void eat_with(weft::mutex* first, weft::mutex* second) {
    first->lock();
    const std::lock_guard one(*first, std::adopt_lock);
    linger();
    second->lock();
    const std::lock_guard other(*second, std::adopt_lock);
    eat();
  }

  void eat() {
    most_at_once_ = std::max(most_at_once_, ++at_once_);
    linger();
    --at_once_;
    ++meals_;
  }

  // For as long as it takes to think, to take a fork, to eat: by nothing, all
  // take equally long.
  void linger() {
    const bool equal = settings_.by == way::none;
    weft::sleep_for(std::chrono::seconds(equal ? 60 : 1 + dice_.below(60)));
  }

  settings settings_;
  std::deque<weft::mutex> forks_;
  weft::semaphore waiter_;
  examples::random dice_;
  int at_once_ = 0;
  int most_at_once_ = 0;
  long meals_ = 0;
};

way parse(const std::string& given) {
  if (given == "order") return way::order;
  if (given == "lock") return way::lock;
  if (given == "waiter") return way::waiter;
  cli::fail("--by takes order, lock or waiter, not '" + given + "'; try --help",
            2);
}

int dine(const settings& s) {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  dinner d(s);
  try {
    d.serve();
  } catch (const weft::deadlock_error& e) {
    std::fputs(e.what(), stdout);
    d.print();
    return 1;
  }
  d.print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const long philosophers = args.number("philosophers", 5, 2, 1000);
  const long meals = args.number("meals", 100, 1, 100'000);
  const std::string by = args.text("by", "");
  const bool deadlock = args.flag("deadlock");
  const long seed = args.number("seed", 1, 0, 1'000'000'000);
  args.no_operands();
  if (deadlock && !by.empty())
    cli::fail("--deadlock is by no way, and not by '" + by + "'", 2);
  const way how = deadlock ? way::none : parse(by.empty() ? "order" : by);
  return cli::run([&] {
    return dine({.philosophers = static_cast<std::size_t>(philosophers),
                 .meals = meals,
                 .by = how,
                 .seed = static_cast<std::uint64_t>(seed)});
  });
}
