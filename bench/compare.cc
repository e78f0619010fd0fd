// SPDX-License-Identifier: BSL-1.0
// Runs benchmark programs side by side, and shows what they found.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/bench/compare/chart.h"
#include "weft/bench/compare/figures.h"
#include "weft/bench/compare/program.h"
#include "weft/bench/compare/report.h"
#include "weft/bench/harness.h"
#include "weft/examples/cli.h"

namespace {

constexpr std::string_view help_text =
    R"(Usage: compare --weft=PROGRAM [OPTION]... [CASE]...
Runs the cases of benchmark programs in turn, each in a process of its own,
round by round, and prints the median and the extremes of the rounds.

  --weft=PROGRAM, --baseline=PROGRAM, --fiber=PROGRAM, --go=PROGRAM,
  --coroutine2=PROGRAM, --cpp20=PROGRAM
                what to run, at least one; Go runs on one processor, xthread on
                two, and skynet also on two, as go-2
  --rounds=N    how many rounds, 1 to 100 (default 5; with --quick 1); a case
                of over 3 s has no more than 3
  --quick       shorter measurements, and none that takes gigabytes
  --smoke       next to no work: only shows that all cases run
  --json=FILE   also write one JSON object a line
  --svg=FOLDER  also draw charts there
  --help        print this and exit

CASE is the beginning of the names to run: `channel`, `yield/2`. Without one, all.

Exit status: 0 all measured, 1 a program failed or something was not written,
2 bad usage, 130 interrupted. In each case, what was measured is printed.
)";

// A case of one program.
struct entry {
  const compare::program* runs;
  std::string name;
  bool slow = false;
};

struct selection {
  std::vector<std::string> prefixes;  // empty: all
  bool quick;

  [[nodiscard]] bool has(const std::string& name) const {
    if (prefixes.empty())
      return !quick || !(name.starts_with("memory/") ||
                         name.starts_with("skynet_1m/unbuffered"));
    return std::ranges::any_of(prefixes, [&](const std::string& each) {
      return name.starts_with(each);
    });
  }
};

std::vector<compare::program> programs_of(cli::arguments& args) {
  std::vector<compare::program> all;
  const auto add = [&](const char* option, const char* impl, int processors) {
    const std::string path = args.text(option, "");
    if (!path.empty()) all.emplace_back(impl, path, processors);
    return path;
  };
  add("weft", "weft", 1);
  add("fiber", "boost.fiber", 1);
  const std::string go = add("go", "go", 1);
  if (!go.empty()) all.emplace_back("go-2", go, 2);
  add("coroutine2", "coroutine2", 1);
  add("cpp20", "c++20", 1);
  add("baseline", "baseline", 1);
  return all;
}

// All that is to run in a round, the same case of all programs together.
std::vector<entry> entries_of(const std::vector<compare::program>& programs,
                              const selection& chosen) {
  std::vector<entry> all;
  for (const compare::program& p : programs)
    for (const std::string& name : p.list()) {
      if (!chosen.has(name)) continue;
      if (p.impl() == "go-2" && !name.starts_with("skynet")) continue;
      auto at = all.end();
      for (auto i = all.begin(); i != all.end(); ++i)
        if (i->name == name) at = i + 1;
      all.insert(at, {&p, name});
    }
  return all;
}

void show_progress(long round, long rounds, const entry& e) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r\033[K%ld/%ld %s: %s", round, rounds, e.name.c_str(),
               e.runs->impl().c_str());
}

void erase_progress() {
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
}

// Measures until all is done, or Ctrl-C. Throws program_failed; what has been
// measured is in `found` then, too.
void measure(std::vector<entry>& entries, long rounds,
             const std::vector<std::string>& options, compare::figures& found) {
  for (long round = 1; round <= rounds; ++round)
    for (entry& e : entries) {
      if (e.slow && round > 3) continue;
      if (cli::interrupted()) return;
      show_progress(round, rounds, e);
      const bench::stopwatch watch;
      const compare::result r = e.runs->run(e.name, options);
      e.slow = e.slow || watch.ns() > 3e9;
      found.add(e.name, e.runs->impl(), r.unit, r.value);
    }
}

// A file that is open from the start on: that it cannot be written is known
// before anything is measured.
class output_file {
 public:
  explicit output_file(std::string path)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "w")) {
    if (file_ == nullptr) give_up();
  }
  void write(const std::string& text) {
    const bool written =
        std::fwrite(text.data(), 1, text.size(), file_) == text.size();
    if (std::fclose(file_) != 0 || !written) give_up();
  }

 private:
  [[noreturn]] void give_up() const {
    cli::fail("cannot write " + path_ + ": " + std::strerror(errno), 1);
  }

  std::string path_;
  std::FILE* file_;
};

void draw(const compare::figures& found, const std::string& folder) {
  for (const compare::chart& each : compare::charts(found))
    output_file(folder + "/" + each.name + ".svg").write(each.svg);
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path))
    cli::fail("cannot make the folder " + path, 1);
  if (access(path.c_str(), W_OK) != 0)
    cli::fail("cannot write in " + path + ": " + std::strerror(errno), 1);
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help_text);
  const std::vector<compare::program> programs = programs_of(args);
  const bool quick = args.flag("quick");
  std::vector<std::string> options;
  if (quick) options.emplace_back("--quick");
  if (args.flag("smoke")) options.emplace_back("--smoke");
  const long rounds = args.number("rounds", quick ? 1 : 5, 1, 100);
  const std::string json = args.text("json", "");
  const std::string svg = args.text("svg", "");
  const selection chosen{args.operands(), quick};
  if (programs.empty()) cli::fail("no program is given; try --help", 2);

  compare::figures found;
  std::optional<output_file> lines;
  int code = 0;
  try {
    std::vector<entry> entries = entries_of(programs, chosen);
    if (entries.empty()) cli::fail("no such case; --help explains CASE", 2);
    if (!json.empty()) lines.emplace(json);
    if (!svg.empty()) make_folder(svg);
    cli::catch_interrupt();
    measure(entries, rounds, options, found);
  } catch (const compare::program_failed& failure) {
    erase_progress();
    code = 1;
    if (!cli::interrupted()) cli::warn(failure.what());
  }
  erase_progress();
  if (cli::interrupted()) {
    cli::warn("interrupted");
    code = 130;
  }

  std::fputs(compare::table(found).c_str(), stdout);
  code = cli::finish_stdout(code);
  if (lines) lines->write(compare::json_lines(found));
  if (!svg.empty() && code == 0) draw(found, svg);
  return code;
}
