// SPDX-License-Identifier: BSL-1.0
// docs/reference.md says what may switch and what allocates; here each of its
// lines is tried.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "weft/tests/support/allocations.h"
#include "weft/weft.h"

namespace weft {
namespace {

using namespace std::chrono_literals;

// How many had been made when what is looked at began.
std::size_t allocations_before = 0;
void begin_to_count() { allocations_before = weft_test::allocations(); }

using question = request<int>;
using numbers = generator<int, int>;
void count_to_three(yielder<int, int>& yield) {
  for (int i = 1; i <= 3; ++i) try {
      yield(i);
    } catch (int) {
      continue;
    }
}

const scheduler_pool_options one_thread{.threads = 1};

// What operations are tried on. Another tasklet is runnable, one waits to be
// killed, one to be run.
struct world {
  virtual_clock clock;
  scheduler s{{.driver = &clock}};
  channel<int> channel_{1};  // full
  channel<int> empty{1};
  channel<int> vacant{1};
  channel<int> gate;
  mutex mutex_, mine;
  recursive_mutex recursive;
  shared_mutex shared;
  condition_variable changed;
  semaphore permits{1}, none{0};
  bounded_semaphore bounded{1};
  event event_;
  auto_reset_event auto_event;
  latch latch_{1};
  barrier<> barrier_{2};
  wait_group works;
  once_flag once, begun;
  tasklet_local<int> local;
  scaled_clock scaled{clock, 1};
  std::stop_source stop;
  context_var<int> var;
  numbers three{count_to_three};
  greenlet other_side{[](parcel) {
    for (;;) main_greenlet().switch_to(1);
  }};
  promise<int> promised;
  future<int> result = promised.get_future();
  group several;
  pool narrow{1};
  mailbox<char, question> in{1};
  std::optional<scope> scope_;
  std::optional<scheduler_pool> crowd;
  tasklet waiter, other;
  tasklet paused;

  world() {
    channel_.send(1);
    vacant.set_preference(preference::neither);
    works.add();
    paused = create([] {});
    three.next();
    other_side.switch_to();
    const std::exception_ptr warm = std::make_exception_ptr(0);
    waiter = spawn([this] { gate.receive(); });
    // It holds what others wait for.
    spawn([this] {
      const std::scoped_lock held(mutex_, recursive);
      const std::unique_lock all(shared);
      call_once(begun, [this] { gate.receive(); });
    });
    yield();
    other = spawn([this] { gate.receive(); });
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world() {
    scope_.reset();
    s.shutdown();
  }
};

// Somebody whose scheduler is another thread's, and who ends with this.
class far_one {
 public:
  far_one() {
    std::promise<tasklet> given;
    thread_ = std::thread([this, &given] {
      const scheduler s;
      out_.emplace();
      given.set_value(spawn([] { suspend(); }));
      run();
    });
    t = given.get_future().get();
    begin_to_count();
  }
  far_one(const far_one&) = delete;
  far_one& operator=(const far_one&) = delete;
  ~far_one() {
    out_.reset();
    thread_.join();
  }

  tasklet t;

 private:
  std::optional<outside> out_;
  std::thread thread_;
};

using attempt = std::function<void(world&)>;

// An operation where it would have to wait, or as near to that as it comes; and
// where it would not.
struct probe {
  attempt waiting;
  attempt ready;
};

probe both(const attempt& a) { return {a, a}; }

const std::map<std::string, probe>& probes() {
  static const std::exception_ptr failure = std::make_exception_ptr(1);
  static const std::map<std::string, probe> all{
      {"spawn", both([](world&) { spawn([] {}); })},
      {"create", both([](world&) { create([] {}).kill(pending); })},
      {"yield", both([](world&) { yield(); })},
      {"checkpoint",
       {[](world& w) {
          w.s.set_time_slice(1ns);
          w.clock.advance(1s);
          checkpoint();
        },
        [](world&) { checkpoint(); }}},
      {"suspend",
       {[](world&) { suspend(); },
        [](world&) {
          spawn([me = current()] { me.insert(); });
          suspend();
        }}},
      {"sleep_for", both([](world&) { sleep_for(1ms); })},
      {"sleep_until", both([](world&) { sleep_until(clock::now() + 1ms); })},
      {"run", both([](world&) { run(); })},
      {"current", both([](world&) { static_cast<void>(current()); })},
      {"scheduler::trim", both([](world& w) { w.s.trim(); })},

      {"outside", both([](world&) {
         const outside first;
         begin_to_count();
         const outside in;
       })},
      {"outside::post", both([](world&) { outside().post([] {}); })},

      {"offload", both([](world&) {
         offload([] {});
         begin_to_count();
         offload([] {});
       })},
      {"set_offload_limit", both([](world&) { set_offload_limit(16); })},

      {"scheduler_pool", both([](world& w) { w.crowd.emplace(one_thread); })},
      {"scheduler_pool::spawn", both([](world& w) {
         w.crowd.emplace(one_thread);
         begin_to_count();
         w.crowd->spawn([] {});
       })},
      {"scheduler_pool::async", both([](world& w) {
         w.crowd.emplace(one_thread);
         begin_to_count();
         static_cast<void>(w.crowd->async([] {}));
       })},
      {"scheduler_pool::spawn_on", both([](world& w) {
         w.crowd.emplace(one_thread);
         begin_to_count();
         w.crowd->spawn_on(0, [] {});
       })},
      {"scheduler_pool::broadcast", both([](world& w) {
         w.crowd.emplace(one_thread);
         begin_to_count();
         w.crowd->broadcast([] {});
       })},
      {"scheduler_pool::join", both([](world& w) {
         w.crowd.emplace(one_thread).spawn([] { sleep_for(5ms); });
         const outside first;
         begin_to_count();
         w.crowd->join();
       })},
      {"scheduler_pool::stop", both([](world& w) {
         w.crowd.emplace(one_thread).spawn([] {});
         const outside first;
         begin_to_count();
         w.crowd->stop();
       })},

      {"every", both([](world&) { static_cast<void>(every(1ms)); })},
      {"at_rate", both([](world&) { static_cast<void>(at_rate(60)); })},
      {"ticker::iterator::operator++",
       both([](world&) { ++every(1ms).begin(); })},
      {"clock::now", both([](world&) { static_cast<void>(clock::now()); })},
      {"virtual_clock::advance", both([](world& w) { w.clock.advance(1s); })},
      {"scaled_clock::set_rate", both([](world& w) { w.scaled.set_rate(2); })},

      {"shield", both([](world&) { const shield held; })},
      {"switch_trap", both([](world&) { const switch_trap here; })},
      {"block_trap", both([](world&) { const block_trap here; })},
      {"atomic_section", both([](world&) { const atomic_section here; })},
      {"scheduler::set_spawn_callback", both([](world& w) {
         w.s.set_spawn_callback([&w, room = std::array<std::int64_t, 4>()](
                                    const tasklet&) { w.works.add(room[0]); });
       })},
      {"report", both([](world&) {
         std::ostringstream out;
         report(out);
       })},

      {"generator",
       both([](world&) { const numbers to_three(count_to_three); })},
      {"generator::next", both([](world& w) { w.three.next(); })},
      {"generator::send", both([](world& w) { w.three.send(1); })},
      {"generator::throw_exception",
       both([](world& w) { w.three.throw_exception(failure); })},
      {"generator::close", both([](world& w) { w.three.close(); })},
      {"yield_value", both([](world&) {
         numbers one([](yielder<int, int>&) { yield_value<int, int>(1); });
         one.next();
       })},
      {"greenlet", both([](world&) { const greenlet g([] {}); })},
      {"greenlet::switch_to",
       both([](world& w) { w.other_side.switch_to(1); })},
      {"greenlet::throw_exception",
       both([](world& w) { w.other_side.throw_exception(); })},
      {"greenlet::set_parent",
       both([](world& w) { w.other_side.set_parent(main_greenlet()); })},
      {"parcel::get",
       both([](world&) { static_cast<void>(parcel(1).get<int>()); })},
      {"context_var::get",
       both([](world& w) { static_cast<void>(w.var.get()); })},
      {"context_var::set", both([](world& w) { w.var.set(1); })},

      {"tasklet::join",
       {[](world& w) { w.waiter.join(); },
        [](world&) { spawn([] {}).join(); }}},
      {"tasklet::join_for", both([](world& w) { w.waiter.join_for(1ms); })},
      {"tasklet::kill", both([](world& w) { w.waiter.kill(); })},
      {"tasklet::kill(pending)",
       both([](world& w) { w.waiter.kill(pending); })},
      {"tasklet::throw_exception",
       {[](world& w) { w.waiter.throw_exception(failure); },
        [](world& w) {
          w.s.set_error_handler([](auto&&...) { return nullptr; });
          begin_to_count();
          w.waiter.throw_exception(failure);
        }}},
      {"tasklet::insert", both([](world& w) { w.paused.insert(); })},
      {"tasklet::join_for (elsewhere)",
       both([](world&) { far_one().t.join_for(1ms); })},
      {"tasklet::kill (elsewhere)", both([](world&) { far_one().t.kill(); })},
      {"tasklet::throw_exception (elsewhere)", both([](world&) {
         far_one().t.throw_exception(std::make_exception_ptr(tasklet_exit()));
       })},
      {"tasklet::insert (elsewhere)",
       both([](world&) { far_one().t.insert(); })},
      {"tasklet::remove",
       {[](world& w) { w.other.remove(); },
        [](world& w) {
          w.other = spawn([] {});
          w.other.remove();
        }}},
      {"tasklet::run", both([](world& w) { w.paused.run(); })},
      {"tasklet::switch_to",
       {[](world& w) { w.paused.switch_to(); },
        [](world& w) {
          spawn([me = current()] { me.insert(); });
          w.paused.switch_to();
        }}},
      {"tasklet::set_name", both([](world& w) { w.other.set_name("other"); })},

      {"channel::send",
       {[](world& w) { w.channel_.send(1); },
        [](world& w) { w.empty.send(1); }}},
      {"channel::receive",
       {[](world& w) { w.empty.receive(); },
        [](world& w) { w.channel_.receive(); }}},
      {"channel::take",
       {[](world& w) { w.empty.take(); }, [](world& w) { w.channel_.take(); }}},
      {"channel::try_send",
       both([](world& w) { static_cast<void>(w.channel_.try_send(1)); })},
      {"channel::try_receive",
       both([](world& w) { static_cast<void>(w.empty.try_receive()); })},
      {"channel::send_for",
       both([](world& w) { static_cast<void>(w.channel_.send_for(1ms, 1)); })},
      {"channel::receive_for",
       both([](world& w) { static_cast<void>(w.empty.receive_for(1ms)); })},
      {"channel::send_exception",
       {[](world& w) { w.empty.send_exception(failure); },
        [](world& w) {
          w.gate.set_preference(preference::neither);
          w.s.set_error_handler([](auto&&...) { return nullptr; });
          begin_to_count();
          w.gate.send_exception(failure);
        }}},
      {"channel::close", both([](world& w) { w.gate.close(); })},
      {"channel::clear", both([](world& w) { w.gate.clear(); })},
      {"channel::balance",
       both([](world& w) { static_cast<void>(w.gate.balance()); })},
      {"channel::set_name", both([](world& w) { w.gate.set_name("gate"); })},

      {"channel::send_range",
       {[](world& w) { w.channel_.send_range(std::vector<int>(3)); },
        [](world& w) {
          const std::vector<int> one(1);
          begin_to_count();
          w.empty.send_range(one);
        }}},
      {"any_channel::front",
       both([](world& w) { static_cast<void>(any_channel(w.gate).front()); })},
      {"set_channel_callback", both([](world& w) {
         set_channel_callback([&w, room = std::array<std::int64_t, 4>()](
                                  const any_channel&, const tasklet&, bool,
                                  bool) { w.works.add(room[0]); });
       })},

      {"select",
       {[](world& w) {
          select(w.empty.receive_case(), w.channel_.send_case(1));
        },
        [](world& w) {
          select(w.channel_.receive_case(), w.empty.receive_case());
        }}},
      {"timeout", both([](world&) { const timeout limit(1ms); })},
      {"timeout::restart", both([](world&) {
         timeout limit(1ms);
         limit.restart(2ms);
       })},
      {"deadline", both([](world&) { const deadline limit(1ms); })},
      {"with_timeout", both([](world&) { with_timeout(1ms, [] {}); })},
      {"earliest_limit",
       both([](world&) { static_cast<void>(earliest_limit()); })},
      {"stop_guard",
       both([](world& w) { const stop_guard stops(w.stop.get_token()); })},

      {"mutex::lock",
       {[](world& w) { w.mutex_.lock(); }, [](world& w) { w.mine.lock(); }}},
      {"mutex::try_lock",
       both([](world& w) { static_cast<void>(w.mutex_.try_lock()); })},
      {"mutex::try_lock_for",
       both([](world& w) { static_cast<void>(w.mutex_.try_lock_for(1ms)); })},
      {"mutex::unlock", both([](world& w) {
         w.mine.lock();
         w.mine.unlock();
       })},
      {"recursive_mutex::lock",
       {[](world& w) { w.recursive.lock(); },
        [](world&) {
          recursive_mutex free;
          free.lock();
          free.unlock();
        }}},
      {"recursive_mutex::unlock", both([](world&) {
         recursive_mutex free;
         free.lock();
         free.unlock();
       })},
      {"shared_mutex::lock_shared",
       {[](world& w) { w.shared.lock_shared(); },
        [](world&) {
          shared_mutex free;
          free.lock_shared();
          free.unlock_shared();
        }}},
      {"shared_mutex::unlock_shared", both([](world&) {
         shared_mutex free;
         free.lock_shared();
         free.unlock_shared();
       })},
      {"lock_all",
       {[](world& w) { lock_all(w.mutex_, w.recursive); },
        [](world& w) {
          recursive_mutex free;
          lock_all(w.mine, free);
          free.unlock();
        }}},
      {"condition_variable::wait", both([](world& w) {
         std::unique_lock held(w.mine);
         spawn([&w] { w.changed.notify_all(); });
         w.changed.wait(held);
       })},
      {"condition_variable::notify_one",
       both([](world& w) { w.changed.notify_one(); })},
      {"condition_variable::notify_all",
       both([](world& w) { w.changed.notify_all(); })},
      {"semaphore::acquire",
       {[](world& w) { w.none.acquire(); },
        [](world& w) { w.permits.acquire(); }}},
      {"semaphore::try_acquire",
       both([](world& w) { static_cast<void>(w.none.try_acquire()); })},
      {"semaphore::release", both([](world& w) { w.none.release(); })},
      {"bounded_semaphore::release", both([](world& w) {
         w.bounded.acquire();
         w.bounded.release();
       })},
      {"event::wait",
       {[](world& w) { w.event_.wait(); },
        [](world& w) {
          w.event_.set();
          w.event_.wait();
        }}},
      {"event::set", both([](world& w) { w.event_.set(); })},
      {"event::clear", both([](world& w) { w.event_.clear(); })},
      {"auto_reset_event::wait",
       {[](world& w) { w.auto_event.wait(); },
        [](world& w) {
          w.auto_event.set();
          w.auto_event.wait();
        }}},
      {"auto_reset_event::set", both([](world& w) { w.auto_event.set(); })},
      {"latch::wait",
       {[](world& w) { w.latch_.wait(); },
        [](world& w) {
          w.latch_.count_down();
          w.latch_.wait();
        }}},
      {"latch::count_down", both([](world& w) { w.latch_.count_down(); })},
      {"barrier::arrive_and_wait",
       {[](world& w) { w.barrier_.arrive_and_wait(); },
        [](world& w) {
          static_cast<void>(w.barrier_.arrive());
          w.barrier_.arrive_and_wait();
        }}},
      {"barrier::arrive",
       both([](world& w) { static_cast<void>(w.barrier_.arrive()); })},
      {"barrier::arrive_and_drop",
       both([](world& w) { w.barrier_.arrive_and_drop(); })},
      {"wait_group::wait",
       {[](world& w) { w.works.wait(); },
        [](world& w) {
          w.works.done();
          w.works.wait();
        }}},
      {"wait_group::done", both([](world& w) { w.works.done(); })},
      {"call_once",
       {[](world& w) { call_once(w.begun, [] {}); },
        [](world& w) { call_once(w.once, [] {}); }}},
      {"tasklet_local::operator*", both([](world& w) { *w.local = 1; })},

      {"scope", both([](world& w) { w.scope_.emplace(); })},
      {"scope::spawn", both([](world& w) {
         w.scope_.emplace();
         w.scope_->spawn([] {});
       })},
      {"scope::join",
       {[](world& w) {
          w.scope_.emplace();
          w.scope_->spawn([] {});
          w.scope_->join();
        },
        [](world& w) {
          w.scope_.emplace();
          w.scope_->spawn([] {});
          begin_to_count();
          w.scope_->join();
        }}},
      {"scope::cancel", both([](world& w) {
         w.scope_.emplace();
         w.scope_->spawn([] {});
         begin_to_count();
         w.scope_->cancel();
       })},

      {"group", both([](world&) { const group several; })},
      {"group::spawn", both([](world& w) { w.several.spawn([] {}); })},
      {"group::join",
       {[](world& w) {
          w.several.spawn([] {});
          w.several.join();
        },
        [](world& w) {
          w.several.spawn([] {});
          begin_to_count();
          w.several.join();
        }}},
      {"group::kill", both([](world& w) {
         w.several.spawn([] {});
         begin_to_count();
         w.several.kill();
       })},
      {"pool::spawn",
       {[](world& w) {
          w.narrow.spawn([] {});
          w.narrow.spawn([] {});
        },
        [](world& w) { w.narrow.spawn([] {}); }}},
      {"pool::try_spawn", both([](world& w) { w.narrow.try_spawn([] {}); })},
      {"pool::resize", both([](world& w) { w.narrow.resize(2); })},
      {"for_each",
       both([](world&) { for_each(std::vector<int>(3), [](int) {}, 2); })},
      {"map", both([](world&) {
         static_cast<void>(
             map(std::vector<int>(3), [](int i) { return i; }, 2));
       })},
      {"map_unordered", both([](world&) {
         for (int i :
              map_unordered(std::vector<int>(3), [](int j) { return j; }, 2))
           static_cast<void>(i);
       })},

      {"async", both([](world& w) { w.result = async([] { return 1; }); })},
      {"promise", both([](world&) { const promise<int> of; })},
      {"promise (shared)",
       both([](world&) { const promise<int> of(weft::shared); })},
      {"promise::set_value", both([](world& w) { w.promised.set_value(1); })},
      {"promise::set_exception",
       both([](world& w) { w.promised.set_exception(failure); })},
      {"future::get",
       {[](world& w) { w.result.get(); },
        [](world& w) {
          w.promised.set_value(1);
          w.result.get();
        }}},
      {"future::try_get",
       both([](world& w) { static_cast<void>(w.result.try_get()); })},
      {"future::wait",
       {[](world& w) { w.result.wait(); },
        [](world& w) {
          w.promised.set_value(1);
          w.result.wait();
        }}},
      {"future::wait_for", both([](world& w) { w.result.wait_for(1ms); })},
      {"shared_future::get",
       {[](world& w) { w.result.share().get(); },
        [](world& w) {
          w.promised.set_value(1);
          w.result.share().get();
        }}},
      {"when_all", both([](world& w) {
         static_cast<void>(when_all(std::move(w.result)));
       })},
      {"when_any", both([](world& w) {
         static_cast<void>(when_any(std::move(w.result)));
       })},
      {"as_completed",
       {[](world& w) {
          std::vector<future<int>> each_one;
          each_one.push_back(std::move(w.result));
          for (future<int>& each : as_completed(each_one)) each.get();
        },
        [](world& w) {
          std::vector<future<int>> each_one;
          each_one.push_back(std::move(w.result));
          w.promised.set_value(1);
          begin_to_count();
          for (future<int>& each : as_completed(each_one)) each.get();
        }}},
      {"wait_any",
       {[](world& w) { wait_any(w.result, w.event_); },
        [](world& w) {
          w.event_.set();
          wait_any(w.result, w.event_);
        }}},
      {"wait_all",
       {[](world& w) { wait_all(w.result, w.event_); },
        [](world& w) {
          w.event_.set();
          wait_all(w.event_);
        }}},

      {"mailbox::send",
       {[](world& w) {
          w.in.send('a');
          w.in.send('b');
        },
        [](world& w) { w.in.send('a'); }}},
      {"mailbox::try_send",
       both([](world& w) { static_cast<void>(w.in.try_send('a')); })},
      {"mailbox::receive",
       {[](world& w) { w.in.receive(); },
        [](world& w) {
          w.in.send('a');
          w.in.receive();
        }}},
      {"mailbox::receive_if",
       {[](world& w) {
          w.in.receive_if([](char c) { return c == 'a'; }, [](char) {},
                          [](const question&) {});
        },
        [](world& w) {
          w.in.send('a');
          w.in.receive_if([](char c) { return c == 'a'; }, [](char) {},
                          [](const question&) {});
        }}},
      {"mailbox::receive_only",
       {[](world& w) { w.in.receive_only<char>(); },
        [](world& w) {
          w.in.send('a');
          w.in.receive_only<char>();
        }}},
      {"mailbox::ask",
       {[](world& w) { w.in.ask<int>(); },
        [](world& w) {
          spawn([&] { w.in.receive_only<question>()->reply(1); });
          w.in.ask<int>();
        }}},
      {"mailbox::ask_for", both([](world& w) { w.in.ask_for<int>(1ms); })},
      {"request::reply", both([](world&) { question().reply(1); })},
      {"request::fail", both([](world&) { question().fail(failure); })},
      {"monitor", both([](world& w) { const monitor of(w.waiter); })},
      {"monitor::wait",
       {[](world& w) { monitor(w.waiter).wait(); },
        [](world&) { monitor(spawn([] {})).wait(); }}},
      {"link", both([](world& w) { link(w.other); })},
      {"unlink", both([](world& w) {
         link(w.other);
         begin_to_count();
         unlink(w.other);
       })},
  };
  return all;
}

struct row {
  std::string operation;
  std::string switches;
  std::string allocates;
};

std::vector<row> read_rows() {
  std::ifstream page("docs/reference.md");
  std::vector<row> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::size_t from = 2;
    for (std::size_t bar = line.find('|', from); bar != std::string::npos;
         bar = line.find('|', from)) {
      cells.push_back(line.substr(from, std::max(bar, from + 1) - from - 1));
      from = bar + 2;
    }
    REQUIRE(cells.size() >= 4);
    const std::string name = cells[0].substr(1, cells[0].size() - 2);
    rows.push_back({name, cells[1], cells[3]});
  }
  return rows;
}

bool switches(const attempt& a) {
  world w;
  const switch_trap none;
  try {
    a(w);
  } catch (const switch_trap_error&) {
    return true;
  }
  return false;
}

bool allocates(const attempt& a) {
  world w;
  // What the first of its kind makes is not counted, where it can be made
  // before.
  spawn([] {});
  yield();
  begin_to_count();
  a(w);
  return weft_test::allocations() != allocations_before;
}

TEST_CASE("the reference says of each operation whether it may switch") {
  for (const row& r : read_rows()) {
    CAPTURE(r.operation);
    REQUIRE(probes().contains(r.operation));
    CHECK((r.switches != "no") == switches(probes().at(r.operation).waiting));
  }
}

TEST_CASE("the reference says of each operation whether it allocates") {
  for (const row& r : read_rows()) {
    CAPTURE(r.operation);
    CHECK((r.allocates != "no") == allocates(probes().at(r.operation).ready));
  }
}

TEST_CASE("every header that weft.h includes is in the reference") {
  std::ifstream whole("weft.h");
  std::ifstream page("docs/reference.md");
  const std::string text((std::istreambuf_iterator<char>(page)), {});
  int headers = 0;
  for (std::string line; std::getline(whole, line);) {
    if (!line.starts_with("#include")) continue;
    const std::size_t from = line.rfind('/', line.find(".h\"")) + 1;
    CHECK_THAT(text,
               Catch::Contains(line.substr(from, line.find('"', from) - from)));
    ++headers;
  }
  CHECK(headers > 40);
}

TEST_CASE("every operation that is tried has its line in the reference") {
  std::map<std::string, int> lines;
  for (const row& r : read_rows()) ++lines[r.operation];
  for (const auto& [name, tried] : probes()) {
    CAPTURE(name);
    CHECK(lines[name] == 1);
  }
}

}  // namespace
}  // namespace weft
