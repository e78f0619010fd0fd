// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/generators.md, one after the other.
#include <cstdio>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "weft/weft.h"

namespace {

// [countdown]
void countdown() {
  weft::generator<int> numbers([](weft::yielder<int>& yield) {
    for (int i = 3; i != 0; --i) yield(i);
  });
  for (int i : numbers) std::printf("%d ", i);
}
// [end]

// [next]
void by_hand() {
  weft::generator<std::string> words([](weft::yielder<std::string>& yield) {
    std::puts("(begun)");
    yield("one");
    yield("two");
  });
  while (std::string* word = words.next()) {
    std::string mine = std::move(*word);  // it is ours until the body goes on
    std::printf("%s\n", mine.c_str());
  }
}
// [end]

// [deep]
struct tree {
  int value;
  std::vector<tree> below;
};

void walk(const tree& t, weft::yielder<const int&>& yield) {
  yield(t.value);
  for (const tree& each : t.below) walk(each, yield);
}

void in_order(const tree& t) {
  weft::generator<const int&> values(
      [&](weft::yielder<const int&>& yield) { walk(t, yield); });
  for (const int& v : values) std::printf("%d ", v);
}
// [end]

// [anywhere]
void say(const char* word) { weft::yield_value<std::string>(word); }

void speech() {
  weft::generator<std::string> words([] {
    say("to");
    say("be");
  });
  for (const std::string& w : words) std::printf("%s ", w.c_str());
}
// [end]

// [delegate]
weft::generator<int> up_to(int n) {
  return weft::generator<int>([n](weft::yielder<int>& yield) {
    if (n > 1) yield.from(up_to(n - 1));
    yield(n);
  });
}

void delegation() {
  for (int i : up_to(4)) std::printf("%d ", i);
}
// [end]

// [send]
void average() {
  weft::generator<double, double> mean([](auto& yield) {
    double sum = 0;
    for (int n = 0;; ++n) {
      const std::optional<double> more = yield(n == 0 ? 0 : sum / n);
      sum += more.value();
    }
  });
  mean.next();  // to the first yield, which waits for a number
  for (double x : {10., 20., 60.}) std::printf("%g ", *mean.send(x));
}
// [end]

// [result]
void result() {
  using lines = weft::generator<std::string, void, int>;
  lines text([](weft::yielder<std::string>& yield) {
    yield("a line");
    yield("another");
    return 2;  // how many there were
  });
  for (const std::string& line : text) std::printf("%s, ", line.c_str());
  std::printf("%d of them", text.result());
}
// [end]

// [consumer]
void consuming() {
  weft::consumer<std::string> log(
      [n = 0](weft::yielder<void, std::string>& line) mutable {
        while (const auto text = line())
          std::printf("%d: %s\n", ++n, text->c_str());
      });
  log.send("hello");
  log.send("goodbye");
}
// [end]

// [close]
void ending() {
  struct file {
    ~file() { std::puts("closed"); }
  };
  weft::generator<int> g([](weft::yielder<int>& yield) {
    const file open;
    for (int i = 0;; ++i) yield(i);
  });
  g.next();
  g.close();  // raises generator_exit out of the yield
  std::puts(g.next() == nullptr ? "no more" : "more");
}
// [end]

// [ranges]
void squares() {
  weft::generator<int> naturals([](weft::yielder<int>& yield) {
    for (int i = 1;; ++i) yield(i);
  });
  for (int i : naturals | std::views::transform([](int i) { return i * i; }) |
                   std::views::take_while([](int i) { return i < 50; }))
    std::printf("%d ", i);
}
// [end]

// [channel]
void blocking() {
  weft::scheduler scheduler;
  weft::channel<int> input;
  weft::spawn([&] {
    for (int i = 1; i <= 3; ++i) input.send(i);
    input.close();
  });
  weft::generator<int> doubled([&](weft::yielder<int>& yield) {
    for (int i : input) yield(2 * i);  // parks the tasklet that waits for it
  });
  for (int i : doubled) std::printf("%d ", i);
}
// [end]

}  // namespace

int main() {
  const tree family{1, {{2, {{3, {}}, {4, {}}}}, {5, {}}}};
  countdown();
  std::puts("");
  by_hand();
  in_order(family);
  std::puts("");
  speech();
  std::puts("");
  delegation();
  std::puts("");
  average();
  std::puts("");
  result();
  std::puts("");
  consuming();
  ending();
  squares();
  std::puts("");
  blocking();
  std::puts("");
}
