// SPDX-License-Identifier: BSL-1.0
// The ring with tombstones, held against a std::deque.
#include "weft/scheduler/run_queue.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <vector>

namespace {

using namespace weft;

TEST_CASE("the run queue keeps its order through every mix of operations") {
  std::mt19937 random(7);
  run_queue queue;
  std::deque<control_block*> expected;
  std::vector<control_block> blocks(300);
  std::vector<control_block*> outside;
  for (auto& b : blocks) outside.push_back(&b);
  queue.reserve(8);
  std::size_t reserved = 8;

  const auto pop_first = [&] {
    for (;;) {
      control_block* first = queue.pop();
      if (first != nullptr) return first;
      queue.pop_was_marker();
    }
  };
  for (int i = 0; i < 200'000; ++i) {
    const bool grows = i % 2000 > 1000;
    const auto dice = random() % 8;
    if (dice < (grows ? 5U : 3U) && !outside.empty()) {
      control_block* t = outside.back();
      if (expected.size() == reserved) {
        if (random() % 4 != 0) continue;
        queue.reserve(++reserved);
      }
      outside.pop_back();
      if (dice == 0) {
        queue.push_front(t);
        expected.push_front(t);
      } else {
        queue.push(t);
        expected.push_back(t);
      }
    } else if (dice == 5 && !expected.empty()) {
      const std::size_t at = random() % expected.size();
      control_block* t = expected[at];
      expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at));
      queue.remove(t);
      outside.push_back(t);
    } else if (dice == 6 && !queue.marked()) {
      queue.push_marker();
    } else if (!expected.empty()) {
      control_block* t = pop_first();
      REQUIRE(t == expected.front());
      expected.pop_front();
      outside.push_back(t);
    }
    REQUIRE(queue.members() == expected.size());
  }
  while (!expected.empty()) {
    REQUIRE(pop_first() == expected.front());
    expected.pop_front();
  }
  CHECK(queue.members() == 0);
  queue.release();
}

TEST_CASE("the marker comes out where it was put") {
  run_queue queue;
  queue.reserve(4);
  control_block a;
  control_block b;
  queue.push(&a);
  queue.push_marker();
  queue.push(&b);
  CHECK(queue.members() == 2);
  CHECK(queue.pop() == &a);
  CHECK(queue.pop() == nullptr);
  CHECK(queue.pop_was_marker());
  CHECK(!queue.marked());
  CHECK(queue.pop() == &b);
  CHECK(queue.empty());
  queue.release();
}

}  // namespace
