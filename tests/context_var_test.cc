// SPDX-License-Identifier: BSL-1.0
// Variables of which each greenlet has its own value.
#include "weft/tasklet/context_var.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/yield.h"
#include "weft/tasklet/generator.h"
#include "weft/tasklet/greenlet.h"

namespace {

using namespace weft;

TEST_CASE("a greenlet's context begins empty, as a copy, or shared") {
  struct row {
    context_policy policy;
    int seen;
    int in_main;
  };
  const row r = GENERATE(row{context_policy::empty, 0, 1},
                         row{context_policy::copy, 1, 1},
                         row{context_policy::share, 1, 2});
  const context_var<int> v(0);
  CHECK(v.get() == 0);
  v.set(1);
  const greenlet g({.context = r.policy}, [&] {
    const int seen = v.get();
    v.set(2);
    CHECK(v.get() == 2);
    return seen;
  });
  CHECK(g.switch_to().take<int>() == r.seen);
  CHECK(v.get() == r.in_main);
  v.reset();
  CHECK(v.get() == 0);
}

TEST_CASE("a copy is made when the greenlet is") {
  const context_var<int> v(0);
  v.set(1);
  const greenlet copy({.context = context_policy::copy},
                      [&] { return v.get(); });
  const greenlet shared({.context = context_policy::share},
                        [&] { return v.get(); });
  v.set(2);
  CHECK(copy.switch_to().take<int>() == 1);
  CHECK(shared.switch_to().take<int>() == 2);
  v.reset();
}

TEST_CASE("each keeps its values over switches") {
  const auto policy = GENERATE(context_policy::empty, context_policy::copy,
                               context_policy::share);
  const bool shared = policy == context_policy::share;
  const context_var<int> id(-1);
  std::map<int, int> counts;
  id.set(0);
  const greenlet main = current_greenlet();
  std::vector<greenlet> all;
  for (int i = 1; i <= 4; ++i)
    all.emplace_back(greenlet_options{.context = policy}, [&, i] {
      const int expected = policy == context_policy::empty ? -1
                           : shared                        ? i - 1
                                                           : 0;
      CHECK(id.get() == expected);
      id.set(i);
      for (int round = 0; round < 2; ++round) {
        ++counts[id.get()];
        main.switch_to();
      }
    });
  for (int round = 0; round < 2; ++round) {
    ++counts[id.get()];
    for (const greenlet& g : all) g.switch_to();
  }
  for (const greenlet& g : all) g.switch_to();
  for (const greenlet& g : all) CHECK(g.dead());
  if (shared)
    CHECK(counts == std::map<int, int>{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 6}});
  else
    CHECK(counts == std::map<int, int>{{0, 2}, {1, 2}, {2, 2}, {3, 2}, {4, 2}});
  id.reset();
}

TEST_CASE("a context may be replaced later") {
  const context_var<std::string> v("default");
  v.set("main's");
  const greenlet main = current_greenlet();
  const auto body = [&] {
    for (;;) main.switch_to(v.get());
  };
  const greenlet a(body);
  const greenlet b(body);
  CHECK(a.switch_to().take<std::string>() == "default");
  a.copy_context(main);
  b.share_context(main);
  v.set("new");
  CHECK(a.switch_to().take<std::string>() == "main's");
  CHECK(b.switch_to().take<std::string>() == "new");
  b.copy_context(a);
  CHECK(b.switch_to().take<std::string>() == "main's");
  a.share_context(a);
  CHECK(a.switch_to().take<std::string>() == "main's");
  v.reset();
}

TEST_CASE("each tasklet begins with an empty context; generators have none") {
  const context_var<int> v(0);
  v.set(1);
  const scheduler s;
  std::string trace;
  CHECK(v.get() == 1);
  for (int i = 5; i < 7; ++i)
    spawn([&, i] {
      trace += std::to_string(v.get());
      v.set(i);
      yield();
      generator<int> g([&](yielder<int>& y) {
        y(v.get());
        v.set(9);
      });
      trace += std::to_string(*g.next());
      g.next();
      trace += std::to_string(v.get());
    });
  run();
  CHECK(trace == "005969");
  CHECK(v.get() == 1);
  v.reset();
}

TEST_CASE("values may outlive their variable, and are never taken for others") {
  const auto token = std::make_shared<int>(1);
  {
    std::optional<context_var<std::shared_ptr<int>>> v;
    v.emplace(nullptr);
    const greenlet main = current_greenlet();
    greenlet g([&] {
      v->set(token);
      main.switch_to();
    });
    g.switch_to();
    v.emplace(nullptr);
    CHECK(token.use_count() == 2);
    CHECK(v->get() == nullptr);
    g = greenlet();
    CHECK(token.use_count() == 1);
  }
}

}  // namespace
