// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/time.md, one after the other.
#include <chrono>
#include <cstdio>
#include <string>

#include "weft/weft.h"

using namespace std::chrono_literals;

namespace {

// [sleep]
void sleeping() {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  for (int hours : {3, 1, 2})
    weft::spawn([hours] {
      weft::sleep_for(std::chrono::hours(hours));
      std::printf("%d ", hours);
    });
  weft::run();
}
// [end]

// [timeouts]
void timeouts() {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  weft::channel<std::string> answers;
  const weft::tasklet slow = weft::spawn([&] {
    weft::sleep_for(90s);
    answers.send("42");
  });
  if (!answers.receive_for(1min)) std::puts("no answer for a minute");
  if (!slow.join_for(10s)) std::puts("it is still at work");
  std::puts(answers.receive_for(1min)->c_str());
}
// [end]

// [clock]
void stopwatch() {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  const auto begin = weft::clock::now();
  weft::sleep_until(begin + 24h);
  const auto took = weft::clock::now() - begin;
  std::printf("%d hours", static_cast<int>(took / 1h));
}
// [end]

// [manual]
void by_hand() {
  weft::manual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  weft::spawn([] {
    weft::sleep_for(20ms);
    std::puts("(it goes on)");
  });
  while (weft::run().why == weft::run_result::idle) {
    std::puts("nothing to do");
    clock.advance(16ms);
  }
}
// [end]

// [scaled]
void dilation() {
  weft::virtual_clock outside;  // or none, for real time
  weft::scaled_clock clock(outside, 60);
  const weft::scheduler scheduler({.driver = &clock});
  weft::sleep_for(1h);
  std::printf("%d s, ",
              static_cast<int>(outside.now().time_since_epoch() / 1s));
  clock.set_rate(1);
  weft::sleep_for(1s);
  std::printf("%d s", static_cast<int>(outside.now().time_since_epoch() / 1s));
}
// [end]

// [every]
void beat() {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  for (const weft::tick t : weft::every(100ms)) {
    std::printf("tick %d at %d ms, %d missed\n", static_cast<int>(t.number),
                static_cast<int>(weft::clock::now().time_since_epoch() / 1ms),
                static_cast<int>(t.missed));
    if (t.number == 1) weft::sleep_for(30ms);
    if (t.number == 2) weft::sleep_for(250ms);
    if (t.number == 5) break;
  }
}
// [end]

}  // namespace

int main() {
  sleeping();
  std::puts("");
  timeouts();
  stopwatch();
  std::puts("");
  by_hand();
  dilation();
  std::puts("");
  beat();
}
