// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/select.md, one after the other.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [whoever]
void whoever_comes() {
  weft::channel<std::string> orders;
  weft::channel<int> bills;
  weft::spawn([&] { orders.send("tea"); });
  weft::spawn([&] { bills.send(12); });
  for (int i = 0; i != 2; ++i)
    weft::select(weft::in_order,
                 orders.receive_case([](const std::string& what) {
                   std::printf("an order of %s\n", what.c_str());
                 }),
                 bills.receive_case(
                     [](int sum) { std::printf("a bill of %d\n", sum); }));
}
// [end]

// [by_index]
void by_index() {
  weft::channel<int> numbers;
  weft::channel<void> quit;
  weft::spawn([&] {
    for (int n : {1, 2, 3}) numbers.send(n);
    quit.send();
  });
  auto number = numbers.receive_case();
  auto end = quit.receive_case();
  while (weft::select(number, end) == 0) std::printf("%d ", *number.value());
  std::puts("end");
}
// [end]

// [both_ways]
void buffer_without_bounds() {
  weft::channel<int> in;
  weft::channel<int> out;
  weft::spawn([&] {
    std::deque<int> kept = {0};
    while (!kept.empty()) {
      weft::select(in.receive_case([&](int n) { kept.push_back(n); }),
                   out.send_case(kept.front(), [&] { kept.pop_front(); }));
    }
    out.close();
  });
  for (int n : {1, 2, 3}) in.send(n);  // never wait for the reader
  for (int n : out) std::printf("%d ", n);
}
// [end]

// [no_longer]
void no_longer_than() {
  weft::channel<int> answers;
  weft::select(answers.receive_case(),
               weft::default_case([] { std::puts("nothing yet"); }));
  weft::select(answers.receive_case(),
               weft::timeout_case(5ms, [] { std::puts("nothing in time"); }));
}
// [end]

// [many]
void any_of_many() {
  std::vector<std::string> names = {"ann", "ben", "cid"};
  std::vector<weft::channel<int>> votes(names.size());
  weft::spawn([&] { votes[1].send(7); });
  std::vector<weft::receive_case<int, weft::no_handler>> cases;
  for (auto& each : votes) cases.push_back(each.receive_case());
  const std::size_t who = weft::select(cases);
  std::printf("%s: %d\n", names[who].c_str(), *cases[who].value());
}
// [end]

}  // namespace

int main() {
  const weft::scheduler scheduler;
  whoever_comes();
  by_index();
  buffer_without_bounds();
  std::puts("");
  no_longer_than();
  any_of_many();
}
