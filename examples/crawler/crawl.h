// SPDX-License-Identifier: BSL-1.0
// Fetches all pages that can be reached, without being a nuisance.
//
//   crawler::web w({.pages = 500, .hosts = 7});
//   const crawler::tally t = crawler::crawl(w, 0, {.fetches = 8, .rate = 5});
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "weft/examples/crawler/web.h"

namespace crawler {

struct limits {
  std::uint32_t fetches = 1;  // at once
  std::uint32_t rate = 1;     // requests to a host in any second
  int retries = 0;            // of a page
  std::chrono::milliseconds timeout{1000};
};

struct tally {
  std::size_t fetched = 0;  // pages
  std::size_t given_up = 0;
  std::size_t answered = 0;  // requests
  std::size_t failed = 0;
  std::size_t timed_out = 0;
  std::size_t retries = 0;
  std::size_t links = 0;
  std::size_t followed = 0;  // the others lead to pages seen before
};

// Parks until each page found has been fetched, or given up. Throws as
// scope::join().
tally crawl(web& w, address start, const limits& allowed);

}  // namespace crawler
