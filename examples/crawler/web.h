// SPDX-License-Identifier: BSL-1.0
// A web without a network: pages on hosts, links, answers that take their time
// or never come, and servers that count what is asked of them.
//
//   crawler::web w({.pages = 500, .hosts = 7, .seed = 1});
//   for (crawler::address a : w.fetch(0)) ...
//
// It is the same for a seed, whatever is asked for in which order.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <vector>

#include "weft/weft.h"

namespace crawler {

using address = std::size_t;
using links = std::vector<address>;

struct web_options {
  std::size_t pages = 1;
  std::size_t hosts = 1;
  std::uint64_t seed = 0;
};

// The server answers, but not with the page.
class no_page : public std::runtime_error {
 public:
  no_page() : runtime_error("500 internal server error") {}
};

class web {
 public:
  // All pages can be reached from 0. That one is sound; of the others
  // - most answer within a quarter of a second,
  // - some do so after they have failed once or twice, or been slow once,
  // - some always fail, or take a minute.
  explicit web(const web_options& options);

  // Parks until there is an answer. Throws no_page.
  const links& fetch(address a);

  [[nodiscard]] std::size_t host_of(address a) const { return pages_[a].host; }

  // The most requests that the servers have dealt with at a time, and that one
  // host has got in any second.
  [[nodiscard]] std::size_t peak_requests() const { return peak_requests_; }
  [[nodiscard]] std::size_t peak_rate() const { return peak_rate_; }

 private:
  struct page {
    std::size_t host = 0;
    links to;
    std::chrono::milliseconds latency{0};
    int slow = 0;      // so many requests take a minute,
    int failures = 0;  // and so many after these get no page
  };
  // Of a request that is being dealt with.
  class request;

  std::vector<page> pages_;
  std::vector<std::deque<weft::clock::time_point>> last_second_;  // by host
  std::size_t requests_ = 0;
  std::size_t peak_requests_ = 0;
  std::size_t peak_rate_ = 0;
};

}  // namespace crawler
