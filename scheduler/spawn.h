// SPDX-License-Identifier: BSL-1.0
// spawn(): a callable becomes a tasklet.
//
//   weft::tasklet t = weft::spawn([] { ... });
//   weft::spawn(serve, std::ref(socket), 80);
//   weft::spawn({.name = "npc", .stack_size = 32 << 10}, patrol, route);
//
// create(): the same, but it waits to be inserted.
//
//   weft::tasklet t = weft::create([] { ... });
//   t.insert();
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/saturate.h"
#include "weft/tasklet/spawn_site.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

struct spawn_options {
  // For reports; copied.
  std::string name = {};
  // In bytes, rounded up to a power of two from 8 KiB (aarch64: 16 KiB) to 1 GiB;
  // 0: the scheduler's.
  std::size_t stack_size = 0;
  // For reports. spawn(f, args...) without options has the address of the code
  // that calls it instead.
  spawn_site site = std::source_location::current();
};

template <typename F, typename... Args>
concept spawnable =
    std::constructible_from<std::decay_t<F>, F> &&
    (std::constructible_from<std::decay_t<Args>, Args> && ...) &&
    std::invocable<std::decay_t<F>, std::decay_t<Args>...>;

// Makes a tasklet that will call f(args...), at the tail of the run queue of
// this thread's scheduler. Does not switch. Callable and arguments are decayed
// and copied or moved, as by std::thread: std::ref() for a reference. The
// result is dropped; what escapes goes to those who join(), else to run(), else
// to main.
//
// Throws no_scheduler, std::bad_alloc, what copying throws, and
//        std::invalid_argument for a stack size out of range. Then there is no
//        tasklet.
// Cost:  O(1); an allocation only for callables of over 64 bytes and for names.
template <typename F>
  requires spawnable<F>
tasklet spawn(F&& f,
              std::source_location where = std::source_location::current());
template <typename F, typename A, typename... Args>
  requires spawnable<F, A, Args...>
tasklet spawn(F&& f, A&& arg, Args&&... args);
template <typename F, typename... Args>
  requires spawnable<F, Args...>
tasklet spawn(spawn_options options, F&& f, Args&&... args);

// As spawn(), but the tasklet is paused: it stands in no queue until somebody
// insert()s or run()s it. (Stackless: tasklet().bind(f, args).)
template <typename F>
  requires spawnable<F>
tasklet create(F&& f,
               std::source_location where = std::source_location::current());
template <typename F, typename A, typename... Args>
  requires spawnable<F, A, Args...>
tasklet create(F&& f, A&& arg, Args&&... args);
template <typename F, typename... Args>
  requires spawnable<F, Args...>
tasklet create(spawn_options options, F&& f, Args&&... args);

// One that has nothing to run yet: tasklet::bind() or setup() gives it that.
tasklet create(spawn_options options);
tasklet create(std::source_location where = std::source_location::current());

// ---------------------------------------------------------------------------

// The half of spawn() that no template is needed for: it takes a descriptor,
// then the callable is put into body, then commit() puts the tasklet into the
// run queue, or pauses it.
class spawning {
 public:
  spawning(dispatcher* s, spawn_site site) : s_(s), d_(s->new_descriptor()) {
    d_->site = site;
    d_->stack_class = s->default_stack_class;
  }
  spawning(const spawning&) = delete;
  spawning& operator=(const spawning&) = delete;
  ~spawning() {
    if (d_ != nullptr) [[unlikely]]
      drop(s_, d_);
  }

  void set(spawn_options& options) { set(*d_, options); }
  callable& body() { return d_->body; }

  // Both throw std::bad_alloc; then there is no tasklet.
  [[gnu::always_inline]] tasklet commit() {
    const tasklet t = begin();
    descriptor* d = dispatcher::described(t);
    if (s_->flagged()) [[unlikely]]
      commit_rare(s_, d);
    else
      s_->queue.push(&d->seed);
    return t;
  }
  tasklet commit_paused();
  // One that nobody has spawned: it inherits nothing, and nobody is told.
  void commit_orphan() {
    s_->queue.push(&dispatcher::described(begin(false))->seed);
  }

 private:
  // `bears`: the current tasklet may have something that a spawn inherits.
  tasklet begin() { return begin(s_->current->who->detailed); }
  [[gnu::always_inline]] tasklet begin(bool bears) {
    if (bears) [[unlikely]]
      hand_on(s_, d_);
    // Only now: to copy the callable may have spawned others.
    if (!s_->queue.has_room(s_->live + 1)) [[unlikely]]
      make_room(s_, d_);
    descriptor* d = std::exchange(d_, nullptr);
    const tasklet t = dispatcher::handle(d, ++s_->ids);
    d->id = t.id();
    d->owner = s_;
    d->block = &d->seed;
    d->seed.flags = s_->seed_flags(d->stack_class);
    d->shields = d->exits_alive = 0;
    d->kills = 0;
    ++s_->live;
    if (bears) [[unlikely]]
      bequeath(s_, d);
    return t;
  }
  // By value: this object stays in registers.
  static void set(descriptor& d, spawn_options& options);
  static void hand_on(dispatcher* s, descriptor* d);
  static void make_room(dispatcher* s, descriptor* d);
  // What a tasklet inherits. Throws std::bad_alloc; then there is no tasklet.
  static void bequeath(dispatcher* s, descriptor* d);
  static void commit_rare(dispatcher* s, descriptor* d);
  static void announce(dispatcher* s, descriptor* d);
  static void drop(dispatcher* s, descriptor* d) noexcept;

  dispatcher* s_;
  descriptor* d_;
};

// Callable and arguments in one, to be called once; gives what that gives.
template <typename F, typename... Args>
auto bind_once(F&& f, Args&&... args) {
  if constexpr (sizeof...(Args) == 0) {
    return std::decay_t<F>(std::forward<F>(f));
  } else {
    return [f = std::decay_t<F>(std::forward<F>(f)),
            kept = std::tuple<std::decay_t<Args>...>(
                std::forward<Args>(args)...)]() mutable -> decltype(auto) {
      return std::apply(
          [&f](auto&... each) -> decltype(auto) {
            return std::invoke(std::move(f), std::move(each)...);
          },
          kept);
    };
  }
}

template <typename F>
  requires spawnable<F>
tasklet spawn(F&& f, std::source_location where) {
  spawning s(this_dispatcher(), where);
  s.body().emplace(std::forward<F>(f));
  return s.commit();
}

template <typename F, typename A, typename... Args>
  requires spawnable<F, A, Args...>
[[gnu::noinline]] tasklet spawn(F&& f, A&& arg, Args&&... args) {
  spawning s(this_dispatcher(), spawn_site(__builtin_return_address(0)));
  s.body().emplace(bind_once(std::forward<F>(f), std::forward<A>(arg),
                             std::forward<Args>(args)...));
  return s.commit();
}

template <typename F, typename... Args>
  requires spawnable<F, Args...>
tasklet spawn(spawn_options options, F&& f, Args&&... args) {
  spawning s(this_dispatcher(), options.site);
  s.set(options);
  s.body().emplace(bind_once(std::forward<F>(f), std::forward<Args>(args)...));
  return s.commit();
}

template <typename F>
  requires spawnable<F>
tasklet create(F&& f, std::source_location where) {
  return create({.site = where}, std::forward<F>(f));
}

template <typename F, typename A, typename... Args>
  requires spawnable<F, A, Args...>
[[gnu::noinline]] tasklet create(F&& f, A&& arg, Args&&... args) {
  return create({.site = spawn_site(__builtin_return_address(0))},
                std::forward<F>(f), std::forward<A>(arg),
                std::forward<Args>(args)...);
}

template <typename F, typename... Args>
  requires spawnable<F, Args...>
tasklet create(spawn_options options, F&& f, Args&&... args) {
  spawning s(this_dispatcher(), options.site);
  s.set(options);
  s.body().emplace(bind_once(std::forward<F>(f), std::forward<Args>(args)...));
  return s.commit_paused();
}

// The callable is made apart, so that a failure leaves the tasklet as it was,
// and looked for again: to make it may have done anything.
template <typename F, typename... Args>
void tasklet::bind(F&& f, Args&&... args) const {
  static_assert(spawnable<F, Args...>,
                "weft: a tasklet runs what can be called once with its "
                "arguments, all of them decayed");
  require_unbound();
  auto whole = bind_once(std::forward<F>(f), std::forward<Args>(args)...);
  auto kept = std::make_unique<decltype(whole)>(std::move(whole));
  require_unbound();
  d_->body.emplace([kept = std::move(kept)] { (*kept)(); });
}

template <typename Rep, typename Period>
bool tasklet::join_for(std::chrono::duration<Rep, Period> time,
                       std::source_location where) const {
  return join_for_ns(saturate(time), where);
}

template <typename F, typename... Args>
void tasklet::setup(F&& f, Args&&... args) const {
  bind(std::forward<F>(f), std::forward<Args>(args)...);
  insert();
}

}  // namespace weft
