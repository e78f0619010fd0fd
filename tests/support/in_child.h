// SPDX-License-Identifier: BSL-1.0
// Runs something that ends its process, in a child.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>

namespace weft_test {

struct ending {
  std::string said;       // on stderr
  int status = 0;         // as waitpid() gives it
  bool returned = false;  // it did not end by itself

  [[nodiscard]] bool by_signal(int signal) const {
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
  }
};

template <typename F>
ending in_child(F f) {
  constexpr int came_back = 77;
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    // Catch's handlers would report the child's end as the test's.
    for (int s : {SIGSEGV, SIGABRT}) std::signal(s, SIG_DFL);
    f();
    _exit(came_back);
  }
  close(ends[1]);
  ending e;
  std::array<char, 4096> some{};
  for (ssize_t n = 0; (n = read(ends[0], some.data(), some.size())) > 0;)
    e.said.append(some.data(), static_cast<std::size_t>(n));
  close(ends[0]);
  waitpid(child, &e.status, 0);
  e.returned = WIFEXITED(e.status) && WEXITSTATUS(e.status) == came_back;
  return e;
}

}  // namespace weft_test
