// SPDX-License-Identifier: BSL-1.0
// The main of every test, and the listener that fails a test that leaks.
#define CATCH_CONFIG_MAIN
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>

#include "weft/scheduler/census.h"

namespace {

// What is alive when a test case has ended, its scheduler included, never ends.
class leak_listener : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo&) override {
    before_ = weft::take_census();
  }

  void testCaseEnded(const Catch::TestCaseStats& test) override {
    const weft::census after = weft::take_census();
    const auto& tags = test.testInfo.tags;
    const bool leaks_on_purpose =
        std::find(tags.begin(), tags.end(), "leaks") != tags.end();
    if (after == before_ || leaks_on_purpose) return;
    std::fprintf(stderr,
                 "LEAK in '%s': schedulers %zu -> %zu, tasklets %zu -> %zu, "
                 "stacks %zu -> %zu, waiters %zu -> %zu\n",
                 test.testInfo.name.c_str(), before_.schedulers,
                 after.schedulers, before_.tasklets, after.tasklets,
                 before_.stacks, after.stacks, before_.waiters, after.waiters);
    leaked_ = true;
  }

  void testRunEnded(const Catch::TestRunStats&) override {
    if (leaked_) std::exit(1);
  }

 private:
  weft::census before_;
  bool leaked_ = false;
};

}  // namespace

CATCH_REGISTER_LISTENER(leak_listener)
