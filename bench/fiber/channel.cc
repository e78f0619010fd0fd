// SPDX-License-Identifier: BSL-1.0
// Values that go from fiber to fiber.
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/channel_op_status.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "weft/bench/fiber/cases.h"
#include "weft/bench/messages.h"

namespace {

using boost::fibers::buffered_channel;
using boost::fibers::channel_op_status;
using boost::fibers::fiber;
using boost::fibers::unbuffered_channel;

// n values from one to another.
template <int Depth = 0, typename Channel>
double stream(Channel& c, long n) {
  using value_type = typename Channel::value_type;
  long sum = 0;
  const bench::stopwatch watch;
  fiber sender = spawn([&] {
    for (long i = 0; i < n; ++i)
      bench::below<Depth>([&] { c.push(bench::message<value_type>(i)); });
    c.close();
  });
  fiber receiver = spawn([&] {
    value_type v;
    while (bench::below<Depth>([&] { return c.pop(v); }) ==
           channel_op_status::success)
      sum += bench::weight(v);
  });
  sender.join();
  receiver.join();
  const double took = watch.ns();
  bench::check(sum == bench::weight_of_all<value_type>(n),
               "the sum of a stream");
  return took / static_cast<double>(n);
}

template <typename T, int Depth = 0>
double unbuffered(long n) {
  unbuffered_channel<T> c;
  return stream<Depth>(c, n);
}

// The capacity is a power of two, of which one place stays empty.
double buffered(long n) {
  buffered_channel<int> c(128);
  return stream(c, n);
}

// n round trips between two.
double ping_pong(long n) {
  unbuffered_channel<int> ping;
  unbuffered_channel<int> pong;
  long sum = 0;
  const bench::stopwatch watch;
  fiber first = spawn([&] {
    for (long i = 0; i < n; ++i) {
      ping.push(static_cast<int>(i));
      sum += pong.value_pop();
    }
    ping.close();
  });
  fiber second = spawn([&] {
    int v = 0;
    while (ping.pop(v) == channel_op_status::success) pong.push(v);
  });
  first.join();
  second.join();
  const double took = watch.ns();
  bench::check(sum == bench::weight_of_all<int>(n), "the sum of ping-pong");
  return took / static_cast<double>(n);
}

// A token makes n hops round a ring.
double ring(long members, long n) {
  std::deque<unbuffered_channel<int>> links(static_cast<std::size_t>(members));
  long last = -1;
  std::vector<fiber> fibers;
  for (long i = 0; i < members; ++i)
    fibers.push_back(spawn([&links, &last, i, members] {
      unbuffered_channel<int>& in = links[static_cast<std::size_t>(i)];
      unbuffered_channel<int>& out =
          links[static_cast<std::size_t>((i + 1) % members)];
      int token = 0;
      while (in.pop(token) == channel_op_status::success) {
        if (token == 0) {
          last = i;
          break;
        }
        out.push(token - 1);
      }
      out.close();
    }));
  boost::this_fiber::yield();  // all wait for the token
  const bench::stopwatch watch;
  links[0].push(static_cast<int>(n));
  for (fiber& each : fibers) each.join();
  const double took = watch.ns();
  bench::check(last == n % members, "the token stopped elsewhere");
  return took / static_cast<double>(n);
}

// The primes up to `limit`: a fiber for each one takes out its multiples.
double sieve(int limit, int primes) {
  std::deque<unbuffered_channel<int>> links(1);
  std::vector<fiber> fibers;
  const bench::stopwatch watch;
  fibers.push_back(spawn([&first = links.front(), limit] {
    for (int n = 2; n <= limit; ++n) first.push(n);
    first.close();
  }));
  int found = 0;
  int last = 0;
  int prime = 0;
  while (links.back().pop(prime) == channel_op_status::success) {
    ++found;
    last = prime;
    unbuffered_channel<int>& in = links.back();
    unbuffered_channel<int>& out = links.emplace_back();
    fibers.push_back(spawn([&in, &out, prime] {
      int n = 0;
      while (in.pop(n) == channel_op_status::success)
        if (n % prime != 0) out.push(n);
      out.close();
    }));
  }
  for (fiber& each : fibers) each.join();
  const double took = watch.ns();
  bench::check(found == primes && last == limit, "the primes");
  return took / 1e6;
}

}  // namespace

void add_channel_cases(bench::suite& all) {
  all.add("channel/unbuffered", "an int, unbuffered; stacks warm",
          [](const bench::work& w) { return unbuffered<int>(w.operations); });
  all.add(
      "channel/unbuffered/depth4",
      "the same, both ends four calls below the body; stacks warm",
      [](const bench::work& w) { return unbuffered<int, 4>(w.operations); });
  all.add("channel/unbuffered_string",
          "a short std::string, unbuffered; stacks warm",
          [](const bench::work& w) {
            return unbuffered<std::string>(w.operations);
          });
  all.add("channel/buffered",
          "an int through a buffer of 128, which holds 127; stacks warm",
          [](const bench::work& w) { return buffered(w.operations); });
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
