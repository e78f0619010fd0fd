// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/channels.md, one after the other.
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [meet]
void meet() {
  weft::channel<int> numbers;
  weft::spawn([&] {
    for (int n : {1, 2, 3}) {
      std::printf("sending %d\n", n);
      numbers.send(n);
    }
    numbers.close();
  });
  for (const int n : numbers) std::printf("     got %d\n", n);
}
// [end]

// [buffer]
void buffer() {
  weft::channel<int> numbers(2);
  weft::spawn([&] {
    for (int n : {1, 2, 3}) {
      std::printf("sending %d\n", n);
      numbers.send(n);
    }
    numbers.close();
  });
  weft::yield();
  std::printf("%zu of %zu, and %d waits\n", numbers.size(), numbers.capacity(),
              numbers.balance());
  for (const int n : numbers) std::printf("     got %d\n", n);
}
// [end]

// [patience]
void patience() {
  weft::channel<int> orders(1);
  int refused = 0;
  for (int n : {1, 2, 3})
    if (orders.try_send(n) != weft::op_status::done) ++refused;
  std::printf("%d refused\n", refused);
  while (const auto n = orders.receive_for(1ms)) std::printf("order %d\n", *n);
  std::puts("no more for a millisecond");
}
// [end]

// [failure]
void failure() {
  weft::channel<double> results;
  weft::spawn([&] {
    results.send(0.5);
    results.send_exception(
        std::make_exception_ptr(std::range_error("division by zero")));
    results.send(0.25);
    results.close();
  });
  for (bool more = true; more;) {
    try {
      const auto r = results.receive();
      if (r) std::printf("%g\n", *r);
      more = r.has_value();
    } catch (const std::range_error& e) {
      std::printf("none: %s\n", e.what());
    }
  }
}
// [end]

}  // namespace

int main() {
  const weft::scheduler scheduler;
  meet();
  buffer();
  patience();
  failure();
}
