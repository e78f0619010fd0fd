// SPDX-License-Identifier: BSL-1.0
// A greenlet: a flow of control that is switched to by name, and hands values
// both ways.
//
//   weft::greenlet pong;
//   weft::greenlet ping([&](weft::parcel first) {
//     std::string s = first.take<std::string>();
//     return pong.switch_to(s + "!").take<int>() + 1;  // waits to be switched to
//   });
//   pong = weft::greenlet([&](weft::parcel p) {
//     return ping.switch_to(static_cast<int>(p.get<std::string>().size()));
//   });
//   int n = ping.switch_to("four").take<int>();  ...
//
// Greenlets form a tree. One that ends hands its result to its parent, the
// greenlet that made it unless told otherwise: there it is what the pending
// switch_to() returns. What escapes it is thrown there. The root is main: the
// tasklet itself, or the thread, where that has no scheduler. Each tasklet has
// a tree of its own, and one tasklet cannot switch to another's greenlets.
//
// (The semantics are those of Python's greenlet: docs/greenlet.md has the
// differences.)
//
// Values:         a parcel, of one value of any type; of several, as a
//                 std::tuple of them; or empty.
// Blocking:       a greenlet may use channels, sleep and so on, if its thread
//                 has a scheduler: the whole tasklet is parked, and goes on in
//                 that greenlet.
// Lifetime:       handles are counted. A greenlet that has begun, has not ended
//                 and is referred to by nobody any more is ended at once:
//                 greenlet_exit is raised in it, with whoever dropped the last
//                 handle for a parent. When a tasklet ends, so do its
//                 greenlets. A child keeps its parent: a greenlet that has
//                 suspended children on its own stack waits for that.
// Thread safety:  used in the thread that made it; elsewhere operations throw
//                 wrong_thread. Handles may be copied and dropped anywhere; the
//                 last one to go has the greenlet ended by the next use of
//                 greenlets in its own thread.
// Cost:           a switch is O(1) and allocates nothing; a greenlet is an
//                 allocation, and from its first switch to its end a stack.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "weft/tasklet/context_var.h"
#include "weft/tasklet/error.h"
#include "weft/tasklet/greenlet_core.h"
#include "weft/tasklet/parcel.h"

namespace weft {

class greenlet;

struct greenlet_options {
  // In bytes, rounded up to a power of two from 8 KiB (aarch64: 16 KiB) to 1 GiB.
  std::size_t stack_size = default_stack;
  // What its context_vars begin with.
  context_policy context = context_policy::empty;
};

// What can be a greenlet's body: called with the first parcel, or with nothing;
// what it returns becomes the result.
template <typename F>
concept greenlet_body = std::invocable<std::decay_t<F>&, parcel> ||
                        std::invocable<std::decay_t<F>&>;

class greenlet {
 public:
  greenlet() noexcept = default;  // of no greenlet: dead

  // `body` begins with the first switch_to(); it is decayed, kept until then,
  // and destroyed on the greenlet's stack when it has ended. The parent is the
  // current greenlet. Throws std::bad_alloc, what copying throws.
  template <typename F>
    requires(!std::same_as<std::remove_cvref_t<F>, greenlet> &&
             greenlet_body<F>)
  explicit greenlet(F&& body)
      : greenlet(greenlet_options{}, std::forward<F>(body)) {}
  // With that parent. Throws wrong_thread, too; error for a null handle.
  template <greenlet_body F>
  greenlet(F&& body, const greenlet& parent) : greenlet(std::forward<F>(body)) {
    set_parent(parent);
  }
  // Throws std::invalid_argument for a stack size out of range.
  template <greenlet_body F>
  greenlet(const greenlet_options& options, F&& body)
      : greenlet(new body_of<std::decay_t<F>>(
            stack_pool::class_of(options.stack_size), options.context,
            std::forward<F>(body))) {}

  greenlet(const greenlet& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->hold();
  }
  greenlet(greenlet&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)) {}
  greenlet& operator=(greenlet other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~greenlet() {
    if (core_ != nullptr) core_->drop();
  }

  // Suspends the current greenlet and goes on in this one: its pending
  // switch_to() returns the arguments, or its body begins with them. Returns
  // what the current one is switched back with, by whomever.
  // - The current one itself: returns the arguments at once.
  // - A dead one: its nearest living ancestor gets them.
  // Throws what is thrown in, or escapes a child; wrong_thread; error where the
  // greenlet is another tasklet's, or null; std::bad_alloc. A failure to switch
  // leaves everything as it was, but for what the arguments were moved from.
  template <typename... Args>
  parcel switch_to(Args&&... args) const {
    return transfer(pack(std::forward<Args>(args)...));
  }

  // As switch_to(), but `what` is raised there.
  // - One that has not begun never does: it is dead, and its parent gets `what`.
  // - A greenlet_exit that leaves a greenlet, or that a dead one would get, is
  //   not raised in the parent: it is what the parent's switch_to() returns.
  // - A dead one: its nearest living ancestor gets `what`.
  // Throws std::invalid_argument, too, for a null pointer.
  parcel throw_exception(std::exception_ptr what) const {
    return checked().throw_into(std::move(what));
  }
  parcel throw_exception() const {
    return throw_exception(std::make_exception_ptr(greenlet_exit()));
  }

  // Null: a main greenlet has none.
  [[nodiscard]] greenlet parent() const;
  // Throws error where that would close a cycle, for a main greenlet, a null
  // handle, or a parent of another tasklet for one that has begun; wrong_thread.
  void set_parent(const greenlet& parent) const {
    checked().set_parent(parent.checked());
  }

  // It has ended; a null handle has, too.
  [[nodiscard]] bool dead() const { return core_ == nullptr || core_->dead(); }
  // It has begun, or has ended without.
  [[nodiscard]] bool started() const {
    return core_ != nullptr && core_->started();
  }
  // It has begun and has not ended. (Python: bool(g).)
  [[nodiscard]] bool active() const { return started() && !dead(); }
  [[nodiscard]] bool is_current() const;
  [[nodiscard]] bool is_main() const {
    return core_ != nullptr && core_->is_main();
  }

  // From now on its context_vars are those of `other`, or a copy of them.
  // Throw error for null handles, wrong_thread, std::bad_alloc.
  void share_context(const greenlet& other) const {
    checked().set_context(context_policy::share, other.checked());
  }
  void copy_context(const greenlet& other) const {
    checked().set_context(context_policy::copy, other.checked());
  }

  friend bool operator==(const greenlet&, const greenlet&) = default;

 private:
  friend struct greenlet_core;
  friend greenlet current_greenlet();
  friend greenlet main_greenlet();

  template <typename F>
  struct body_of;

  explicit greenlet(greenlet_core* core) noexcept : core_(core) {
    core_->hold();
  }
  [[nodiscard]] greenlet_core& checked() const {
    if (core_ == nullptr) greenlet_core::throw_null();
    return *core_;
  }

  // Requires: the values have been packed, which may have done anything.
  [[nodiscard]] parcel transfer(parcel&& value) const {
    return checked().transfer(std::move(value), nullptr);
  }
  static parcel pack() { return {}; }
  template <typename T>
  static parcel pack(T&& value) {
    return parcel(std::forward<T>(value));
  }
  template <typename T, typename U, typename... Rest>
  static parcel pack(T&& first, U&& second, Rest&&... rest) {
    return parcel(
        std::tuple<std::decay_t<T>, std::decay_t<U>, std::decay_t<Rest>...>(
            std::forward<T>(first), std::forward<U>(second),
            std::forward<Rest>(rest)...));
  }

  greenlet_core* core_ = nullptr;
};

// The greenlet that runs, and the root of its tree. Throw std::bad_alloc.
[[nodiscard]] greenlet current_greenlet();
[[nodiscard]] greenlet main_greenlet();

// What a trace hook is told.
enum class greenlet_event : unsigned char {
  switched,  // with a value
  thrown,    // with an exception
};

// Called after each switch between greenlets of this thread, in the one that
// goes on, before its switch_to() returns. A hook that throws is removed, and
// what it threw comes out of that switch_to() in place of all else. It may
// replace or remove itself. Null: nobody is called. Gives what was set before.
// (Python: greenlet.settrace.)
using greenlet_trace =
    std::function<void(greenlet_event, greenlet origin, greenlet target)>;
greenlet_trace set_greenlet_trace(greenlet_trace hook);

// ---------------------------------------------------------------------------

template <typename F>
struct greenlet::body_of : greenlet_core {
  template <typename From>
  body_of(std::uint32_t stack_class, context_policy context, From&& from)
      : greenlet_core(stack_class, context, &run_body, &destroy_body),
        kept(std::make_unique<F>(std::forward<From>(from))) {}

  // The body leaves the object, so that one that refers to its own greenlet
  // keeps it no longer than it runs.
  static parcel run_body(greenlet_core& self, parcel first) {
    const std::unique_ptr<F> f =
        std::exchange(static_cast<body_of&>(self).kept, nullptr);
    if constexpr (std::invocable<F&, parcel>) {
      return result_of([&]() -> decltype(auto) {
        return std::invoke(*f, std::move(first));
      });
    } else {
      return result_of([&]() -> decltype(auto) { return std::invoke(*f); });
    }
  }
  template <typename Call>
  static parcel result_of(Call call) {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return {};
    } else {
      return parcel(call());
    }
  }
  static void destroy_body(greenlet_core* self) {
    delete static_cast<body_of*>(self);
  }

  std::unique_ptr<F> kept;
};

}  // namespace weft
