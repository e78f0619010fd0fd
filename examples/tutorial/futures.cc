// SPDX-License-Identifier: BSL-1.0
// The program of docs/tutorial/futures.md.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [begin]
std::string fetch(const std::string& name, std::chrono::milliseconds takes) {
  weft::sleep_for(takes);
  if (name == "lost") throw std::runtime_error("there is no " + name);
  return "<" + name + ">";
}

void two_at_a_time() {
  weft::future<std::string> front = weft::async(fetch, "front", 20ms);
  weft::future<std::string> index = weft::async(fetch, "index", 10ms);
  std::printf("%s %s", front.get().c_str(), index.get().c_str());
}
// [end]

// [begin]
void failure() {
  weft::future<std::string> page = weft::async(fetch, "lost", 1ms);
  try {
    page.get();
  } catch (const std::runtime_error& e) {
    std::printf("%s", e.what());
  }
}
// [end]

// [begin]
void by_hand() {
  weft::promise<int> answer;
  weft::future<int> later = answer.get_future();
  weft::spawn([&] { answer.set_value(42); });
  std::printf("%s ", later.ready() ? "there" : "not yet");
  std::printf("%d", later.get());
}
// [end]

// [begin]
void several() {
  std::vector<weft::future<std::string>> pages;
  pages.push_back(weft::async(fetch, "slow", 30ms));
  pages.push_back(weft::async(fetch, "quick", 10ms));
  for (auto& page : weft::as_completed(pages))
    std::printf("%s ", page.get().c_str());

  auto both = weft::when_all(weft::async(fetch, "a", 2ms),
                             weft::async(fetch, "b", 1ms));
  auto [a, b] = both.get();
  std::printf("%s%s", a.c_str(), b.c_str());
}
// [end]

// [begin]
void limits() {
  weft::future<std::string> page = weft::async(fetch, "slow", 1h);
  if (!page.wait_for(5ms)) page.who().kill();
  try {
    page.get();
  } catch (const weft::broken_promise& e) {
    std::printf("%s", e.what());
  }
}
// [end]

}  // namespace

int main() {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  for (auto* part : {two_at_a_time, failure, by_hand, several, limits}) {
    part();
    std::puts("");
  }
}
