// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/structure.md, one after the other.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [scope]
void all_or_nothing() {
  struct connection {
    ~connection() { std::puts("(closed)"); }
  };
  try {
    weft::scope all;
    all.spawn([] {
      const connection c;
      weft::sleep_for(1h);
    });
    all.spawn([] {
      weft::yield();
      throw std::runtime_error("no such host");
    });
  } catch (const std::runtime_error& e) {
    std::printf("failed: %s\n", e.what());
  }
}
// [end]

// [timeout]
void impatient() {
  weft::channel<std::string> answers;
  const weft::timeout limit(10ms);
  try {
    answers.receive();  // nobody sends
  } catch (const weft::timed_out& e) {
    if (!e.by(limit)) throw;
    std::puts("no answer");
  }
}

void bounded() {
  weft::channel<int> answers;
  const auto answer =
      weft::with_timeout(10ms, [&] { return answers.receive(); });
  std::puts(answer ? "an answer" : "none here either");
}
// [end]

// [deadline]
void late() {
  std::vector<weft::tasklet> parts;
  {
    const weft::deadline limit(10ms);
    for (const char* name : {"left", "right"})
      parts.push_back(weft::spawn([name] {
        try {
          weft::sleep_for(1h);
        } catch (const weft::timed_out&) {
          std::printf("%s is late\n", name);
        }
      }));
  }
  for (const weft::tasklet& t : parts) t.join();
}
// [end]

// [stop]
void until_told() {
  std::stop_source button;
  const weft::tasklet server = weft::spawn([stop = button.get_token()] {
    const weft::stop_guard until(stop);
    try {
      weft::sleep_for(1h);
    } catch (const weft::stopped&) {
      std::puts("good bye");
    }
  });
  std::thread other([&] { button.request_stop(); });
  server.join();
  other.join();
}
// [end]

// [group]
void one_by_one() {
  weft::group visitors;
  visitors.spawn([] { std::puts("hello"); });
  visitors.spawn([] { throw std::runtime_error("lost"); });
  visitors.spawn([] { std::puts("hello, too"); });
  visitors.wait();
  for (const weft::member_failure& f : visitors.take_failures()) {
    try {
      std::rethrow_exception(f.what);
    } catch (const std::exception& e) {
      std::printf("failed: %s\n", e.what());
    }
  }
}
// [end]

// [pool]
void no_more_than_two() {
  weft::pool crawlers(2);
  int now = 0;
  int most = 0;
  for (int i = 0; i < 10; ++i)
    crawlers.spawn([&] {
      most = std::max(most, ++now);
      weft::yield();
      --now;
    });
  crawlers.join();
  std::printf("never more than %d\n", most);
}
// [end]

// [map]
void squares() {
  const std::vector<int> numbers{3, 1, 2};
  const auto slowly = [](int n) {
    weft::sleep_for(n * 10ms);
    return n * n;
  };
  for (int n : weft::map(numbers, slowly, 3)) std::printf("%d ", n);
  std::puts("in order");
  for (int n : weft::map_unordered(numbers, slowly, 3)) std::printf("%d ", n);
  std::puts("as they come");
}
// [end]

}  // namespace

int main() {
  const weft::scheduler s;
  all_or_nothing();
  impatient();
  bounded();
  late();
  until_told();
  one_by_one();
  no_more_than_two();
  squares();
}
