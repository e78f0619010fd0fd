// SPDX-License-Identifier: BSL-1.0
// Two schedulers in two threads, and the ways between them.
#include "weft/bench/threads.h"

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "weft/bench/messages.h"
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

using bench::cores;

// n round trips between two.
double ping_pong(cores where, long n) {
  weft::channel<int> ping(weft::shared);
  weft::channel<int> pong(weft::shared);
  long sum = 0;
  const double took = bench::on_two_threads(
      where,
      [&] {
        const weft::scheduler here;
        weft::spawn([&] {
          for (long i = 0; i < n; ++i) {
            ping.send(static_cast<int>(i));
            sum += *pong.receive();
          }
          ping.close();
        });
        weft::run();
      },
      [&] {
        const weft::scheduler here;
        weft::spawn([&] {
          while (const std::optional<int> v = ping.receive()) pong.send(*v);
        });
        weft::run();
      });
  bench::check(sum == bench::weight_of_all<int>(n), "the sum of ping-pong");
  return took / static_cast<double>(n);
}

// n values from one to another.
double stream(cores where, long n) {
  weft::channel<int> c(1024, weft::shared);
  long sum = 0;
  const double took = bench::on_two_threads(
      where,
      [&] {
        const weft::scheduler here;
        weft::spawn([&] {
          for (long i = 0; i < n; ++i) c.send(static_cast<int>(i));
          c.close();
        });
        weft::run();
      },
      [&] {
        const weft::scheduler here;
        weft::spawn([&] {
          while (const std::optional<int> v = c.receive()) sum += *v;
        });
        weft::run();
      });
  bench::check(sum == bench::weight_of_all<int>(n), "the sum of a stream");
  return took / static_cast<double>(n);
}

// Four send and four receive, two and two in each thread.
double crowd(cores where, long n) {
  weft::channel<int> c(128, weft::shared);
  const long share = n / 4;
  std::atomic<int> sending{4};
  std::atomic<long> sum{0};
  const auto half = [&] {
    const weft::scheduler here;
    for (int i = 0; i < 2; ++i) {
      weft::spawn([&] {
        for (long k = 0; k < share; ++k) c.send(static_cast<int>(k));
        if (--sending == 0) c.close();
      });
      weft::spawn([&] {
        long mine = 0;
        while (const std::optional<int> v = c.receive()) mine += *v;
        sum += mine;
      });
    }
    weft::run();
  };
  const double took = bench::on_two_threads(where, half, half);
  bench::check(sum == 4 * bench::weight_of_all<int>(share),
               "the sum of a crowd");
  return took / static_cast<double>(4 * share);
}

// A thread without a scheduler posts 128 at a time, and waits until they have
// run.
double post(long n) {
  constexpr long batch = 128;
  const long batches = (n + batch - 1) / batch;
  std::promise<weft::outside> way_in;
  std::atomic<long> ran{0};
  const double took = bench::on_two_threads(
      cores::one_each,
      [&] {
        const weft::scheduler here;
        way_in.set_value(weft::outside());
        weft::run();
      },
      [&] {
        const weft::outside in = way_in.get_future().get();
        for (long posted = 0; posted < batches * batch;) {
          for (const long end = posted + batch; posted < end; ++posted)
            in.post([&ran] { ran.fetch_add(1, std::memory_order_release); });
          while (ran.load(std::memory_order_acquire) < posted)
            std::this_thread::yield();
        }
      });
  bench::check(ran == batches * batch, "a post has not run");
  return took / static_cast<double>(batches * batch);
}

double offload(long n) {
  long sum = 0;
  const bench::stopwatch watch;
  for (long i = 0; i < n; ++i) sum += weft::offload([] { return 1; });
  const double took = watch.ns();
  bench::check(sum == n, "a result is missing");
  return took / static_cast<double>(n);
}

// One waits for the other, which waits for the time.
double idle(std::chrono::milliseconds time) {
  weft::channel<int> c(weft::shared);
  double spent = 0;
  bench::on_two_threads(
      cores::one_each,
      [&] {
        const weft::scheduler here;
        c.send(0);  // the other is there
        spent = bench::cpu_while([time] { weft::sleep_for(time); });
        c.close();
      },
      [&] {
        const weft::scheduler here;
        while (c.receive()) {
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
      ping_pong);
  add("xthread/stream_1024",
      "an int from thread to thread through a buffer of 1024", stream);
  add("xthread/mpmc_4x4",
      "an int from 4 to 4 in two threads through a buffer of 128", crowd);
  all.add("xthread/post",
          "a post from a plain thread until it has run, 128 at a time",
          [](const bench::work& w) { return post(w.operations); });
  all.add_once("xthread/idle", "us",
               "CPU time a second of two threads that wait",
               [](const bench::work& w) { return idle(bench::idle_time(w)); });
  all.add("offload", "a call on another thread, and its result",
          [](const bench::work& w) { return offload(w.operations); });
}
