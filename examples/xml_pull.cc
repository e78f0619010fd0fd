// SPDX-License-Identifier: BSL-1.0
// A push parser turned into a pull parser. Expat calls back for each element
// from inside XML_Parse(); a generator yields from there, across Expat's own
// frames, and so the program asks for the next event when it wants one.
//
//   main: next() ---> generator: XML_Parse() ---> Expat ---> on_start()
//              <--------------------------------------------- yield
#include <expat.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/input.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: xml_pull [--first N] [FILE]
Prints the outline of an XML file, or of standard input (no FILE, or -): each
kind of element, at its place among the others, and how many there are.

  --first N  only the first N elements; the rest of the file is not read
  --help     print this

The file may be of any size: memory is taken by the outline alone.
)";

struct event {
  bool opened;  // or closed
  std::string_view name;
  cli::place at;
};

using events = weft::generator<const event&>;

class xml_parser {
 public:
  explicit xml_parser(const cli::input& in)
      : in_(in), expat_(XML_ParserCreate(nullptr)) {
    if (expat_ == nullptr) throw std::bad_alloc();
    XML_SetUserData(expat_.get(), this);
    XML_SetElementHandler(expat_.get(), on_start, on_end);
  }

  // Yields events meanwhile.
  void parse(const char* data, std::size_t size, bool last) {
    const XML_Status status =
        XML_Parse(expat_.get(), data, static_cast<int>(size), last ? 1 : 0);
    if (thrown_) std::rethrow_exception(thrown_);
    if (status == XML_STATUS_OK) return;
    in_.fail(here(), XML_ErrorString(XML_GetErrorCode(expat_.get())));
  }

 private:
  static void on_start(void* self, const char* name, const char**) {
    static_cast<xml_parser*>(self)->give(true, name);
  }
  static void on_end(void* self, const char* name) {
    static_cast<xml_parser*>(self)->give(false, name);
  }
  // What a yield throws, as it does when the generator is closed, goes around
  // Expat, which is C.
  void give(bool opened, const char* name) noexcept {
    if (thrown_) return;
    try {
      weft::yield_value<const event&>(event{opened, name, here()});
    } catch (...) {
      thrown_ = std::current_exception();
      static_cast<void>(XML_StopParser(expat_.get(), XML_FALSE));
    }
  }
  [[nodiscard]] cli::place here() const {
    return {XML_GetCurrentLineNumber(expat_.get()),
            XML_GetCurrentColumnNumber(expat_.get()) + 1};
  }

  const cli::input& in_;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>,
                  decltype([](XML_Parser p) { XML_ParserFree(p); })>
      expat_;
  std::exception_ptr thrown_;
};

events pull(cli::input& in) {
  // Expat has what it would have on main's stack; what it does not use of that
  // costs no memory.
  return events({.stack_size = std::size_t{8} << 20}, [&in] {
    xml_parser parser(in);
    std::array<char, 16 << 10> block;
    for (;;) {
      const std::size_t n = in.read(block.data(), block.size());
      parser.parse(block.data(), n, n == 0);
      if (n == 0) break;
    }
  });
}

// Elements of one name with the same parent.
struct group {
  std::string name;
  std::uint64_t count = 0;
  std::deque<group> inside{};  // in the order of their first ones
};

class outline {
 public:
  outline(events from, const cli::input& in, std::int64_t limit)
      : from_(std::move(from)), in_(in), limit_(limit) {}

  // Reads what is inside of one element, after its start, and its end.
  void add_to(group& parent, int depth = 0) {
    while (limit_ != 0) {
      const event* const e = from_.next();
      if (e == nullptr || !e->opened) return;
      if (depth == deepest)
        in_.fail(e->at,
                 "elements are nested deeper than " + std::to_string(deepest));
      if (limit_ > 0) --limit_;
      group& own = find(parent, e->name);
      ++own.count;
      add_to(own, depth + 1);
    }
  }

 private:
  static constexpr int deepest = 5000;

  static group& find(group& parent, std::string_view name) {
    for (group& g : parent.inside)
      if (g.name == name) return g;
    return parent.inside.emplace_back(group{std::string(name)});
  }

  events from_;
  const cli::input& in_;
  std::int64_t limit_;  // negative: none
};

void print(const group& g, int depth) {
  std::printf("%9ju %*s%s\n", std::uintmax_t{g.count}, 2 * depth, "",
              g.name.c_str());
  for (const group& each : g.inside) print(each, depth + 1);
}

int print_outline(const std::string& path, std::int64_t limit) {
  cli::input in = cli::input::file(path);
  group document;
  outline(pull(in), in, limit).add_to(document);
  for (const group& root : document.inside) print(root, 0);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::int64_t all = -1;
  cli::arguments args(argc, argv);
  args.help(help);
  const std::int64_t limit = args.number("first", all, 1, 1'000'000'000'000);
  const std::vector<std::string> files = args.operands();
  if (files.size() > 1)
    cli::fail("there is one file to read, not " + std::to_string(files.size()) +
                  "; try --help",
              2);
  return cli::run(
      [&] { return print_outline(files.empty() ? "-" : files[0], limit); });
}
