// SPDX-License-Identifier: BSL-1.0
// A generator: a function that yields values one by one, from any depth of
// calls, to whoever asks for the next.
//
//   weft::generator<int> countdown([](weft::yielder<int>& yield) {
//     for (int i = 3; i != 0; --i) yield(i);
//   });
//   for (int i : countdown) std::printf("%d ", i);  // 3 2 1
//
// The body runs on a stack of its own, and only while the consumer waits in
// next(), send() or throw_exception(). What it calls may yield as well: pass
// the yielder on, or call weft::yield_value() anywhere. (PEP 342, 380; Python's
// generators yield from their own frame only.)
//
//   Yield   what is yielded: an object (T), or a reference to one (T&,
//           const T&). It is never copied: next() points to where it lies, on
//           the body's stack, until the generator goes on. (But yield(lvalue)
//           of a generator<T> copies, as that of std::generator does.)
//           void: nothing; next() only says whether there was a yield.
//   Send    what send() hands in: yield returns an optional of it, empty after
//           next(). void: nothing; yield returns void.
//   Return  what the body returns: result().
//
// Blocking:       a body may use channels, sleep and so on, if its thread has a
//                 scheduler: the whole tasklet that waits for the generator is
//                 parked, and goes on in the body.
// Exceptions:     what escapes the body comes out of next(), once; then the
//                 generator has finished. Those that are alive in the body stay
//                 with it while it is suspended, and the consumer's with him.
// Lifetime:       move-only. Its end closes it; see close().
// Thread safety:  used and ended in the thread that made it, by any tasklet
//                 there; elsewhere operations throw wrong_thread. A consumer
//                 that comes while it runs gets generator_error.
// Cost:           a stack, 64 KiB unless asked otherwise, of which what is used
//                 is resident; no allocation. next() is two switches.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "weft/tasklet/error.h"
#include "weft/tasklet/generator_flow.h"

namespace weft {

template <typename Yield, typename Send = void, typename Return = void>
class generator;

// What a yield returns.
template <typename Send>
using sent =
    std::conditional_t<std::is_void_v<Send>, void, std::optional<Send>>;

// Their addresses stand for the types.
template <typename Yield, typename Send>
inline constexpr char generator_type = 0;

// Yields what lies at `value`.
template <typename Send>
[[gnu::always_inline]] inline sent<Send> yield_at(generator_flow& flow,
                                                  const void* value) {
  flow.suspend(const_cast<void*>(value));
  if constexpr (!std::is_void_v<Send>) {
    void* sent = flow.take_sent();
    if (sent == nullptr) return std::nullopt;
    return std::move(*static_cast<Send*>(sent));
  }
}

// How a body yields. It belongs to one generator and lives as long.
// Requires: called only by code that this generator runs, in the greenlet and
//           the tasklet that does.
template <typename Yield, typename Send = void>
class yielder {
  using object = std::remove_reference_t<Yield>;
  static constexpr bool by_reference = std::is_lvalue_reference_v<Yield>;

 public:
  yielder(const yielder&) = delete;
  yielder& operator=(const yielder&) = delete;

  // Suspend the body until the consumer comes back. Throw what he throws in;
  // generator_exit when he closes it.
  [[gnu::always_inline]] sent<Send> operator()(object& value)
    requires by_reference
  {
    return give(std::addressof(value));
  }
  [[gnu::always_inline]] sent<Send> operator()(object&& value)
    requires(!by_reference)
  {
    return give(std::addressof(value));
  }
  [[gnu::always_inline]] sent<Send> operator()(const object& value)
    requires(!by_reference)
  {
    if constexpr (std::is_const_v<object>) {
      return give(std::addressof(value));
    } else {
      object copy(value);
      return give(std::addressof(copy));
    }
  }

  // Yields all that `inner` yields, and gives its result. What the consumer
  // sends or throws goes to `inner`, which he resumes directly: the cost of
  // next() does not grow with the depth. close() closes `inner` first, then
  // raises generator_exit here. Throws what escapes `inner`. (PEP 380.)
  template <typename Return>
  Return from(generator<Yield, Send, Return>& inner) {
    return inner.run_in(flow_);
  }
  template <typename Return>
  Return from(generator<Yield, Send, Return>&& inner) {
    return inner.run_in(flow_);
  }

 private:
  template <typename, typename, typename>
  friend class generator;
  template <typename Y, typename S>
  friend yielder<Y, S> innermost_yielder();
  explicit yielder(generator_flow& flow) : flow_(flow) {}

  [[gnu::always_inline]] sent<Send> give(const void* value) {
    return yield_at<Send>(flow_, value);
  }

  generator_flow& flow_;
};

// Of a generator that yields nothing, and is sent things.
template <typename Send>
class yielder<void, Send> {
 public:
  yielder(const yielder&) = delete;
  yielder& operator=(const yielder&) = delete;

  [[gnu::always_inline]] sent<Send> operator()() {
    return yield_at<Send>(flow_, nullptr);
  }
  template <typename Return>
  Return from(generator<void, Send, Return>& inner) {
    return inner.run_in(flow_);
  }
  template <typename Return>
  Return from(generator<void, Send, Return>&& inner) {
    return inner.run_in(flow_);
  }

 private:
  template <typename, typename, typename>
  friend class generator;
  template <typename Y, typename S>
  friend yielder<Y, S> innermost_yielder();
  explicit yielder(generator_flow& flow) : flow_(flow) {}

  generator_flow& flow_;
};

struct generator_options {
  // In bytes, rounded up to a power of two from 8 KiB (aarch64: 16 KiB) to 1 GiB.
  std::size_t stack_size = default_stack;
};

template <typename Yield, typename Send, typename Return>
class generator {
  using object = std::remove_reference_t<Yield>;
  using body_yielder = yielder<Yield, Send>;
  static constexpr bool yields = !std::is_void_v<Yield>;
  static constexpr bool is_sent = !std::is_void_v<Send>;
  static constexpr bool returns = !std::is_void_v<Return>;
  // What next() gives.
  using step = std::conditional_t<yields, object*, bool>;

 public:
  class iterator;

  // `body` is called with a yielder&, or with nothing, by the first next(); it
  // is decayed and kept until the generator ends. Throws std::bad_alloc,
  // std::invalid_argument for a stack size out of range, what copying throws.
  template <typename F>
    requires(!std::same_as<std::remove_cvref_t<F>, generator> &&
             (std::invocable<std::decay_t<F>&, body_yielder&> ||
              std::invocable<std::decay_t<F>&>))
  explicit generator(F&& body) : generator({}, std::forward<F>(body)) {}
  template <typename F>
  generator(const generator_options& options, F&& body)
      : core_(values::template make<std::decay_t<F>>(options,
                                                     std::forward<F>(body))) {}
  generator(generator&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)) {}
  generator& operator=(generator&& other) noexcept {
    if (this != &other) {
      values* old = std::exchange(core_, std::exchange(other.core_, nullptr));
      if (old != nullptr) old->dispose();
    }
    return *this;
  }
  // As close(), but what goes wrong is said on stderr. One that yields 16 times
  // instead is abandoned with its stack. Requires: it does not run.
  ~generator() {
    if (core_ != nullptr) core_->dispose();
  }

  // Runs the body until it yields; gives where the value lies, which stays
  // there until the body goes on, and may be moved from. Null (false): the body
  // has ended, now or before. Throws what escapes it.
  [[gnu::always_inline]] step next() {
    if (core_ == nullptr || !core_->may_resume()) return {};
    return outcome(core_->resume());
  }

  // As next(), and the yield in which the body waits returns `value`. Throws
  // generator_error where it has not begun: there is no such yield.
  template <typename Value>
    requires is_sent && std::constructible_from<Send, Value>
  step send(Value&& value) {
    if (!may_be_sent()) return {};
    Send handed(std::forward<Value>(value));
    if (!may_be_sent()) return {};  // Its constructor may have done anything.
    core_->sent = std::addressof(handed);
    return outcome(core_->resume());
  }

  // As next(), and the yield in which the body waits throws `what`. One that
  // has not begun never does: it has finished, and `what` comes out of here; so
  // it does of one that has finished. Throws std::invalid_argument for a null
  // pointer.
  step throw_exception(std::exception_ptr what) {
    if (!what)
      throw std::invalid_argument("weft: throw_exception() of no exception");
    if (core_ == nullptr) std::rethrow_exception(std::move(what));
    return outcome(core_->raise(std::move(what)));
  }

  // Ends the body: raises generator_exit, which is no std::exception, out of
  // its yield. One that has not begun never does; nothing happens to one that
  // has finished. Throws generator_error where it yields again: it is suspended
  // then as before; and what else escapes it.
  void close() {
    if (core_ != nullptr) core_->close();
  }

  // What the body has returned. Throws generator_error where it has not
  // finished, or not by returning.
  template <typename R = Return>
    requires returns
  R& result() {
    if (core_ == nullptr || !core_->result)
      throw generator_error("weft: this generator has not returned a result");
    return *core_->result;
  }

  [[nodiscard]] generator_state state() const {
    return core_ != nullptr ? core_->state : generator_state::finished;
  }

  // for (auto&& v : g): next() until it has ended. An input range.
  [[nodiscard]] iterator begin()
    requires yields
  {
    return iterator(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  template <typename, typename>
  friend class yielder;

  struct nothing {};
  struct values : generator_flow {
    std::conditional_t<returns, std::optional<Return>, nothing> result;

    template <typename F, typename From>
    static values* make(const generator_options& options, From&& from);
  };
  template <typename F>
  struct body_of;

  step outcome(bool yielded) {
    if constexpr (yields)
      return yielded ? static_cast<object*>(core_->yielded) : nullptr;
    else
      return yielded;
  }

  // False: it has finished.
  [[nodiscard]] bool may_be_sent() const {
    if (core_ == nullptr || !core_->may_resume()) return false;
    if (core_->state == generator_state::created)
      throw generator_error(
          "weft: a generator that has not begun cannot be sent a value; next() "
          "begins it");
    return true;
  }

  // For the body that yields from this one.
  Return run_in(generator_flow& delegator) {
    if (core_ != nullptr) delegator.delegate(*core_);
    if constexpr (returns) return std::move(result());
  }

  values* core_;  // on top of the body's stack; null: moved from
};

// The innermost generator of the running code that yields Y and is sent S.
// Throws generator_error where there is none.
template <typename Y, typename S>
yielder<Y, S> innermost_yielder() {
  return yielder<Y, S>(generator_flow::innermost(&generator_type<Y, S>));
}

// Yields `value` from the innermost generator<Y, Send> that the calling code
// runs in, however deep: as its yielder would. The type of the value says which
// one, or the caller does: yield_value<std::string>("two"). Throws
// generator_error where there is none. Cost: O(generators in between).
template <typename Y = void, typename Send = void, typename Value>
sent<Send> yield_value(Value&& value) {
  using yielded =
      std::conditional_t<std::is_void_v<Y>, std::remove_cvref_t<Value>, Y>;
  return innermost_yielder<yielded, Send>()(std::forward<Value>(value));
}

// The same of yielder::from().
template <typename Yield, typename Send, typename Return>
Return yield_from(generator<Yield, Send, Return>&& inner) {
  return innermost_yielder<Yield, Send>().from(inner);
}
template <typename Yield, typename Send, typename Return>
Return yield_from(generator<Yield, Send, Return>& inner) {
  return innermost_yielder<Yield, Send>().from(inner);
}

// ---------------------------------------------------------------------------

template <typename Yield, typename Send, typename Return>
class generator<Yield, Send, Return>::iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = std::remove_cv_t<object>;

  explicit iterator(generator& from) : from_(&from), at_(from.next()) {}
  object& operator*() const { return *at_; }
  iterator& operator++() {
    at_ = from_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& i, std::default_sentinel_t) {
    return i.at_ == nullptr;
  }

 private:
  generator* from_;
  object* at_;
};

// Lies on top of the stack that it runs on, so that a generator allocates
// nothing else.
template <typename Yield, typename Send, typename Return>
template <typename F>
struct generator<Yield, Send, Return>::body_of : values {
  template <typename From>
  explicit body_of(From&& from) : f(std::forward<From>(from)) {}
  body_of(body_of&&) = delete;

  static void enter(flow*, body_of& self) noexcept {
    try {
      if constexpr (std::invocable<F&, body_yielder&>) {
        body_yielder yield(self);
        self.keep(
            [&]() -> decltype(auto) { return std::invoke(self.f, yield); });
      } else {
        self.keep([&]() -> decltype(auto) { return std::invoke(self.f); });
      }
    } catch (...) {
      self.failure = std::current_exception();
    }
    self.end();
  }

  template <typename Call>
  void keep(Call call) {
    if constexpr (returns)
      this->result.emplace(call());
    else
      static_cast<void>(call());
  }

  F f;
};

template <typename Yield, typename Send, typename Return>
template <typename F, typename From>
auto generator<Yield, Send, Return>::values::make(
    const generator_options& options, From&& from) -> values* {
  using whole = body_of<F>;
  // Half of the smallest stack is for frames.
  static_assert(
      sizeof(whole) <= smallest_stack / 2,
      "weft: keep what a generator's body captures small, or behind a "
      "pointer");
  constexpr std::size_t room = (sizeof(whole) + 63) / 64 * 64;
  static_assert(alignof(whole) <= 64);
  strand_home& home = strand_home::here();
  const weft::stack ground =
      home.take(stack_pool::class_of(options.stack_size));
  char* const place = ground.top - room;
  whole* made = nullptr;
  try {
    made = new (place) whole(std::forward<From>(from));
  } catch (...) {
    home.give(ground);
    throw;
  }
  made->begin_as(
      home, ground, &generator_type<Yield, Send>,
      [](generator_flow* self) { static_cast<whole*>(self)->~whole(); });
  made->template prepare<flow, whole, &whole::enter>(ground.low(), place);
  return made;
}

// ---------------------------------------------------------------------------

// One that is only sent things, and begins by itself: it waits in its first
// yield from the start. (PEP 342's consumer decorator.)
//
//   weft::consumer<std::string> log([](weft::yielder<void, std::string>& next) {
//     while (auto line = next()) std::puts(line->c_str());
//   });
//   log.send("one");
//
// Its end closes it.
template <typename Send, typename Return = void>
class consumer : private generator<void, Send, Return> {
  using base = generator<void, Send, Return>;

 public:
  template <typename F>
    requires(!std::same_as<std::remove_cvref_t<F>, consumer>)
  explicit consumer(F&& f) : base(std::forward<F>(f)) {
    base::next();
  }

  // As those of a generator; they say whether it waits for more.
  using base::close;
  using base::result;
  using base::send;
  using base::state;
  using base::throw_exception;
};

}  // namespace weft
