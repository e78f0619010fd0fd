// SPDX-License-Identifier: BSL-1.0
// The least that a generator of C++20's coroutines needs.
//
//   cpp20::generator<long> count(long n) {
//     for (long i = 0; i < n; ++i) co_yield i;
//   }
//   for (auto g = count(3); const long* v = g.next();) ...
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

namespace cpp20 {

// Whoever refers to a coroutine owns it.
template <typename Promise>
class owner {
 public:
  using handle = std::coroutine_handle<Promise>;
  explicit owner(Promise& p) : handle_(handle::from_promise(p)) {}
  owner(owner&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  owner& operator=(owner&&) = delete;
  ~owner() {
    if (handle_) handle_.destroy();
  }
  handle operator*() const { return handle_; }

 private:
  handle handle_;
};

// Flat: only its own body can yield.
template <typename T>
class generator {
 public:
  struct promise_type {
    const T* value = nullptr;

    generator get_return_object() { return generator(*this); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(const T& v) {
      value = &v;
      return {};
    }
    void return_void() {}
    void unhandled_exception() { throw; }
  };

  // Null: it has ended.
  const T* next() {
    (*self_).resume();
    return (*self_).done() ? nullptr : (*self_).promise().value;
  }

 private:
  explicit generator(promise_type& p) : self_(p) {}
  owner<promise_type> self_;
};

// co_yield of another one yields all that it does. The consumer resumes the
// innermost directly, as that of C++23's std::generator does.
template <typename T>
class recursive_generator {
 public:
  struct promise_type;
  using handle = std::coroutine_handle<promise_type>;

  struct ending {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(handle self) noexcept {
      const handle outer = self.promise().outer;
      if (!outer) return std::noop_coroutine();
      self.promise().root->innermost = outer;
      return outer;
    }
    void await_resume() noexcept {}
  };

  struct delegation {
    recursive_generator& inner;

    bool await_ready() { return false; }
    handle await_suspend(handle self) {
      const handle h = *inner.self_;
      h.promise().root = self.promise().root;
      h.promise().outer = self;
      self.promise().root->innermost = h;
      return h;
    }
    void await_resume() { (*inner.self_).promise().raise(); }
  };

  struct promise_type {
    const T* value = nullptr;  // of the root
    handle innermost;          // of the root
    promise_type* root = this;
    handle outer;
    std::exception_ptr failure;

    recursive_generator get_return_object() {
      innermost = handle::from_promise(*this);
      return recursive_generator(*this);
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    ending final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(const T& v) {
      root->value = &v;
      return {};
    }
    delegation yield_value(recursive_generator&& inner) { return {inner}; }
    void return_void() {}
    void unhandled_exception() { failure = std::current_exception(); }
    void raise() const {
      if (failure) std::rethrow_exception(failure);
    }
  };

  // Null: it has ended.
  const T* next() {
    const handle self = *self_;
    self.promise().innermost.resume();
    if (!self.done()) return self.promise().value;
    self.promise().raise();
    return nullptr;
  }

 private:
  explicit recursive_generator(promise_type& p) : self_(p) {}
  owner<promise_type> self_;
};

}  // namespace cpp20
