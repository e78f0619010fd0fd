// SPDX-License-Identifier: BSL-1.0
// What the command line of an example needs: options with clear errors, Ctrl-C
// as a flag, and a standard output that is checked.
//
//   int main(int argc, char** argv) {
//     cli::arguments args(argc, argv);
//     args.help("Usage: npc [OPTION]...\n...");        // --help ends here
//     const long count = args.number("count", 100, 1, 1'000'000);
//     const bool quiet = args.flag("quiet");
//     args.no_operands();                              // and no option is left
//     cli::catch_interrupt();
//     while (!cli::interrupted() && ...) std::printf(...);
//     return cli::finish_stdout(cli::interrupted() ? 130 : 0);
//   }
//
// Exit codes: 0 all well, 1 something failed, 2 bad usage, 130 interrupted.
//
// Thread safety: none, but interrupted().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// The options are asked for by name, without dashes; `--name value` and
// `--name=value` are the same, the last one wins, and `--` ends the options.
// Whatever is wrong ends the program with one sentence on stderr and exit code
// 2, so ask before making a scheduler.
class arguments {
 public:
  // Takes the program's name for messages from argv[0]. Also makes a write to a
  // closed pipe an error instead of SIGPIPE, and sees to it that no file gets
  // the descriptor of a closed stdin, stdout or stderr.
  arguments(int argc, char** argv);

  // With --help: prints `text` on stdout and ends the program.
  void help(std::string_view text);

  // --name is there.
  [[nodiscard]] bool flag(std::string_view name);
  // The value of --name, or `otherwise`.
  [[nodiscard]] std::string text(std::string_view name, std::string otherwise);
  // As text(), a whole number in [least, most].
  [[nodiscard]] long number(std::string_view name, long otherwise, long least,
                            long most);

  // What is not an option, in order; `-` counts. An option that nobody has
  // asked for is an error, so these two come last.
  [[nodiscard]] std::vector<std::string> operands();
  void no_operands();

 private:
  [[nodiscard]] bool take(std::string_view name, bool has_value,
                          std::string& value);

  std::vector<std::string> options_;  // up to `--`; taken ones are removed
  std::vector<std::string> rest_;     // after it
};

// "program: sentence" on stderr, one line whatever the sentence holds.
void warn(std::string_view sentence);

// As warn(), and ends the program. Requires: not called in a tasklet.
[[noreturn]] void fail(std::string_view sentence, int code);

// From here on Ctrl-C (SIGINT) sets interrupted(), and ends a read() or poll()
// that waits with EINTR. The second Ctrl-C ends the program at once.
void catch_interrupt();
[[nodiscard]] bool interrupted() noexcept;

// Flushes and closes stdout. Gives `code`; where anything printed was lost,
// says so on stderr and gives a code that is not 0. Nothing is printed
// afterwards.
[[nodiscard]] int finish_stdout(int code);

// What main() ends with where `work`, which gives the exit code, throws what
// goes wrong: warns of that, and finishes stdout. Gives `failed` where either
// went wrong.
[[nodiscard]] int run(const std::function<int()>& work, int failed = 1);

}  // namespace cli
