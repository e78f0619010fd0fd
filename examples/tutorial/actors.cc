// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/actors.md, one after the other.
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

// [account]
struct deposit {
  int amount;
};
using balance = weft::request<int>;  // asks for an int
using account = weft::mailbox<deposit, balance>;

void keep(account& in) {
  int money = 0;
  while (in.receive([&](deposit d) { money += d.amount; },
                    [&](balance q) { q.reply(money); })) {
  }  // until it is closed
}

void saving() {
  account mine;
  weft::spawn(keep, std::ref(mine));
  mine.send(deposit{5});
  mine.send(deposit{7});
  std::printf("%d\n", mine.ask<balance>());
  mine.close();
}
// [end]

// [patience]
void patience() {
  account deaf;  // nobody reads it
  const auto money = deaf.ask_for<balance>(10ms);
  std::puts(money ? "an answer" : "no answer");
}
// [end]

// [choose]
struct alarm {
  std::string where;
};

void choosing() {
  weft::mailbox<std::string, alarm> in;
  in.send("letter");
  in.send("postcard");
  in.send(alarm{"kitchen"});
  std::printf("%s first\n", in.receive_only<alarm>()->where.c_str());
  in.close();
  while (in.receive([](const std::string& s) { std::printf("%s ", s.c_str()); },
                    [](const alarm&) {})) {
  }
}
// [end]

// [monitor]
void supervisor() {
  for (int attempt = 1;; ++attempt) {
    const weft::tasklet worker = weft::spawn([attempt] {
      if (attempt < 3) throw std::runtime_error("out of paper");
      std::puts("printed");
    });
    weft::monitor watch(worker, weft::take_failure);
    if (watch.wait().why == weft::end_reason::normal) return;
    std::printf("attempt %d failed\n", attempt);
  }
}
// [end]

// [link]
void together() {
  weft::channel<int> never;
  const weft::tasklet reader = weft::spawn([&] { never.receive(); });
  const weft::tasklet writer = weft::spawn([&] {
    weft::link(reader);
    try {
      never.receive();
    } catch (const weft::link_broken&) {
      std::puts("the reader has gone");
      throw;
    }
  });
  weft::yield();
  reader.kill();
  writer.join();
}
// [end]

}  // namespace

int main() {
  const weft::scheduler scheduler;
  saving();
  patience();
  choosing();
  std::puts("");
  supervisor();
  together();
}
