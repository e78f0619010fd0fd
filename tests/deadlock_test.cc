// SPDX-License-Identifier: BSL-1.0
// Law 9: deadlock, told exactly and with nothing changed.
#include <catch2/catch.hpp>
#include <chrono>
#include <ostream>
#include <streambuf>
#include <string>

#include "weft/channel/channel.h"
#include "weft/scheduler/report.h"
#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/scheduler/virtual_clock.h"
#include "weft/scheduler/yield.h"

namespace {

using namespace weft;
using std::chrono::seconds;

TEST_CASE("main alone that would block gets deadlock_error") {
  const scheduler s;
  channel<int> c;
  CHECK_THROWS_AS(c.receive(), deadlock_error);
  CHECK_THROWS_AS(c.send(1), deadlock_error);
  CHECK_THROWS_AS(c.send_exception(std::make_exception_ptr(1)), deadlock_error);
  CHECK(c.balance() == 0);
  spawn([&] { c.send(2); });
  CHECK(c.receive() == 2);
}

TEST_CASE(
    "the tasklet that would block last gets the error, and main if it "
    "escapes") {
  const scheduler s;
  channel<int> c;
  channel<int> d;
  std::string trace;
  const bool caught = GENERATE(true, false);
  const tasklet t = spawn([&] {
    if (!caught) {
      d.receive();
      return;
    }
    try {
      d.receive();
    } catch (const deadlock_error&) {
      trace += 'd';
      c.send(1);
    }
  });
  if (caught) {
    CHECK(c.receive() == 1);
    CHECK(trace == "d");
  } else {
    CHECK_THROWS_AS(c.receive(), deadlock_error);
    CHECK(!t.alive());
  }
  CHECK(c.balance() == 0);
  CHECK(d.balance() == 0);
  run();
}

TEST_CASE("where the last tasklet ends, the blocked main gets the error") {
  const scheduler s;
  channel<int> c;
  spawn([] { yield(); });
  CHECK_THROWS_AS(c.receive(), deadlock_error);
  CHECK(c.balance() == 0);
  spawn([] {});
  CHECK_THROWS_AS(c.send(1), deadlock_error);
  const tasklet t = spawn([&] { c.receive(); });
  spawn([] { yield(); });
  CHECK_THROWS_AS(t.join(), deadlock_error);
  CHECK(t.blocked());
  c.close();
  run();
}

TEST_CASE("inside a run there is no error: the run returns") {
  const scheduler s;
  channel<int> c;
  const tasklet t = spawn([&] { c.receive(); });
  const run_result r = run();
  CHECK(r.why == run_result::drained);
  CHECK(r.blocked == 1);
  CHECK(t.blocked());
  c.send(1);
  run();
}

TEST_CASE("a sleeper is no deadlock") {
  virtual_clock clock;
  const scheduler s({.driver = &clock});
  channel<int> c;
  spawn([&] {
    sleep_for(seconds(5));
    c.send(1);
  });
  CHECK(c.receive() == 1);
  CHECK(clock.now().time_since_epoch() == seconds(5));
  run();
  CHECK_THROWS_AS(c.receive(), deadlock_error);
}

TEST_CASE("the error names the tasklet, the operation and the places") {
  const scheduler s;
  channel<int> c;
  channel<int> d;
  std::string text;
  spawn({.name = "stuck"}, [&] {
    try {
      c.send(1);
    } catch (const deadlock_error& e) {
      text = e.what();
      d.send(1);
    }
  });
  d.receive();
  CHECK(text.find("'stuck'") != std::string::npos);
  CHECK(text.find("send at tests/deadlock_test.cc:") != std::string::npos);
  CHECK(text.find("spawned at tests/deadlock_test.cc:") != std::string::npos);
  try {
    d.receive();
  } catch (const deadlock_error& e) {
    text = e.what();
  }
  CHECK(text.find("main waits in receive") != std::string::npos);
  run();
}

// What is written to it goes through a channel.
class channel_buffer : public std::streambuf {
 public:
  explicit channel_buffer(channel<char>& c) : c_(c) {}

 private:
  int overflow(int c) override {
    c_.send(static_cast<char>(c));
    return c;
  }
  channel<char>& c_;
};

TEST_CASE("those who wait may go on while they are reported") {
  const scheduler s;
  channel<char> text;
  channel<int> waited_for;
  for (int i = 0; i != 3; ++i) spawn([&] { waited_for.receive(); });
  std::string got;
  spawn([&] {
    for (char c : text) {
      got += c;
      if (c == '\n') waited_for.close();
    }
  });
  yield();
  channel_buffer buffer(text);
  std::ostream out(&buffer);
  report(out);
  text.close();
  run();
  CHECK(got.find("waits in receive at ") != std::string::npos);
}

}  // namespace
