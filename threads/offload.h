// SPDX-License-Identifier: BSL-1.0
// Calls what would block the thread on another one, while only the calling
// tasklet waits.
//
//   std::string text = weft::offload([&] { return read_whole(path); });
//   weft::offload([&](const std::stop_token& stop) { db.run(query, stop); });
//
// The calls go to helper threads, first come, first served: a bounded number for
// the whole process, which are made as they are needed and kept. There f may do
// whatever a thread without a scheduler may, also send to shared channels. It may
// refer to what lies on the caller's stack, because the caller does not go on
// before f has returned:
//
// - A call that has not begun when the tasklet is killed, interrupted or thrown
//   into is withdrawn, and that is raised at once.
// - One that has begun is asked to stop, by its stop_token if it takes one; when
//   it has returned that is raised, and its result is destroyed.
//
// While a call is under way there is no deadlock, run() waits, a virtual clock
// does not jump, and a scheduler that ends waits for it.
//
// Thread safety: f runs in another thread, and what it does happens between the
//                call of offload() and its return. Callbacks of its stop_token
//                run in the caller's.
// Helpers:       are called weft/offload, and get no signals. They do not come
//                along with fork(): calls that were waiting or under way throw
//                error in the child.
// (gevent: threadpool. Tokio: spawn_blocking.)
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include "weft/threads/summons.h"

namespace weft {

// Private: a call less the type of what it gives. It lies on the stack of the
// tasklet that waits for it.
class offloaded_call : summons {
 protected:
  offloaded_call() : summons(true) {}
  ~offloaded_call() override = default;
  // Returns when the call has. Throws what it threw, and what is due.
  void wait(std::source_location where);
  [[nodiscard]] virtual std::stop_source stop() const {
    return std::stop_source(std::nostopstate);
  }

 private:
  friend class helpers;
  virtual void call() = 0;
  // On a helper.
  void perform() noexcept;
  void fail_after_fork() noexcept;
  void send() override;
  bool withdraw() noexcept override;

  offloaded_call* behind_ = nullptr;  // in the helpers' line
  std::exception_ptr failure_;
};

template <typename F>
concept offloadable =
    std::is_invocable_v<F> || std::is_invocable_v<F, std::stop_token>;

// Calls f on a helper and gives what it gives. Parks until it has returned.
// Throws what f throws; no_scheduler, what is due to the caller,
// block_trap_error, switch_trap_error; std::system_error where there is no
// helper and none can be made: then f has not been called.
// Cost: two hand-overs between threads.
template <typename F>
  requires offloadable<F&>
auto offload(F&& f,
             std::source_location where = std::source_location::current()) {
  constexpr bool stoppable = std::is_invocable_v<F&, std::stop_token>;
  using result =
      typename std::conditional_t<stoppable,
                                  std::invoke_result<F&, std::stop_token>,
                                  std::invoke_result<F&>>::type;
  static_assert(!std::is_reference_v<result>,
                "weft: an offloaded call gives a value; give a pointer");
  constexpr bool gives = !std::is_void_v<result>;
  struct here final : offloaded_call {
    explicit here(F& g) : function(g) {}
    void call() override {
      const auto give = [this]() -> result {
        if constexpr (stoppable)
          return function(stopper.get_token());
        else
          return function();
      };
      if constexpr (gives)
        value.emplace(give());
      else
        give();
    }
    [[nodiscard]] std::stop_source stop() const override {
      if constexpr (stoppable)
        return stopper;
      else
        return offloaded_call::stop();
    }
    using offloaded_call::wait;
    F& function;
    std::optional<std::conditional_t<gives, result, std::monostate>> value;
    [[no_unique_address]] std::conditional_t<stoppable, std::stop_source,
                                             std::monostate> stopper;
  } one(f);
  one.wait(where);
  if constexpr (gives) return std::move(*one.value);
}

// There may be n helpers in this process; 16 unless told otherwise.
// Where the limit is lowered, those beyond it end when their calls have.
// Throws std::invalid_argument for 0. Thread safety: any thread.
void set_offload_limit(std::size_t n);

}  // namespace weft
