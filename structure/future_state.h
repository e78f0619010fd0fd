// SPDX-License-Identifier: BSL-1.0
// Private: what a future and its promise share: the outcome, and who waits for
// it.
//
// Readers (futures, and tasklets that wait) and a writer (a promise, or the
// tasklet of an async()) keep it alive, and are counted by plain integers: all
// of them are of one scheduler.
//
// A shared promise may be in another thread. It puts the outcome in its place,
// and a letter tells home:
//
//   writer's thread   value or failure - send(): letter ----.
//   home                                      it is known <-'  who waits goes on
//
// Such a state is kept alive by its far side's count: writer, readers, letter.
//
// Invariants:
// - Of a shared promise the outcome is the writer's until it is sent, then home's.
// - The outcome is set once. Nobody waits, and nothing follows, from then on.
// - A failure that was raised or asked for has been heard. One that has not is
//   reported when the last reader goes, or at once where there is none.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/shared.h"

namespace weft {

class future_state;

// Something that is to be done when a state becomes ready, by whoever makes it
// ready, before it goes on: no code of a user.
class follower {
 public:
  follower() = default;
  follower(const follower&) = delete;
  follower& operator=(const follower&) = delete;

  // Requires: it follows nothing, and that is not ready.
  void follow(future_state& s) noexcept;
  void leave() noexcept;

 protected:
  virtual ~follower() { leave(); }

 private:
  friend class future_state;
  // It follows nothing any more.
  virtual void now_ready() noexcept = 0;

  future_state* s_ = nullptr;
  follower* next_ = nullptr;
  follower** at_ = nullptr;  // what points to it; null: it follows nothing
};

class future_state {
 public:
  future_state(const future_state&) = delete;
  future_state& operator=(const future_state&) = delete;

  [[nodiscard]] bool ready() const { return outcome_ != outcome::none; }
  [[nodiscard]] bool failed() const { return outcome_ >= outcome::failure; }
  // Its value or failure has been taken by a get().
  [[nodiscard]] bool spent() const { return outcome_ == outcome::spent; }

  // Parks until it is ready. Throws as channels do.
  void wait(const char* reason, std::source_location where) {
    dispatcher* s = this_dispatcher();
    if (home_ != s->key) [[unlikely]]
      admit(s);
    if (ready()) return;
    wait_record w(reason, where);
    s->park(w, waiters_);
  }
  // As above; false where the time passed first.
  bool wait(std::chrono::steady_clock::time_point until,
            std::source_location where);
  bool wait(std::chrono::nanoseconds time, std::source_location where);

  // Throws no_scheduler, wrong_scheduler.
  void require_here(const dispatcher* s) const {
    if (home_ != s->key) [[unlikely]]
      require_home(s, "future");
  }
  // Throws what it failed with; error where it is spent. It is heard, and spent
  // if `takes`. Requires: ready.
  void require_value(bool takes) {
    if (outcome_ != outcome::value || deferred_) [[unlikely]]
      look_closer(takes);
  }
  // What it failed with; null: it did not. It is heard. Requires: not spent.
  std::exception_ptr failure();

  [[nodiscard]] wait_queue& line() { return waiters_; }
  // The tasklet that will set the outcome, or has failed; or none.
  [[nodiscard]] const tasklet& who() const { return who_; }
  void set_who(const tasklet& t) { who_ = t; }

  // ---- the writer's

  // As require_here(); a shared promise is here in any thread.
  void require_writing(const dispatcher* s) const {
    if (home_ != s->key && !far_) [[unlikely]]
      require_home(s, "promise");
  }
  // Of a shared promise, once: it is to have readers, the caller the first of
  // them. Throws as require_here().
  bool begin_reading();
  // Nobody else may set the outcome. Throws error where somebody has.
  void claim();
  // Requires: claimed.
  void fail(std::exception_ptr what) noexcept;

 protected:
  enum class outcome : std::uint8_t {
    none,
    value,
    spent,
    failure,  // and what follows
    broken,   // the promise ended without one
    killed,   // the tasklet was killed before it had one
  };

  // Throws no_scheduler.
  future_state() : home_(this_dispatcher()) { home_->require_scheduler(); }
  // Of a shared promise. Throws std::bad_alloc, too.
  explicit future_state(shared_t);
  virtual ~future_state();

  void conclude(outcome o) noexcept;
  // It has a value, which is not there before collect().
  void conclude_deferred() noexcept {
    deferred_ = true;
    conclude(outcome::value);
  }
  // As `other`, which has failed, and is heard herewith.
  void fail_as(future_state& other) noexcept;
  void spend() noexcept { outcome_ = outcome::spent; }
  void unspend() noexcept { outcome_ = outcome::value; }

  void disclaim() noexcept { claimed_ = false; }
  // What ends who() before it begins; null: a kill, or it has begun.
  [[nodiscard]] std::exception_ptr thrown_before_start() const noexcept;

 private:
  friend class follower;
  template <typename S>
  friend class reader;
  template <typename S>
  friend class writer;

  // The writer has gone before there was an outcome.
  virtual void abandoned() noexcept { conclude(outcome::broken); }
  // Makes the value that was deferred.
  virtual void collect() {}

  class far_side;
  struct ends_far_side {
    void operator()(far_side* f) const noexcept;
  };

  void admit(dispatcher* s) const;
  void require_home(const dispatcher* s, const char* what) const;
  void look_closer(bool takes);
  void settle(outcome o) noexcept;
  void tell_unheard() noexcept;
  void last_reader_gone() noexcept;
  void writer_gone() noexcept;

  dispatcher* home_;
  std::unique_ptr<far_side, ends_far_side> far_;  // of a shared promise
  wait_queue waiters_;
  follower* followers_ = nullptr;
  follower** last_ = &followers_;
  std::exception_ptr failure_;
  tasklet who_;
  std::uint32_t readers_ = 0;
  bool written_ = false;  // there is a writer
  bool claimed_ = false;
  bool deferred_ = false;
  bool heard_ = false;
  outcome outcome_ = outcome::none;
};

// Keeps a state; what it holds may be waited for, and looked at.
template <typename S>
class reader {
 public:
  reader() = default;
  explicit reader(S* s) noexcept : s_(s) { ++s->readers_; }
  template <typename D>
  reader(const reader<D>& other) noexcept : s_(other.get()) {  // NOLINT
    if (s_ != nullptr) ++s_->readers_;
  }
  reader(const reader& other) noexcept : s_(other.s_) {
    if (s_ != nullptr) ++s_->readers_;
  }
  reader(reader&& other) noexcept : s_(std::exchange(other.s_, nullptr)) {}
  reader& operator=(reader other) noexcept {
    std::swap(s_, other.s_);
    return *this;
  }
  ~reader() {
    if (s_ != nullptr && --s_->readers_ == 0) s_->last_reader_gone();
  }

  [[nodiscard]] S* get() const { return s_; }
  S* operator->() const { return s_; }
  explicit operator bool() const { return s_ != nullptr; }

 private:
  S* s_ = nullptr;
};

// The one who sets the outcome; sees to it that there is one.
template <typename S>
class writer {
 public:
  explicit writer(S* s) noexcept : s_(s) { s->written_ = true; }
  writer(writer&& other) noexcept : s_(std::exchange(other.s_, nullptr)) {}
  writer& operator=(writer&& other) noexcept {
    writer old(std::move(*this));
    s_ = std::exchange(other.s_, nullptr);
    return *this;
  }
  ~writer() {
    if (s_ != nullptr) s_->writer_gone();
  }

  [[nodiscard]] S* get() const { return s_; }
  S* operator->() const { return s_; }
  explicit operator bool() const { return s_ != nullptr; }

 private:
  S* s_;
};

// A state with a place for a T, which may be void or a reference.
template <typename T>
class future_state_of : public future_state {
  struct nothing {};

 public:
  // How it is kept.
  using kept = std::conditional_t<
      std::is_void_v<T>, nothing,
      std::conditional_t<std::is_reference_v<T>,
                         std::add_pointer_t<std::remove_reference_t<T>>, T>>;

  future_state_of() noexcept(false) {}  // NOLINT
  explicit future_state_of(shared_t t) : future_state(t) {}
  ~future_state_of() override {
    if (has_value_) value_.~kept();
  }

  // Requires: it has a value, and no other.
  kept& value() { return value_; }

  // Moves it out. Throws what that throws, with nothing changed.
  T take()
    requires std::is_object_v<T>
  {
    const taking now(*this);
    T result(std::move(value_));
    forget_value();
    return result;
  }
  std::optional<T> take_optional()
    requires std::is_object_v<T>
  {
    const taking now(*this);
    std::optional<T> result(std::move(value_));
    forget_value();
    return result;
  }
  T take()
    requires std::is_reference_v<T>
  {
    T result = *value_;
    forget_value();
    return result;
  }
  void take()
    requires std::is_void_v<T>
  {
    forget_value();
  }

  // Makes the value, which is what f() gives, in its place; whoever waits does
  // not know yet. Throws what f() throws, and error; then it is as it was.
  template <typename F>
  void produce(F&& f) {
    this->claim();
    struct disclaiming {
      future_state_of* of;
      ~disclaiming() {
        if (of != nullptr) of->disclaim();
      }
    } unless_done{this};
    make_value(std::forward<F>(f));
    unless_done.of = nullptr;
  }
  // It is known from now on.
  void publish() noexcept { this->conclude(outcome::value); }
  // What body->f() gives, or throws; the body has ended before that is known.
  // A kill goes on.
  template <typename Body>
  void conclude_by(std::optional<Body>& body) {
    std::exception_ptr failure;
    try {
      produce([&body]() -> decltype(auto) { return body->f(); });
    } catch (const tasklet_exit&) {
      throw;
    } catch (...) {
      failure = std::current_exception();
    }
    body.reset();
    if (failure)
      this->fail(std::move(failure));
    else
      publish();
  }

 protected:
  template <typename F>
  void make_value(F&& f) {
    void* const place = std::addressof(value_);
    if constexpr (std::is_void_v<T>) {
      std::forward<F>(f)();
      new (place) kept();
    } else if constexpr (std::is_reference_v<T>) {
      new (place) kept(std::addressof(std::forward<F>(f)()));
    } else {
      new (place) kept(std::forward<F>(f)());
    }
    has_value_ = true;
  }

 private:
  void forget_value() noexcept {
    this->spend();
    has_value_ = false;
    value_.~kept();
  }
  // While a value is moved out it is nobody else's: the move may switch.
  class taking {
   public:
    explicit taking(future_state_of& of) : of_(of) { of_.spend(); }
    taking(const taking&) = delete;
    taking& operator=(const taking&) = delete;
    ~taking() {
      if (of_.has_value_) of_.unspend();
    }

   private:
    future_state_of& of_;
  };

  union {
    kept value_;
  };
  bool has_value_ = false;
};

}  // namespace weft
