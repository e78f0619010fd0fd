// SPDX-License-Identifier: BSL-1.0
// Law 22: values that each tasklet has of its own.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "weft/weft.h"

namespace {

using namespace weft;

// Says when it ends, and on which tasklet.
struct mark {
  mark(std::string* t, char n) : trace(t), name(n) {}
  mark(const mark&) = delete;
  mark& operator=(const mark&) = delete;
  std::string* trace;
  char name;
  tasklet maker = current();
  ~mark() {
    *trace += name;
    *trace += maker.is_current() ? '+' : '-';
  }
};

auto make_mark(std::string& trace, char name) {
  return [&trace, name] { return std::make_unique<mark>(&trace, name); };
}
using local_mark = tasklet_local<std::unique_ptr<mark>>;

TEST_CASE("each tasklet has its own value, made when it is first asked for") {
  const scheduler s;
  int made = 0;
  const tasklet_local<int> mine([&] { return 10 * ++made; });
  CHECK(mine.get_if() == nullptr);
  CHECK(*mine == 10);
  for (int i = 0; i != 2; ++i)
    spawn([&] {
      const int before = *mine;
      ++*mine;
      yield();
      CHECK(*mine == before + 1);
    });
  run();
  CHECK(made == 3);
  CHECK(*mine == 10);
  mine.set(5);
  CHECK(*mine == 5);
  mine.reset();
  CHECK(mine.get_if() == nullptr);
  const tasklet_local<std::string> plain;
  CHECK(plain->empty());
}

TEST_CASE("a value ends with its tasklet, on it, newest first") {
  const scheduler s;
  std::string trace;
  const local_mark a(make_mark(trace, 'a'));
  const local_mark b(make_mark(trace, 'b'));
  enum { returns, throws, killed, raised };
  const int how = GENERATE(range(0, 4));
  const tasklet t = spawn([&] {
    const mark frame{&trace, 'f'};
    static_cast<void>(*a);
    static_cast<void>(*b);
    if (how == returns) return;
    if (how == throws) throw 1;
    suspend();
  });
  try {
    yield();
    if (how == killed) t.kill();
    if (how == raised) t.throw_exception(std::make_exception_ptr(1));
  } catch (int) {
    // It is what the tasklet threw, or was made to.
  }
  CHECK_FALSE(t.alive());
  CHECK(trace == "f+b+a+");
}

TEST_CASE("a value's destructor may block, and use others") {
  const scheduler s;
  channel<int> c;
  std::string trace;
  const local_mark late(make_mark(trace, 'l'));
  struct talker {
    channel<int>& to;
    const local_mark& late;
    ~talker() {
      static_cast<void>(*late);
      to.send(1);
    }
  };
  const tasklet_local<std::unique_ptr<talker>> last(
      [&] { return std::make_unique<talker>(c, late); });
  const tasklet t = spawn([&] { static_cast<void>(*last); });
  const tasklet u = spawn([&] {
    static_cast<void>(*last);
    suspend();
  });
  yield();
  CHECK(t.alive());
  CHECK(c.receive() == 1);
  run();
  CHECK_FALSE(t.alive());
  trace.clear();
  u.kill();
  u.kill();  // held back
  CHECK(c.receive() == 1);
  run();
  CHECK(trace == "l+");
}

TEST_CASE("a spawned tasklet gets nothing, a copy, or the same object") {
  const scheduler s;
  const tasklet_local<int> none(inheritance::none);
  const tasklet_local<int> copied(inheritance::copy);
  const tasklet_local<int> shared(inheritance::share);
  *none = *copied = *shared = 1;
  const auto child = [&] {
    CHECK(none.get_if() == nullptr);
    CHECK(*copied == 1);
    CHECK(*shared == 2);
    *copied = 7;
    *shared = 3;
    // To the next generation, too.
    spawn([&] {
      CHECK(*copied == 7);
      CHECK(*shared == 3);
    });
  };
  const tasklet t = GENERATE(0, 1) == 0 ? spawn(child) : create(child);
  *copied = *shared = 2;
  t.insert();
  run();
  CHECK(*copied == 2);
  CHECK(*shared == 3);
  shared.set(4);  // another object: this tasklet's alone
  spawn([&] { CHECK(*shared == 4); });
  run();
}

TEST_CASE("a spawn whose inheritance throws makes no tasklet") {
  struct fussy {
    bool fails = false;
    fussy() = default;
    fussy(const fussy& other) : fails(other.fails) {
      if (fails) throw 1;
    }
    fussy& operator=(const fussy&) = default;
  };
  const scheduler s;
  const tasklet_local<int> before(inheritance::copy);
  const tasklet_local<fussy> it(inheritance::copy);
  const tasklet_local<int> after(inheritance::copy);
  static_cast<void>(*before);
  it->fails = true;
  static_cast<void>(*after);
  const auto owned = std::make_shared<int>(1);
  CHECK_THROWS_AS(spawn([owned] {}), int);
  CHECK(owned.use_count() == 1);
  CHECK(s.live() == 0);
  it->fails = false;
  spawn([&] { CHECK(*before == 0); }).join();
}

TEST_CASE("what a tasklet that never runs has inherited ends with it") {
  const scheduler s;
  const auto owned = std::make_shared<int>(1);
  const tasklet_local<std::shared_ptr<int>> mine(
      inheritance::copy, [&] { return std::shared_ptr(owned); });
  static_cast<void>(*mine);
  const tasklet t = spawn([] {});
  CHECK(owned.use_count() == 3);
  t.kill();
  CHECK(owned.use_count() == 2);
  mine.reset();
  CHECK(owned.use_count() == 1);
}

TEST_CASE("main's values end with the scheduler") {
  std::string trace;
  const local_mark mine(make_mark(trace, 'm'));
  {
    const scheduler s;
    static_cast<void>(*mine);
    spawn([&] {
      static_cast<void>(*mine);
      suspend();
    });
    run();
    trace.clear();
  }
  CHECK(trace == "m+m+");
  CHECK_THROWS_AS(*mine, no_scheduler);
}

TEST_CASE("a variable in the place of another has none of its values") {
  const scheduler s;
  for (int i = 0; i != 2; ++i) {
    const tasklet_local<int> fleeting;
    CHECK(fleeting.get_if() == nullptr);
    *fleeting = 1;
  }
}

}  // namespace
