// SPDX-License-Identifier: BSL-1.0
// Permutations by a recursive generator; and those of two words side by side,
// which takes two recursions that run in turns.
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: permutations [--first N] WORD [WORD]
Prints the permutations of a word's letters, one a line; of two words, pairs of
them, as long as both have more.

  --first N  only that many
  --help     print this

They come in the order of the letters in the word: that of the alphabet, if
those are. Words are of 1 to 64 ASCII characters.
)";

constexpr std::size_t longest = 64;

using words = weft::generator<const std::string&>;

// Those that begin with `begin` and have the letters of `rest` after that. Each
// permutation goes from the innermost generator directly to the consumer,
// however many wait around that one.
words permutations(const std::string& begin, const std::string& rest) {
  return words([begin, rest](weft::yielder<const std::string&>& yield) {
    if (rest.empty()) yield(begin);
    for (std::size_t i = 0; i != rest.size(); ++i) {
      std::string others = rest;
      others.erase(i, 1);
      yield.from(permutations(begin + rest[i], others));
    }
  });
}

int print_all(const std::string& word, long count) {
  words all = permutations("", word);
  for (long i = 0; i != count; ++i) {
    const std::string* const p = all.next();
    if (p == nullptr || std::puts(p->c_str()) == EOF) break;
  }
  return 0;
}

int print_pairs(const std::string& left, const std::string& right, long count) {
  words lefts = permutations("", left);
  words rights = permutations("", right);
  for (long i = 0; i != count; ++i) {
    const std::string* const l = lefts.next();
    const std::string* const r = rights.next();
    if (l == nullptr || r == nullptr) break;
    if (std::printf("%s %s\n", l->c_str(), r->c_str()) < 0) break;
  }
  return 0;
}

void check(const std::string& word) {
  if (word.empty() || word.size() > longest)
    cli::fail("'" + word + "' is not of 1 to " + std::to_string(longest) +
                  " characters; try --help",
              2);
  for (const char c : word)
    if (static_cast<unsigned char>(c) > 127)
      cli::fail("'" + word + "' has characters that are not ASCII", 2);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr long all = -1;
  cli::arguments args(argc, argv);
  args.help(help);
  const long count = args.number("first", all, 0, 1'000'000'000'000);
  const std::vector<std::string> given = args.operands();
  if (given.empty() || given.size() > 2)
    cli::fail("there are permutations of one word or two, not " +
                  std::to_string(given.size()) + "; try --help",
              2);
  for (const std::string& word : given) check(word);
  return cli::run([&] {
    return given.size() == 1 ? print_all(given[0], count)
                             : print_pairs(given[0], given[1], count);
  });
}
