// SPDX-License-Identifier: BSL-1.0
// A program that reads its commands character by character, in plain loops, and
// yet gets the characters from an event loop that calls back.
//
//   main greenlet                          the program's greenlet
//   event_loop::run()
//     on_key('q') ---- switch_to('q') ---> next_char() returns 'q', ...
//     on_key returns <-- switch_to(what) - next_char() wants the next one
//
// (After the user interface example in the documentation of Python's greenlet.)
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "weft/examples/cli.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: command_loop
Reads commands from standard input, one a line, and says what it would do. The
command quit asks whether you are sure; y means yes. So does the end of input
where a command would begin.

  --help  print this

Exit status: 0 quit, 1 the input ended elsewhere or failed, 2 bad usage.
)";

// As a graphical toolkit has one: it wants to be in charge, and who wants to
// know something hands it a callback.
class event_loop {
 public:
  std::function<void(char)> on_key;
  std::function<void()> on_end;  // no key will come any more

  void run() {
    running_ = true;
    while (running_) {
      pollfd keyboard = {STDIN_FILENO, POLLIN, 0};
      static_cast<void>(std::fflush(stdout));
      static_cast<void>(poll(&keyboard, 1, -1));
      char keys[4096];
      const ssize_t n = read(STDIN_FILENO, keys, sizeof keys);
      if (n < 0 && errno != EINTR && errno != EAGAIN)
        throw std::runtime_error(std::string("standard input: ") +
                                 std::strerror(errno));
      if (n == 0) on_end();
      for (ssize_t i = 0; i < n && running_; ++i) on_key(keys[i]);
    }
  }
  void stop() { running_ = false; }

 private:
  bool running_ = false;
};

// The program. It knows of no events: it calls next_char() where it needs one.
class command_loop {
 public:
  // The event loop is in charge in that greenlet.
  explicit command_loop(weft::greenlet events) : events_(std::move(events)) {}

  void operator()() {
    for (;;) {
      const std::string line = next_line();
      if (line.empty()) continue;
      echo(line);
      if (line != "quit") {
        print("(Processing command: " + line + ")");
      } else {
        print("Are you sure?");
        const std::string answer(1, next_char("an answer"));
        echo(answer);
        if (answer == "y") break;
      }
    }
    print("(Exiting loop.)");
  }

 private:
  std::string next_line() {
    std::string line;
    for (;;) {
      const char c = next_char(line.empty() ? "a command" : "a whole command");
      if (c == '\n') return line;
      line += c;
    }
  }

  // Tells the event loop what is waited for, and gets a character or an
  // exception.
  char next_char(const char* wanted) {
    return events_.switch_to(wanted).take<char>();
  }

  static void echo(const std::string& text) { print("    <<< " + text); }
  static void print(const std::string& line) {
    static_cast<void>(std::fwrite(line.data(), 1, line.size(), stdout));
    static_cast<void>(std::putchar('\n'));
  }

  weft::greenlet events_;
};

int read_commands() {
  event_loop events;
  const weft::greenlet program{command_loop(weft::current_greenlet())};
  // Lets it run to its first next_char().
  weft::parcel wanted = program.switch_to();

  events.on_key = [&](char key) {
    wanted = program.switch_to(key);
    if (program.dead()) events.stop();
  };
  events.on_end = [&] {
    const std::string_view what = wanted.get<const char*>();
    events.stop();
    if (what == "a command") return;
    // Comes out of next_char(), then out of the program, which does not catch
    // it, and so out of here.
    program.throw_exception(std::make_exception_ptr(std::runtime_error(
        "the input ended where " + std::string(what) + " was expected")));
  };
  events.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  args.no_operands();
  return cli::run(read_commands);
}
