// SPDX-License-Identifier: BSL-1.0
// The program of the README.
#include <cstdio>

#include "weft/weft.h"

int main() {
  weft::scheduler scheduler;  // main() is a tasklet from here on
  weft::channel<int> numbers;
  weft::channel<int> squares;

  weft::spawn([&] {
    for (int n = 1; n <= 5; ++n) numbers.send(n);  // parks until received
    numbers.close();
  });
  weft::spawn([&] {
    for (int n : numbers) squares.send(n * n);
    squares.close();
  });
  for (int s : squares) std::printf("%d ", s);
}
