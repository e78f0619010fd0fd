// SPDX-License-Identifier: BSL-1.0
// Chameneos: creatures that go to a mall, meet one another there, and change
// colour: C. Kaiser, J.-F. Pradat-Peyre, "Chameneos, a concurrency game for
// Java, Ada and others" (2003); in the form of the Benchmarks Game, and one of
// Savina's.
//
// A meeting needs no matchmaker. Everybody at the mall is both ready to send a
// card and to receive one, in a single select, so whoever is there already
// plays the part that the next to come does not.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weft/examples/cli.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: chameneos [OPTION]...
Prints what becomes of two colours that meet. Then creatures meet, first three
of them and then ten; it prints their colours, how often each has met another,
and how often itself, and the sum of the meetings, digit by digit.

  --meetings N  up to 100000000 (600)
  --seed N      of who is met (1)
  --help        print this
)";

enum class colour : std::uint8_t { blue, red, yellow };

constexpr std::array all_colours{colour::blue, colour::red, colour::yellow};

constexpr const char* name(colour c) {
  constexpr std::array names{"blue", "red", "yellow"};
  return names[static_cast<std::size_t>(c)];
}

// Two of a kind stay so; else it is the third colour.
constexpr colour complement(colour mine, colour other) {
  if (mine == other) return mine;
  return static_cast<colour>(3 - static_cast<int>(mine) -
                             static_cast<int>(other));
}

// What a creature shows another, and where it waits for the other's.
struct card {
  std::size_t owner;
  colour shown;
  weft::channel<card>* answer;
};

class mall {
 public:
  explicit mall(long meetings) : left_(meetings) {
    if (left_ == 0) door_.close();
  }

  // Parks until somebody else comes. Nullopt: it has closed.
  std::optional<card> meet(const card& mine) {
    std::optional<card> other;
    if (door_.closed()) return other;
    weft::select(door_.send_case(mine, [&] { other = mine.answer->receive(); }),
                 door_.receive_case([&](std::optional<card> theirs) {
                   if (!theirs) return;
                   if (--left_ == 0) door_.close();
                   theirs->answer->send(mine);
                   other = theirs;
                 }));
    return other;
  }

 private:
  long left_;
  weft::channel<card> door_;
};

struct creature {
  colour shown;
  long met = 0;
  long met_itself = 0;

  void live(std::size_t number, mall& m) {
    weft::channel<card> answer;
    while (const auto other = m.meet({number, shown, &answer})) {
      ++met;
      if (other->owner == number) ++met_itself;
      shown = complement(shown, other->shown);
    }
  }
};

std::string spelled(long n) {
  constexpr std::array digits{"zero", "one", "two",   "three", "four",
                              "five", "six", "seven", "eight", "nine"};
  std::string words;
  for (const char c : std::to_string(n))
    words += std::string(" ") + digits[static_cast<std::size_t>(c - '0')];
  return words;
}

void print_changes() {
  for (const colour mine : all_colours)
    for (const colour other : all_colours)
      std::printf("%s + %s -> %s\n", name(mine), name(other),
                  name(complement(mine, other)));
}

void play(std::span<const colour> colours, long meetings) {
  mall m(meetings);
  std::deque<creature> creatures;
  {
    weft::scope lives;
    for (const colour c : colours) {
      creature& born = creatures.emplace_back(creature{.shown = c});
      lives.spawn(
          [&m, &born, number = creatures.size()] { born.live(number, m); });
    }
  }
  std::puts("");
  for (const colour c : colours) std::printf(" %s", name(c));
  std::puts("");
  long sum = 0;
  for (const creature& c : creatures) {
    std::printf("%ld%s\n", c.met, spelled(c.met_itself).c_str());
    sum += c.met;
  }
  std::printf("%s\n", spelled(sum).c_str());
}

int play(long meetings, std::uint64_t seed) {
  using enum colour;
  const weft::scheduler scheduler({.seed = seed});
  print_changes();
  play(std::array{blue, red, yellow}, meetings);
  play(std::array{blue, red, yellow, red, yellow, blue, red, yellow, red, blue},
       meetings);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const long meetings = args.number("meetings", 600, 0, 100'000'000);
  const auto seed =
      static_cast<std::uint64_t>(args.number("seed", 1, 0, 1'000'000'000));
  args.no_operands();
  return cli::run([&] { return play(meetings, seed); });
}
