// SPDX-License-Identifier: BSL-1.0
// Law 12, of handles, where the heap has nothing left.
#include <any>
#include <catch2/catch.hpp>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <thread>

#include "weft/scheduler/join_case.h"
#include "weft/scheduler/outside.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tests/support/allocations.h"

namespace {

using namespace weft;
using weft_test::until_failure;

TEST_CASE("what finds no memory has asked nothing of another scheduler") {
  std::promise<outside> way_in;
  std::promise<tasklet> given;
  bool woken = false;
  std::thread there([&] {
    const scheduler s;
    way_in.set_value(outside());
    given.set_value(spawn([&] {
      suspend();
      woken = true;
    }));
    run();
  });
  std::optional<outside> out = way_in.get_future().get();
  const tasklet t = given.get_future().get();
  std::promise<void> settled;
  out->post([&settled] { settled.set_value(); });
  settled.get_future().wait();  // It allocates nothing from now on.

  std::optional<scheduler> own;
  if (GENERATE(false, true)) own.emplace();
  const auto payload = std::make_shared<int>();
  const auto what = std::make_exception_ptr(payload);
  const std::any value = 7;
  int failures = 0;
  const auto attempt = [&](auto f) {
    until_failure = 0;
    try {
      f();
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    until_failure = ~std::size_t{0};
  };
  attempt([&] { t.kill(); });
  attempt([&] { t.kill(pending); });
  attempt([&] { t.throw_exception(what); });
  attempt([&] { t.insert(value); });
  attempt([&] { t.join(); });
  attempt([&] { t.join_for(std::chrono::hours(1)); });
  if (own) attempt([&] { select(t.join_case()); });
  CHECK(failures == (own ? 7 : 6));
  CHECK(payload.use_count() == 2);
  if (own) CHECK(run().why == run_result::drained);
  CHECK(t.alive());
  t.insert();
  t.join();
  CHECK(woken);
  out.reset();
  there.join();
}

}  // namespace
