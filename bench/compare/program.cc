// SPDX-License-Identifier: BSL-1.0
#include "weft/bench/compare/program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace compare {
namespace {

// A file in memory, which a process writes and this one reads afterwards. A
// pipe of each kind would have to be read while the process runs.
class capture {
 public:
  capture() : fd_(memfd_create("output", MFD_CLOEXEC)) {
    if (fd_ < 0)
      throw program_failed(std::string("no memory for a program's output: ") +
                           std::strerror(errno));
  }
  capture(const capture&) = delete;
  capture& operator=(const capture&) = delete;
  ~capture() { close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }

  [[nodiscard]] std::string text() const {
    std::string all;
    std::array<char, 4096> part;
    for (;;) {
      const ssize_t n =
          pread(fd_, part.data(), part.size(), static_cast<off_t>(all.size()));
      if (n <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  int fd_;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Takes what stands before `end` off the front of `text`.
std::string_view cut(std::string_view& text, char end) {
  const std::string_view head = text.substr(0, text.find(end));
  text.remove_prefix(std::min(head.size() + 1, text.size()));
  return head;
}

// Goes into JSON, SVG and file names as it is.
bool is_plain_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_/") ==
             std::string_view::npos;
}

bool is_unit(std::string_view unit) {
  return unit == "ns" || unit == "us" || unit == "ms" || unit == "B";
}

}  // namespace

program::program(std::string impl, std::string path, int processors)
    : impl_(std::move(impl)),
      path_(std::move(path)),
      processors_(std::to_string(processors)) {}

std::vector<std::string> program::list() const {
  const std::string text = output({"--list"}, "--list");
  std::vector<std::string> names;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = cut(rest, '\n');
    names.emplace_back(cut(line, '\t'));
    if (!is_plain_name(names.back()))
      throw program_failed(path_ + " lists a case that is named '" +
                           names.back() + "'");
  }
  return names;
}

result program::run(const std::string& name,
                    const std::vector<std::string>& options) const {
  std::vector<std::string> arguments = options;
  arguments.push_back(name);
  const std::string text = output(std::move(arguments), name);
  std::string_view rest = text;
  const std::string_view its_name = cut(rest, '\t');
  const std::string_view unit = cut(rest, '\t');
  const std::string_view number = cut(rest, '\n');
  double value = 0;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), value);
  if (its_name != name || !is_unit(unit) || error != std::errc{} ||
      end != number.data() + number.size() || !std::isfinite(value) ||
      value < 0 || !rest.empty())
    throw program_failed(impl_ + " printed no result for " + name + " but '" +
                         first_line(text) + "'");
  return {std::string(unit), value};
}

std::string program::output(std::vector<std::string> arguments,
                            const std::string& doing) const {
  const capture out;
  const capture err;
  setenv("GOMAXPROCS", processors_.c_str(), 1);
  arguments.insert(arguments.begin(), path_);
  std::vector<char*> argv;
  for (std::string& each : arguments) argv.push_back(each.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, path_.c_str(), &actions, nullptr,
                                argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw program_failed("cannot run " + path_ + ": " + std::strerror(error));

  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return out.text();
  std::string sentence = impl_ + " failed in " + doing + ": ";
  const std::string said = first_line(err.text());
  if (WIFSIGNALED(status))
    sentence += std::string("killed by signal ") +
                std::to_string(WTERMSIG(status)) + ", " +
                strsignal(WTERMSIG(status));
  else if (said.empty())
    sentence += "exit code " + std::to_string(WEXITSTATUS(status));
  else
    sentence += said;
  throw program_failed(sentence);
}

}  // namespace compare
