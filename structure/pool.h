// SPDX-License-Identifier: BSL-1.0
// At most so many tasklets at a time.
//
//   weft::pool crawlers(10);
//   for (const url& u : urls) crawlers.spawn(crawl, u);  // parks while 10 run
//   crawlers.join();
//
// As a group, but spawn() waits for its turn. So whoever feeds the pool goes no
// faster than that works.
//
// A tasklet of the pool that spawns in it while it is full would wait for
// itself: it calls the function instead, and goes on when that has returned. So
// never more than the limit run, and nobody hangs; what escapes the function
// counts as a failure of the pool like others; but a kill is the caller's, and
// so is what escapes after a time limit, a scope or a stop of the caller has
// interrupted it. (Eventlet's rule. To throw would have every such caller write
// the same loop; to go over the limit would make it none.)
//
// Thread safety: the thread of its scheduler.
// Lifetime:      as a group's. Nobody may wait in spawn() by then.
// Cost:          as a group; two allocations. O(limit) where it is full.
// (Eventlet: GreenPool. gevent: pool.Pool.)
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/spawn.h"
#include "weft/structure/group.h"
#include "weft/structure/slots.h"

namespace weft {

class pool {
 public:
  // Throws no_scheduler, std::bad_alloc.
  explicit pool(std::size_t limit,
                std::source_location where = std::source_location::current())
      : slots_(std::make_shared<slots>(limit)), members_(where) {}

  // Parks while the pool is full, in line with others. Gives the tasklet; the
  // caller itself, where it has called f(args...). Throws as weft::spawn() and
  // as tasklet::join(), and wrong_scheduler; then there is no tasklet, though its
  // callable has been moved from.
  template <typename F>
    requires spawnable<F>
  tasklet spawn(F&& f,
                std::source_location where = std::source_location::current()) {
    return enter({.site = where}, where, std::forward<F>(f));
  }
  template <typename F, typename A, typename... Args>
    requires spawnable<F, A, Args...>
  [[gnu::noinline]] tasklet spawn(F&& f, A&& arg, Args&&... args) {
    return enter({.site = spawn_site(__builtin_return_address(0))}, {},
                 bind_once(std::forward<F>(f), std::forward<A>(arg),
                           std::forward<Args>(args)...));
  }
  template <typename F, typename... Args>
    requires spawnable<F, Args...>
  tasklet spawn(spawn_options options, F&& f, Args&&... args) {
    const std::source_location where = options.site.source;
    return enter(std::move(options), where,
                 bind_once(std::forward<F>(f), std::forward<Args>(args)...));
  }

  // Nothing where the pool is full; then nothing has been moved from.
  template <typename F, typename... Args>
    requires spawnable<F, Args...>
  [[gnu::noinline]] std::optional<tasklet> try_spawn(F&& f, Args&&... args) {
    members_.require_home();
    if (slots_->free() == 0) return std::nullopt;
    auto one = slots_->take_now();
    return start({.site = spawn_site(__builtin_return_address(0))},
                 std::move(one),
                 bind_once(std::forward<F>(f), std::forward<Args>(args)...));
  }

  // Those who wait go on, as far as there is room now. Nobody is killed: where
  // more run, that ends with them. Throws wrong_scheduler, no_scheduler.
  void resize(std::size_t limit) {
    members_.require_home();
    slots_->resize(limit);
  }

  [[nodiscard]] std::size_t limit() const { return slots_->limit(); }
  [[nodiscard]] std::size_t running() const { return slots_->taken(); }
  [[nodiscard]] std::size_t free() const { return slots_->free(); }
  // Those that are parked in spawn().
  [[nodiscard]] std::size_t waiting() const { return slots_->waiting(); }

  // All as of a group.
  void wait(std::source_location where = std::source_location::current()) {
    members_.wait(where);
  }
  void join(std::source_location where = std::source_location::current()) {
    members_.join(where);
  }
  void kill() { members_.kill(); }
  void cancel() { members_.cancel(); }
  [[nodiscard]] bool cancelled() const { return members_.cancelled(); }
  [[nodiscard]] const std::vector<member_failure>& failures() const {
    return members_.failures();
  }
  std::vector<member_failure> take_failures() noexcept {
    return members_.take_failures();
  }

 private:
  template <typename F>
  tasklet enter(spawn_options options, std::source_location where, F&& f) {
    members_.require_home();
    std::decay_t<F> body(std::forward<F>(f));
    if (slots_->free() == 0 && members_.has_current()) {
      members_.call(body);
      return current();
    }
    auto one = slots_->take("spawn in a pool", where);
    return start(std::move(options), std::move(one), std::move(body));
  }
  template <typename F>
  tasklet start(spawn_options options, slots::holder one, F body) {
    return members_.spawn(
        std::move(options),
        [one = std::move(one), body = std::move(body)]() mutable { body(); });
  }

  std::shared_ptr<slots> slots_;
  group members_;
};

}  // namespace weft
