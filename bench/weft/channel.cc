// SPDX-License-Identifier: BSL-1.0
// Values that go from tasklet to tasklet.
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "weft/bench/messages.h"
#include "weft/bench/weft/cases.h"
#include "weft/weft.h"

namespace {

// n values from one to another.
template <typename T, int Depth = 0>
double stream(std::size_t capacity, long n) {
  weft::channel<T> c(capacity);
  long sum = 0;
  const bench::stopwatch watch;
  weft::spawn([&] {
    for (long i = 0; i < n; ++i)
      bench::below<Depth>([&] { c.send(bench::message<T>(i)); });
    c.close();
  });
  weft::spawn([&] {
    while (std::optional<T> v =
               bench::below<Depth>([&] { return c.receive(); }))
      sum += bench::weight(*v);
  });
  weft::run();
  const double took = watch.ns();
  bench::check(sum == bench::weight_of_all<T>(n), "the sum of a stream");
  return took / static_cast<double>(n);
}

// n round trips between two.
double ping_pong(long n) {
  weft::channel<int> ping;
  weft::channel<int> pong;
  long sum = 0;
  const bench::stopwatch watch;
  weft::spawn([&] {
    for (long i = 0; i < n; ++i) {
      ping.send(static_cast<int>(i));
      sum += *pong.receive();
    }
    ping.close();
  });
  weft::spawn([&] {
    while (const std::optional<int> v = ping.receive()) pong.send(*v);
  });
  weft::run();
  const double took = watch.ns();
  bench::check(sum == bench::weight_of_all<int>(n), "the sum of ping-pong");
  return took / static_cast<double>(n);
}

// A token makes n hops round a ring.
double ring(long members, long n) {
  std::deque<weft::channel<int>> links(static_cast<std::size_t>(members));
  long last = -1;
  for (long i = 0; i < members; ++i)
    weft::spawn([&links, &last, i, members] {
      weft::channel<int>& in = links[static_cast<std::size_t>(i)];
      weft::channel<int>& out =
          links[static_cast<std::size_t>((i + 1) % members)];
      while (const std::optional<int> token = in.receive()) {
        if (*token == 0) {
          last = i;
          break;
        }
        out.send(*token - 1);
      }
      out.close();
    });
  weft::yield();  // all wait for the token
  const bench::stopwatch watch;
  links[0].send(static_cast<int>(n));
  weft::run();
  const double took = watch.ns();
  bench::check(last == n % members, "the token stopped elsewhere");
  return took / static_cast<double>(n);
}

// The primes up to `limit`: a tasklet for each one takes out its multiples.
double sieve(int limit, int primes) {
  std::deque<weft::channel<int>> links(1);
  const bench::stopwatch watch;
  weft::spawn([&first = links.front(), limit] {
    for (int n = 2; n <= limit; ++n) first.send(n);
    first.close();
  });
  int found = 0;
  int last = 0;
  while (const std::optional<int> prime = links.back().receive()) {
    ++found;
    last = *prime;
    weft::channel<int>& in = links.back();
    weft::channel<int>& out = links.emplace_back();
    weft::spawn([&in, &out, prime = *prime] {
      while (const std::optional<int> n = in.receive())
        if (*n % prime != 0) out.send(*n);
      out.close();
    });
  }
  weft::run();
  const double took = watch.ns();
  bench::check(found == primes && last == limit, "the primes");
  return took / 1e6;
}

}  // namespace

void add_channel_cases(bench::suite& all) {
  all.add("channel/unbuffered", "an int, unbuffered; stacks warm",
          [](const bench::work& w) { return stream<int>(0, w.operations); });
  all.add("channel/unbuffered/depth4",
          "the same, both ends four calls below the body; stacks warm",
          [](const bench::work& w) { return stream<int, 4>(0, w.operations); });
  all.add("channel/unbuffered_string",
          "a short std::string, unbuffered; stacks warm",
          [](const bench::work& w) {
            return stream<std::string>(0, w.operations);
          });
  all.add("channel/buffered", "an int through a buffer of 128; stacks warm",
          [](const bench::work& w) { return stream<int>(128, w.operations); });
  all.add("channel/pingpong",
          "a round trip over two unbuffered channels; stacks warm",
          [](const bench::work& w) { return ping_pong(w.operations); });
  all.add("channel/ring503", "a hop of a token in a ring of 503; stacks warm",
          [](const bench::work& w) { return ring(503, w.operations); });
  all.add_once("channel/sieve", "ms",
               "the first 2000 primes by a chain of filters; stacks warm",
               [](const bench::work& w) {
                 const int limit = w.smoke ? 97 : 17389;
                 const int primes = w.smoke ? 25 : 2000;
                 sieve(limit, primes);
                 return sieve(limit, primes);
               });
}
