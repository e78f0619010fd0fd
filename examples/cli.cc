// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/cli.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <new>
#include <utility>

namespace cli {
namespace {

std::string program = "example";

// The handler runs in whatever thread.
std::atomic<bool> interrupt_seen = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void on_interrupt(int) { interrupt_seen = true; }

[[noreturn]] void usage_error(const std::string& sentence) {
  fail(sentence + "; try --help", 2);
}

// Descriptors are given lowest first: what is closed gets one that is open the
// wrong way round, so that its use fails instead of hitting an input file.
void fill_standard_descriptors() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      static_cast<void>(
          open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

}  // namespace

arguments::arguments(int argc, char** argv) {
  fill_standard_descriptors();
  static_cast<void>(signal(SIGPIPE, SIG_IGN));
  if (argc > 0) {
    program = argv[0];
    program.erase(0, program.rfind('/') + 1);
    options_.assign(argv + 1, argv + argc);
  }
  const auto end = std::find(options_.begin(), options_.end(), "--");
  if (end == options_.end()) return;
  rest_.assign(std::next(end), options_.end());
  options_.erase(end, options_.end());
}

void arguments::help(std::string_view text) {
  if (!flag("help")) return;
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
  std::exit(finish_stdout(0));
}

bool arguments::flag(std::string_view name) {
  std::string none;
  return take(name, false, none);
}

std::string arguments::text(std::string_view name, std::string otherwise) {
  static_cast<void>(take(name, true, otherwise));
  return otherwise;
}

long arguments::number(std::string_view name, long otherwise, long least,
                       long most) {
  std::string given;
  if (!take(name, true, given)) return otherwise;
  long value = 0;
  const char* end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, value);
  if (error != std::errc{} || stop != end || value < least || value > most)
    usage_error("--" + std::string(name) + " takes a whole number from " +
                std::to_string(least) + " to " + std::to_string(most) +
                ", not '" + given + "'");
  return value;
}

std::vector<std::string> arguments::operands() {
  for (const std::string& each : options_)
    if (each.size() > 1 && each[0] == '-')
      usage_error("there is no option '" + each + "'");
  std::vector<std::string> all = std::exchange(options_, {});
  std::move(rest_.begin(), rest_.end(), std::back_inserter(all));
  rest_.clear();
  return all;
}

void arguments::no_operands() {
  const std::vector<std::string> extra = operands();
  if (!extra.empty()) usage_error("nothing is done with '" + extra[0] + "'");
}

bool arguments::take(std::string_view name, bool has_value,
                     std::string& value) {
  const std::string option = "--" + std::string(name);
  const std::string prefix = option + "=";
  bool found = false;
  for (auto at = options_.begin(); at != options_.end();) {
    const bool joined = at->starts_with(prefix);
    if (*at != option && !joined) {
      ++at;
      continue;
    }
    if (joined && !has_value) usage_error(option + " takes no value");
    auto last = at;
    if (!joined && has_value && ++last == options_.end())
      usage_error(option + " needs a value");
    if (has_value) value = joined ? at->substr(prefix.size()) : *last;
    at = options_.erase(at, std::next(last));
    found = true;
  }
  return found;
}

void warn(std::string_view sentence) {
  std::string line = program + ": " + std::string(sentence);
  // A file's name may hold anything.
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  line += '\n';
  static_cast<void>(std::fflush(stdout));
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

void fail(std::string_view sentence, int code) {
  warn(sentence);
  std::exit(code);
}

void catch_interrupt() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: EINTR
  static_cast<void>(sigaction(SIGINT, &action, nullptr));
}

bool interrupted() noexcept { return interrupt_seen; }

int finish_stdout(int code) {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  const bool failed_now = std::fflush(stdout) != 0;
  const bool failed_closing = std::fclose(stdout) != 0;
  if (!failed_before && !failed_now && !failed_closing) return code;
  std::string sentence = "cannot write to standard output";
  if (errno != 0) sentence += std::string(": ") + std::strerror(errno);
  warn(sentence);
  return code == 0 ? 1 : code;
}

int run(const std::function<int()>& work, int failed) {
  int code = failed;
  try {
    code = work();
  } catch (const std::bad_alloc&) {
    warn("out of memory");
  } catch (const std::exception& e) {
    warn(e.what());
  }
  return finish_stdout(0) == 0 ? code : failed;
}

}  // namespace cli
