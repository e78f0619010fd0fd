// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/greenlets.md, one after the other.
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "weft/weft.h"

namespace {

// [two]
void two() {
  weft::greenlet first;
  weft::greenlet second;
  first = weft::greenlet([&] {
    std::puts("12");
    second.switch_to();
    std::puts("34");
  });
  second = weft::greenlet([&] {
    std::puts("56");
    first.switch_to();
    std::puts("78");  // nobody comes back for this
  });
  first.switch_to();
  std::puts(first.dead() && !second.dead() ? "first has ended" : "?");
}
// [end]

// [values]
void values() {
  weft::greenlet lengths;
  const weft::greenlet main = weft::main_greenlet();
  lengths = weft::greenlet([&](weft::parcel p) {
    for (;;) {
      const auto text = p.take<std::string>();
      p = main.switch_to(text.size());
    }
  });
  for (const char* word : {"one", "three"})
    std::printf("%zu ",
                lengths.switch_to(std::string(word)).take<std::size_t>());
}
// [end]

// [several]
void several() {
  const weft::greenlet adder([](weft::parcel p) {
    const auto [a, b] = p.take<std::tuple<int, int>>();
    return std::make_unique<int>(a + b);  // what only moves may be handed over
  });
  std::printf("%d", *adder.switch_to(1, 2).take<std::unique_ptr<int>>());
}
// [end]

// [parent]
void parents() {
  const weft::greenlet fails([] { throw std::runtime_error("no luck"); });
  const weft::greenlet tries([&]() -> std::string {
    try {
      fails.switch_to();
    } catch (const std::runtime_error& e) {
      return std::string("caught: ") + e.what();
    }
    return "went well";
  });
  fails.set_parent(tries);  // it was made in main, which would get it
  std::puts(tries.switch_to().take<std::string>().c_str());
}
// [end]

// [exit]
void exits() {
  struct guard {
    ~guard() { std::puts("cleaned up"); }
  };
  const weft::greenlet main = weft::main_greenlet();
  const weft::greenlet g([&] {
    const guard here;
    main.switch_to();
  });
  g.switch_to();
  weft::parcel end = g.throw_exception();  // greenlet_exit
  std::puts(end.get_if<weft::greenlet_exit>() != nullptr ? "ended" : "?");
}
// [end]

// [drop]
void dropped() {
  struct guard {
    ~guard() { std::puts("cleaned up, too"); }
  };
  const weft::greenlet main = weft::main_greenlet();
  {
    const weft::greenlet g([&] {
      const guard here;
      main.switch_to();
    });
    g.switch_to();
  }  // the last handle: greenlet_exit is raised in it here
  std::puts("after it");
}
// [end]

// [loop]
class keyboard {
 public:
  void run(weft::greenlet program) {
    program_ = std::move(program);
    program_.switch_to();
  }
  // For whoever knows of keys: some loop that calls back.
  void key_pressed(char c) { program_.switch_to(c); }
  // For the program: waits for the next one.
  char read() { return main_.switch_to().take<char>(); }

 private:
  weft::greenlet main_ = weft::main_greenlet();
  weft::greenlet program_;
};

std::string read_line(keyboard& keys) {
  std::string line;
  for (char c = keys.read(); c != '\n'; c = keys.read()) line += c;
  return line;
}

void command_loop() {
  keyboard keys;
  keys.run(weft::greenlet([&] {
    for (;;) {
      const std::string line = read_line(keys);
      std::printf("<<< %s\n", line.c_str());
      if (line == "quit") return;
    }
  }));
  for (const char c : std::string("hello\nquit\n")) keys.key_pressed(c);
}
// [end]

// [context]
void contexts() {
  const weft::context_var<int> depth(0);
  depth.set(1);
  const auto body = [&] { return depth.get(); };
  const weft::greenlet own(body);
  const weft::greenlet copied({.context = weft::context_policy::copy}, body);
  std::printf("%d %d", own.switch_to().take<int>(),
              copied.switch_to().take<int>());
}
// [end]

// [trace]
void traced() {
  weft::greenlet g;
  weft::set_greenlet_trace([&](weft::greenlet_event event,
                               const weft::greenlet& from,
                               const weft::greenlet& to) {
    const auto name = [&](const weft::greenlet& x) {
      return x == g ? "g" : "main";
    };
    std::printf("%s from %s to %s\n",
                event == weft::greenlet_event::thrown ? "thrown" : "switched",
                name(from), name(to));
  });
  g = weft::greenlet([] { throw std::runtime_error("over"); });
  try {
    g.switch_to();
  } catch (const std::runtime_error&) {
    // It has been told.
  }
  weft::set_greenlet_trace(nullptr);
}
// [end]

// [tasklets]
void tasklets() {
  weft::scheduler scheduler;
  weft::channel<std::string> words;
  weft::spawn([&] {  // this tasklet has a tree of greenlets of its own
    const weft::greenlet main = weft::main_greenlet();
    const weft::greenlet reader([&] {
      for (const std::string& w : words) main.switch_to(w);  // may park
    });
    for (;;) {
      weft::parcel p = reader.switch_to();
      if (reader.dead()) break;
      std::printf("%s ", p.get<std::string>().c_str());
    }
  });
  for (const char* w : {"both", "wait"}) words.send(w);
  words.close();
  weft::run();
}
// [end]

}  // namespace

int main() {
  two();
  values();
  std::puts("");
  several();
  std::puts("");
  parents();
  exits();
  dropped();
  command_loop();
  contexts();
  std::puts("");
  traced();
  tasklets();
  std::puts("");
}
