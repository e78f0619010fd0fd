// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/crawler/web.h"

#include <algorithm>
#include <limits>
#include <random>

using namespace std::chrono_literals;

namespace crawler {
namespace {

constexpr int for_ever = std::numeric_limits<int>::max();

}  // namespace

// std::mt19937_64 is the same everywhere; the library's distributions are not.
web::web(const web_options& options)
    : pages_(options.pages), last_second_(options.hosts) {
  std::mt19937_64 random(options.seed);
  const auto below = [&random](std::size_t n) {
    return static_cast<std::size_t>(random() % n);
  };
  for (address a = 0; a != pages_.size(); ++a) {
    page& p = pages_[a];
    // The first hosts have more pages than the last.
    p.host = below(1 + below(options.hosts));
    p.latency = std::chrono::milliseconds(20 + below(200));
    for (std::size_t more = below(8); more != 0; --more)
      p.to.push_back(below(pages_.size()));
    if (a == 0) continue;
    pages_[below(a)].to.push_back(a);
    switch (below(20)) {
      case 0:
        p.failures = for_ever;
        break;
      case 1:
        p.failures = 1;
        break;
      case 2:
        p.failures = 2;
        break;
      case 3:
        p.slow = for_ever;
        break;
      case 4:
        p.slow = 1;
        break;
      default:
        break;
    }
  }
}

class web::request {
 public:
  request(web& w, std::size_t host) : web_(w) {
    web_.peak_requests_ = std::max(web_.peak_requests_, ++web_.requests_);
    auto& recent = web_.last_second_[host];
    const auto now = weft::clock::now();
    while (!recent.empty() && recent.front() <= now - 1s) recent.pop_front();
    recent.push_back(now);
    web_.peak_rate_ = std::max(web_.peak_rate_, recent.size());
  }
  request(const request&) = delete;
  request& operator=(const request&) = delete;
  ~request() { --web_.requests_; }

 private:
  web& web_;
};

const links& web::fetch(address a) {
  page& p = pages_.at(a);
  const request counted(*this, p.host);
  if (p.slow != 0) {
    if (p.slow != for_ever) --p.slow;
    weft::sleep_for(1min);
  }
  weft::sleep_for(p.latency);
  if (p.failures != 0) {
    if (p.failures != for_ever) --p.failures;
    throw no_page();
  }
  return p.to;
}

}  // namespace crawler
