// SPDX-License-Identifier: BSL-1.0
// Two threads with a scheduler each, and the ways between them.
#include "weft/bench/threads.h"

#include <atomic>
#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/channel_op_status.hpp>
#include <boost/fiber/future.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weft/bench/fiber/cases.h"
#include "weft/bench/messages.h"

namespace {

using bench::cores;
using boost::fibers::buffered_channel;
using boost::fibers::channel_op_status;
using boost::fibers::fiber;
using boost::fibers::unbuffered_channel;

// Takes turns as the default, and never sleeps.
struct sleepless : boost::fibers::algo::round_robin {
  void suspend_until(const std::chrono::steady_clock::time_point&
                     /*when*/) noexcept override {}
  void notify() noexcept override {}
};

// n round trips between two.
template <typename Algorithm = boost::fibers::algo::round_robin>
double ping_pong(cores where, long n) {
  unbuffered_channel<int> ping;
  unbuffered_channel<int> pong;
  long sum = 0;
  const double took = bench::on_two_threads(
      where,
      [&] {
        boost::fibers::use_scheduling_algorithm<Algorithm>();
        spawn([&] {
          for (long i = 0; i < n; ++i) {
            ping.push(static_cast<int>(i));
            sum += pong.value_pop();
          }
          ping.close();
        }).join();
      },
      [&] {
        boost::fibers::use_scheduling_algorithm<Algorithm>();
        spawn([&] {
          int v = 0;
          while (ping.pop(v) == channel_op_status::success) pong.push(v);
        }).join();
      });
  bench::check(sum == bench::weight_of_all<int>(n), "the sum of ping-pong");
  return took / static_cast<double>(n);
}

// n values from one to another.
double stream(cores where, long n) {
  buffered_channel<int> c(1024);
  long sum = 0;
  const double took = bench::on_two_threads(
      where,
      [&] {
        spawn([&] {
          for (long i = 0; i < n; ++i) c.push(static_cast<int>(i));
          c.close();
        }).join();
      },
      [&] {
        spawn([&] {
          int v = 0;
          while (c.pop(v) == channel_op_status::success) sum += v;
        }).join();
      });
  bench::check(sum == bench::weight_of_all<int>(n), "the sum of a stream");
  return took / static_cast<double>(n);
}

// Four send and four receive, two and two in each thread.
double crowd(cores where, long n) {
  buffered_channel<int> c(128);
  const long share = n / 4;
  std::atomic<int> sending{4};
  std::atomic<long> sum{0};
  const auto half = [&] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 2; ++i) {
      fibers.push_back(spawn([&] {
        for (long k = 0; k < share; ++k) c.push(static_cast<int>(k));
        if (--sending == 0) c.close();
      }));
      fibers.push_back(spawn([&] {
        long mine = 0;
        int v = 0;
        while (c.pop(v) == channel_op_status::success) mine += v;
        sum += mine;
      }));
    }
    for (fiber& each : fibers) each.join();
  };
  const double took = bench::on_two_threads(where, half, half);
  bench::check(sum == 4 * bench::weight_of_all<int>(share),
               "the sum of a crowd");
  return took / static_cast<double>(4 * share);
}

// It has none of its own: a helper thread takes calls from a channel, and the
// caller waits for the future.
double offload(long n) {
  using call = boost::fibers::packaged_task<int()>;
  buffered_channel<call> calls(16);
  std::thread helper([&calls] {
    call next;
    while (calls.pop(next) == channel_op_status::success) next();
  });
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) {
    call one([] { return 1; });
    boost::fibers::future<int> result = one.get_future();
    calls.push(std::move(one));
    sum += result.get();
  }
  const double took = watch.ns();
  calls.close();
  helper.join();
  bench::check(sum == n, "a result is missing");
  return took / static_cast<double>(n);
}

// One waits for the other, which waits for the time.
double idle(std::chrono::milliseconds time) {
  unbuffered_channel<int> c;
  double spent = 0;
  bench::on_two_threads(
      cores::one_each,
      [&] {
        c.push(0);  // the other is there
        spent =
            bench::cpu_while([time] { boost::this_fiber::sleep_for(time); });
        c.close();
      },
      [&] {
        int v = 0;
        while (c.pop(v) == channel_op_status::success) {
        }
      });
  return spent;
}

}  // namespace

void add_thread_cases(bench::suite& all) {
  // Each case on a core for each thread, and on those that the kernel chooses.
  const auto add = [&all](const char* name, const char* about,
                          double (*measure)(cores, long)) {
    all.add(name, std::string(about) + "; a core each",
            [=](const bench::work& w) {
              return measure(cores::one_each, w.operations);
            });
    all.add(std::string(name) + "/unpinned", "the same; on any core",
            [=](const bench::work& w) {
              return measure(cores::any, w.operations);
            });
  };
  add("xthread/pingpong",
      "a round trip between two threads over two unbuffered channels",
      ping_pong<>);
  all.add("xthread/pingpong/sleepless",
          "the same; a core each, which are busy when there is nothing to do",
          [](const bench::work& w) {
            return ping_pong<sleepless>(cores::one_each, w.operations);
          });
  add("xthread/stream_1024",
      "an int from thread to thread through a buffer of 1024, which holds 1023",
      stream);
  add("xthread/mpmc_4x4",
      "an int from 4 to 4 in two threads through a buffer of 128, holding 127",
      crowd);
  all.add_once("xthread/idle", "us",
               "CPU time a second of two threads that wait",
               [](const bench::work& w) { return idle(bench::idle_time(w)); });
  all.add("offload", "a call on another thread by a channel, and its future",
          [](const bench::work& w) { return offload(w.operations); });
}
