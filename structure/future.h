// SPDX-License-Identifier: BSL-1.0
// A result that will be there later.
//
//   weft::future<page> front = weft::async(fetch, "/");
//   weft::future<page> index = weft::async(fetch, "/index");
//   print(front.get());  // parks until it is there
//   print(index.get());
//
//   weft::promise<answer> reply;             // by hand
//   requests.send({question, &reply});
//   answer a = reply.get_future().get();
//
// The tasklet of an async() is like any: what escapes it does not go to those
// who join it, nor to run(), but to its future, whose get() throws it. If it is
// killed before it has a result, get() throws broken_promise, as it does where
// a promise ends without having been kept.
//
// Nothing is lost in silence: a failure that nobody has looked at when the last
// future of it goes is reported once, to the error handler, else to stderr.
// Only get(), try_get(), failed() and failure() look. (A kill, or the end of a
// promise, is no failure in this sense.)
//
// Ordering:      who waits goes on in the order in which it came; whoever makes
//                the future ready goes on.
// Thread safety: the thread of the scheduler that it was made in, also for the
//                destructors; verbs throw wrong_scheduler elsewhere, and
//                no_scheduler after the scheduler's end. Queries work always.
//                A shared promise goes anywhere; its future does not.
// Lifetime:      a future may be dropped while others wait for it, and outlive
//                its promise and its scheduler.
// Cost:          O(1); one allocation for a promise or an async(), also of a
//                large callable, three for a shared promise, none to get() or
//                to wait. A value is made in its place, and moved once by get().
// (std::future, promise, async, shared_future; gevent: AsyncResult.)
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "weft/scheduler/saturate.h"
#include "weft/scheduler/select.h"
#include "weft/scheduler/shared.h"
#include "weft/scheduler/spawn.h"
#include "weft/structure/broken_promise.h"
#include "weft/structure/future_case.h"
#include "weft/structure/future_state.h"

namespace weft {

template <typename T>
class shared_future;
template <typename T>
class promise;

// What all futures have in common. Verbs of one that is not valid throw error.
class future_base {
 public:
  // It has a result, or will have one, that has not been taken by get().
  [[nodiscard]] bool valid() const { return state_ && !state_->spent(); }
  // It has a result, or a failure.
  [[nodiscard]] bool ready() const { return valid() && state_->ready(); }
  // It has a failure, which has been looked at herewith.
  [[nodiscard]] bool failed() const { return failure() != nullptr; }
  // That; null: none so far.
  [[nodiscard]] std::exception_ptr failure() const;

  // Parks until it is ready. Throws wrong_scheduler, no_scheduler;
  // deadlock_error where nothing could make it ready; tasklet_exit when killed;
  // block_trap_error, switch_trap_error.
  void wait(std::source_location where = std::source_location::current()) const;
  // As wait(); whether it is ready, and not the time over.
  bool wait_until(
      std::chrono::steady_clock::time_point when,
      std::source_location where = std::source_location::current()) const;
  template <typename Rep, typename Period>
  bool wait_for(
      std::chrono::duration<Rep, Period> time,
      std::source_location where = std::source_location::current()) const {
    return wait_for_ns(saturate(time), where);
  }

  // For select(): happens when it is ready, and takes nothing.
  template <typename F = no_handler>
  [[nodiscard]] future_case<std::decay_t<F>> wait_case(
      F&& handler = {},
      std::source_location where = std::source_location::current()) const {
    return {need(), std::forward<F>(handler), where};
  }

  // The tasklet of its async(): to kill it, say. Of a promise: the one that has
  // set a failure, or none.
  [[nodiscard]] tasklet who() const {
    return state_ ? state_->who() : tasklet();
  }

 protected:
  future_base() = default;
  explicit future_base(reader<future_state> state) : state_(std::move(state)) {}

  // Throws error where it is not valid.
  [[nodiscard]] const reader<future_state>& need() const {
    if (!valid()) [[unlikely]]
      throw_invalid();
    return state_;
  }

  reader<future_state> state_;

 private:
  friend struct future_access;
  [[noreturn]] static void throw_invalid();
  bool wait_for_ns(std::chrono::nanoseconds time,
                   std::source_location where) const;
};

// T may be void or a reference, and need not be copyable or default
// constructible. Move-only; shared_future is not.
template <typename T>
class [[nodiscard]] future : public future_base {
  using state = future_state_of<T>;

 public:
  using value_type = T;

  // Not valid.
  future() = default;
  future(future&&) noexcept = default;
  future& operator=(future&&) noexcept = default;
  ~future() = default;

  // Parks until it is ready; then the value is moved out, or the failure
  // thrown, and the future is not valid any more. Throws as wait(), too, and
  // what moving the value throws; then it still has it.
  T get(std::source_location where = std::source_location::current()) {
    const reader<future_state> s = need();
    s->wait("get of a future", where);
    s->require_value(true);
    return static_cast<state*>(s.get())->take();
  }

  // As get(), but does not park: nullopt while it is not ready. Of a
  // future<void>: whether it is; of a reference: a pointer.
  auto try_get() {
    const reader<future_state> s = need();
    s->require_here(this_dispatcher());
    const bool there = s->ready();
    if (there) s->require_value(true);
    auto& own = *static_cast<state*>(s.get());
    if constexpr (std::is_void_v<T>) {
      if (there) own.take();
      return there;
    } else if constexpr (std::is_reference_v<T>) {
      return there ? std::addressof(own.take()) : nullptr;
    } else {
      return there ? own.take_optional() : std::nullopt;
    }
  }

  // The same result for many; this is not valid any more.
  shared_future<T> share() { return shared_future<T>(std::move(*this)); }

 private:
  friend struct future_access;
  explicit future(reader<future_state> s) : future_base(std::move(s)) {}
};

// A future that can be copied; its result stays.
template <typename T>
class shared_future : public future_base {
  using state = future_state_of<T>;

 public:
  // Not valid.
  shared_future() = default;
  shared_future(future<T>&& f) : future_base(std::move(f)) {}  // NOLINT

  // As future::get(), but gives where the value lies, for as long as one of the
  // shared futures is there. A failure is thrown each time.
  decltype(auto) get(
      std::source_location where = std::source_location::current()) const {
    const reader<future_state> s = need();
    s->wait("get of a future", where);
    s->require_value(false);
    auto& own = *static_cast<state*>(s.get());
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(*own.value());
    else if constexpr (!std::is_void_v<T>)
      return std::as_const(own.value());
  }
};

// What a T is set from.
template <typename T, typename U>
concept promised =
    !std::is_void_v<T> &&
    (std::is_reference_v<T> ? std::is_lvalue_reference_v<U> &&
                                  std::is_convertible_v<std::add_pointer_t<U>,
                                                        std::add_pointer_t<T>>
                            : std::is_constructible_v<T, U>);

// The side that gives the result. Move-only.
template <typename T>
class promise {
 public:
  // Throws no_scheduler, std::bad_alloc.
  promise() : promise(new future_state_of<T>) {}
  // For another thread. It may be moved, kept, broken and destroyed in any, by
  // one at a time; its future stays here, get_future() too. Until it is kept or
  // broken it is as a weft::outside: run() waits, and no deadlock is told. A
  // failure that cannot be delivered, because the scheduler has ended, is
  // reported where it was set; a value that nobody has taken is destroyed with
  // the last of promise and future, in that one's thread.
  explicit promise(shared_t) : to_(new future_state_of<T>(shared)) {}
  promise(promise&&) noexcept = default;
  promise& operator=(promise&&) noexcept = default;
  // Where nothing has been set, get() throws broken_promise.
  ~promise() = default;

  // Once; throws error a second time. Of a shared one: throws wrong_scheduler.
  future<T> get_future();

  // Sets the value or the failure, and makes those who wait runnable, in order;
  // of a shared one, the scheduler at home does that between two tasklets.
  // Does not switch. Throw error where that has been done or the promise has
  // been moved from, wrong_scheduler, no_scheduler, and what making the value
  // throws: then nothing has changed.
  template <typename U = T>
    requires promised<T, U&&>
  void set_value(U&& value) {
    writer<future_state_of<T>>& to = need();
    to->produce([&]() -> U&& { return std::forward<U>(value); });
    to->publish();
  }
  void set_value()
    requires std::is_void_v<T>
  {
    writer<future_state_of<T>>& to = need();
    to->produce([] {});
    to->publish();
  }
  // Throws std::invalid_argument for a null pointer, too.
  void set_exception(std::exception_ptr what) {
    if (!what)
      throw std::invalid_argument("weft: set_exception() of no exception");
    writer<future_state_of<T>>& to = need();
    to->claim();
    to->fail(std::move(what));
  }

  // Private: is kept by what body->f() gives, or throws. A kill goes on.
  template <typename Body>
  void keep_by(std::optional<Body>& body) {
    need()->conclude_by(body);
  }

 private:
  explicit promise(future_state_of<T>* s);

  writer<future_state_of<T>>& need() {
    if (!to_) throw error("weft: this promise has been moved from");
    to_->require_writing(this_dispatcher());
    return to_;
  }

  future<T> future_;  // until it is given away; ends last
  writer<future_state_of<T>> to_;
};

// What becomes of what f(args...) gives.
template <typename F, typename... Args>
  requires spawnable<F, Args...>
struct async_body {
  using type = decltype(bind_once(std::declval<F>(), std::declval<Args>()...));
  using given = std::invoke_result_t<type&>;
  using result = std::conditional_t<std::is_lvalue_reference_v<given>, given,
                                    std::remove_cvref_t<given>>;
};
template <typename F, typename... Args>
using async_result = typename async_body<F, Args...>::result;

// As spawn(), but what f(args...) gives, or throws, goes to the future.
// Throws as spawn().
template <typename F>
  requires spawnable<F>
future<async_result<F>> async(
    F&& f, std::source_location where = std::source_location::current());
template <typename F, typename A, typename... Args>
  requires spawnable<F, A, Args...>
future<async_result<F, A, Args...>> async(F&& f, A&& arg, Args&&... args);
template <typename F, typename... Args>
  requires spawnable<F, Args...>
future<async_result<F, Args...>> async(spawn_options options, F&& f,
                                       Args&&... args);

// ---------------------------------------------------------------------------

// For what makes futures of its own states, and takes them apart.
struct future_access {
  template <typename T>
  static future<T> make(reader<future_state> s) {
    return future<T>(std::move(s));
  }
  static const reader<future_state>& state_of(const future_base& f) {
    return f.need();
  }
};

template <typename T>
promise<T>::promise(future_state_of<T>* s)
    : future_(future_access::make<T>(reader<future_state>(s))), to_(s) {}

template <typename T>
future<T> promise<T>::get_future() {
  if (future_.valid()) return std::move(future_);
  if (!to_ || !to_->begin_reading())
    throw error("weft: this promise has given its future away");
  return future_access::make<T>(reader<future_state>(to_.get()));
}

// Has what make() gives in its place.
template <typename F>
struct callable_holder {
  template <typename Make>
  explicit callable_holder(Make make) : f(make()) {}
  F f;
};

// The callable lies beside its result, so that there is one allocation.
template <typename T, typename Body>
class async_state final : public future_state_of<T> {
 public:
  template <typename... Args>
  explicit async_state(Args&&... args)
      : body_(std::in_place,
              [&] { return bind_once(std::forward<Args>(args)...); }) {}

  void run() { this->conclude_by(body_); }

 private:
  void abandoned() noexcept override {
    body_.reset();
    if (std::exception_ptr what = this->thrown_before_start())
      this->fail(std::move(what));
    else
      this->conclude(future_state::outcome::killed);
  }

  std::optional<callable_holder<Body>> body_;
};

template <typename F, typename... Args>
  requires spawnable<F, Args...>
future<async_result<F, Args...>> async(spawn_options options, F&& f,
                                       Args&&... args) {
  using body = async_body<F, Args...>;
  using state = async_state<typename body::result, typename body::type>;
  auto* const s = new state(std::forward<F>(f), std::forward<Args>(args)...);
  const reader<future_state> kept(s);
  s->set_who(weft::spawn(std::move(options),
                         [to = writer<state>(s)]() mutable { to->run(); }));
  return future_access::make<typename body::result>(kept);
}

template <typename F>
  requires spawnable<F>
future<async_result<F>> async(F&& f, std::source_location where) {
  return async(spawn_options{.site = where}, std::forward<F>(f));
}

template <typename F, typename A, typename... Args>
  requires spawnable<F, A, Args...>
[[gnu::noinline]] future<async_result<F, A, Args...>> async(F&& f, A&& arg,
                                                            Args&&... args) {
  return async(spawn_options{.site = spawn_site(__builtin_return_address(0))},
               std::forward<F>(f), std::forward<A>(arg),
               std::forward<Args>(args)...);
}

}  // namespace weft
