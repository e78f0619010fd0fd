// SPDX-License-Identifier: BSL-1.0
// Whether two trees have the same leaves in the same order, whatever their
// shapes: the problem that coroutines are the answer to.
//
// Each tree is walked by a generator that yields from the depths of its
// recursion, one leaf when asked for one. Neither tree is ever in memory, and
// after the first difference nothing is read any more.
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/input.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: same_fringe [--files] TREE TREE
Compares the leaves of two trees from left to right, until two differ.

  --files  the trees are in files of these names; - is standard input
  --help   print this

A tree is a leaf, which is a word, or any number of trees in parentheses:
  same_fringe '((a b) c)' '(a (b c))'
What comes after the first difference is not read, be it well-formed or not.

Exit status: 0 the same leaves, 1 different ones, 2 anything else.
)";

constexpr int deepest = 10'000;
// What that takes; the stack's memory is used as far as the tree is deep.
constexpr std::size_t stack_size = std::size_t{16} << 20;

struct leaf {
  std::string word;
  cli::place at;
};

// A recursive walk, which is a tree's own way; it reads the tree as it goes.
class walk {
 public:
  walk(cli::input& in, weft::yielder<const leaf&>& yield)
      : in_(in), yield_(yield) {}

  void whole_text() {
    skip_blanks();
    tree(0);
    if (in_.peek() != EOF)
      in_.fail(in_.where(), "there is more after the tree");
  }

 private:
  void tree(int depth) {
    const cli::place at = in_.where();
    const int first = in_.peek();
    if (first == EOF || first == ')')
      in_.fail(at, "there is " + cli::quoted(first) + " where a tree begins");
    if (first != '(') return word();
    if (depth == deepest)
      in_.fail(at, "the tree is deeper than " + std::to_string(deepest));
    in_.get();
    for (skip_blanks(); in_.peek() != ')';) {
      if (in_.peek() == EOF) in_.fail(at, "this '(' has no ')'");
      tree(depth + 1);
    }
    in_.get();
    skip_blanks();
  }

  void word() {
    const cli::place at = in_.where();
    std::string word;
    while (belongs_to_word(in_.peek())) word += static_cast<char>(in_.get());
    yield_(leaf{word, at});
    skip_blanks();
  }

  static bool belongs_to_word(int c) {
    return c != EOF && c != '(' && c != ')' && std::isspace(c) == 0;
  }
  void skip_blanks() {
    while (std::isspace(in_.peek()) != 0) in_.get();
  }

  cli::input& in_;
  weft::yielder<const leaf&>& yield_;
};

// `in` outlives it.
weft::generator<const leaf&> leaves(cli::input& in) {
  return weft::generator<const leaf&>(
      weft::generator_options{.stack_size = stack_size},
      [&in](weft::yielder<const leaf&>& yield) {
        walk(in, yield).whole_text();
      });
}

std::string shown(const leaf* l, const cli::input& in) {
  if (l == nullptr) return "none in " + in.name();
  return "'" + l->word + "' in " + in.name() + ", line " +
         std::to_string(l->at.line) + ", column " +
         std::to_string(l->at.column);
}

int compare(cli::input left, cli::input right) {
  weft::generator<const leaf&> lefts = leaves(left);
  weft::generator<const leaf&> rights = leaves(right);
  for (unsigned long i = 1;; ++i) {
    const leaf* const l = lefts.next();
    const leaf* const r = rights.next();
    if (l == nullptr && r == nullptr) {
      std::printf("the same leaves: %lu\n", i - 1);
      return 0;
    }
    if (l != nullptr && r != nullptr && l->word == r->word) continue;
    std::printf("leaf %lu differs: %s; %s\n", i, shown(l, left).c_str(),
                shown(r, right).c_str());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const bool files = args.flag("files");
  const std::vector<std::string> trees = args.operands();
  if (trees.size() != 2)
    cli::fail("there are two trees to compare, not " +
                  std::to_string(trees.size()) + "; try --help",
              2);
  if (files && trees[0] == "-" && trees[1] == "-")
    cli::fail("standard input cannot hold both trees", 2);
  const auto open = [&](std::size_t which, const char* name) {
    return files ? cli::input::file(trees[which])
                 : cli::input::text(name, trees[which]);
  };
  return cli::run(
      [&] {
        return compare(open(0, "the first tree"), open(1, "the second tree"));
      },
      2);
}
