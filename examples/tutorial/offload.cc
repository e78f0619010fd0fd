// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/offload.md, one after the other.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <latch>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [begin]
// From some library. It blocks the thread.
int ask_slowly(std::latch& enough) {
  enough.wait();
  return 42;
}

void meanwhile() {
  std::latch enough(3);
  weft::spawn([&] {
    for (int i = 1; i <= 3; ++i) {
      std::printf("%d ", i);
      weft::yield();
      enough.count_down();
    }
  });
  const int answer = weft::offload([&] { return ask_slowly(enough); });
  std::printf("and the answer: %d", answer);
}
// [end]

// [begin]
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line))
    throw std::runtime_error("cannot read " + path);
  return line;
}

void failure() {
  try {
    weft::offload([] { return first_line("/no/such/file"); });
  } catch (const std::runtime_error& e) {
    std::printf("%s", e.what());
  }
}
// [end]

// [begin]
void impatient() {
  const bool done = weft::with_timeout(20ms, [] {
    weft::offload([](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
      std::printf("stops, ");
    });
  });
  std::printf(done ? "done" : "too late");
}
// [end]

// [begin]
void many() {
  const std::vector<int> inputs{1, 2, 3, 4, 5};
  const auto slowly = [](int n) {
    return weft::offload([n] {
      std::this_thread::sleep_for(1ms);
      return n * n;
    });
  };
  for (int square : weft::map(inputs, slowly, 4)) std::printf("%d ", square);
}
// [end]

}  // namespace

int main() {
  const weft::scheduler s;
  for (auto program : {meanwhile, failure, impatient, many}) {
    program();
    std::puts("");
  }
}
