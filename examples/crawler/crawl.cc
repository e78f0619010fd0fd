// SPDX-License-Identifier: BSL-1.0
// A tasklet for every page found. There is no queue but the lines in which they
// stand, and no worker that could be idle: the scope ends when all have.
#include "weft/examples/crawler/crawl.h"

#include <deque>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "weft/examples/token_bucket.h"
#include "weft/weft.h"

using namespace std::chrono_literals;

namespace crawler {
namespace {

// Of a semaphore, for as long as it is in scope.
class permit {
 public:
  explicit permit(weft::semaphore& from) : from_(from) { from_.acquire(); }
  permit(const permit&) = delete;
  permit& operator=(const permit&) = delete;
  ~permit() { from_.release(); }

 private:
  weft::semaphore& from_;
};

// What is known of one. With a bucket for one token requests are evenly spaced,
// so that no second, wherever it begins, has more than are allowed.
struct host {
  explicit host(std::uint32_t rate)
      : requests((std::chrono::nanoseconds(1s) + (rate - 1) * 1ns) / rate, 1) {}
  examples::token_bucket requests;
  weft::mutex next;  // whose request is the next one
};

class explorer {
 public:
  explorer(web& w, const limits& allowed)
      : web_(w), allowed_(allowed), fetches_(allowed.fetches) {}

  void follow(address a, weft::scope& pages) {
    if (!seen_.insert(a).second) return;
    ++count.followed;
    pages.spawn([this, a, &pages] { visit(a, pages); });
  }

  tally count;

 private:
  void visit(address a, weft::scope& pages) {
    const links* to = fetch(a);
    auto pause = 500ms;
    for (int i = 0; to == nullptr && i != allowed_.retries; ++i, pause *= 2) {
      weft::sleep_for(pause);
      ++count.retries;
      to = fetch(a);
    }
    if (to == nullptr) {
      ++count.given_up;
      return;
    }
    ++count.fetched;
    count.links += to->size();
    for (const address next : *to) follow(next, pages);
  }

  // Null: there was no page, or not in time.
  const links* fetch(address a) {
    host& h = host_of(a);
    std::unique_lock turn(h.next);
    // Who waits for a token holds no permit meanwhile. Once it has one, the
    // token is still there: it is nobody else's turn.
    weft::sleep_until(h.requests.when());
    const permit one(fetches_);
    h.requests.take();
    turn.unlock();
    try {
      const std::optional<const links*> to =
          weft::with_timeout(allowed_.timeout, [&] { return &web_.fetch(a); });
      ++(to ? count.answered : count.timed_out);
      return to.value_or(nullptr);
    } catch (const no_page&) {
      ++count.failed;
      return nullptr;
    }
  }

  host& host_of(address a) {
    const std::size_t number = web_.host_of(a);
    while (hosts_.size() <= number) hosts_.emplace_back(allowed_.rate);
    return hosts_[number];
  }

  web& web_;
  limits allowed_;
  weft::semaphore fetches_;
  std::deque<host> hosts_;
  std::unordered_set<address> seen_;
};

}  // namespace

tally crawl(web& w, address start, const limits& allowed) {
  explorer all(w, allowed);
  weft::scope pages;
  all.follow(start, pages);
  pages.join();
  return all.count;
}

}  // namespace crawler
