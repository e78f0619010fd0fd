// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/scheduler_pool.md, one after the other.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [begin]
bool is_prime(int n) {
  for (int d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return n > 1;
}

void primes() {
  weft::scheduler_pool pool{{.threads = 2}};
  std::atomic<int> primes = 0;
  for (int from = 0; from < 100000; from += 1000)
    pool.spawn([&primes, from] {
      int found = 0;
      for (int n = from; n < from + 1000; ++n) found += is_prime(n);
      primes += found;
    });
  pool.join();
  std::printf("%d primes", primes.load());
}
// [end]

// [begin]
void shards() {
  weft::scheduler_pool pool{{.threads = 2}};
  std::vector<std::map<std::string, int>> counts(pool.size());
  const std::vector<std::string> words{"a", "rose", "is", "a", "rose", "is"};
  for (const std::string& word : words) {
    const std::size_t shard = word.size() % pool.size();
    pool.spawn_on(shard, [&mine = counts[shard], &word] { ++mine[word]; });
  }
  pool.join();
  for (const auto& shard : counts)
    for (const auto& [word, count] : shard)
      std::printf("%s %d, ", word.c_str(), count);
}
// [end]

// [begin]
void failure() {
  weft::scheduler_pool pool{{.threads = 2}};
  pool.spawn([] { throw std::runtime_error("out of paper"); });
  pool.spawn([] { weft::sleep_for(1ms); });
  try {
    pool.join();
  } catch (const std::runtime_error& e) {
    std::printf("%s", e.what());
  }
}
// [end]

// [begin]
void closing_time() {
  weft::scheduler_pool pool{{.threads = 2}};
  pool.spawn([] { weft::sleep_for(1h); });
  pool.spawn([] { std::printf("a short one, "); });
  std::printf(pool.stop(200ms) ? "all done" : "somebody was thrown out");
}
// [end]

}  // namespace

int main() {
  for (auto program : {primes, shards, failure, closing_time}) {
    program();
    std::puts("");
  }
}
