// SPDX-License-Identifier: BSL-1.0
// Private: what other threads want of a scheduler.
//
//   any thread     post():  link it - raise the flag has_mail - wake, once
//   the scheduler  read():  the flag down - deliver some, in order
//
// The flag is one of those that every switch tests, so a scheduler that runs
// sees it at its next one, and one that sleeps is woken by whoever raised it.
//
// Invariants:
// - What one thread posts is delivered in its order.
// - Nobody posts to one that is closed, and when close() returns nobody is in
//   post() any more: the scheduler, its driver and its flags may go.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weft {

struct core;

// Belongs to whoever posts it until it is delivered, once, in the scheduler's
// thread; may be gone then. That may make tasklets runnable, and not switch.
struct letter {
  using action = void (*)(letter&, core&) noexcept;
  explicit letter(action a) : deliver(a) {}
  action deliver;
  letter* behind = nullptr;
};

class alignas(64) inbox {
 public:
  explicit inbox(core& of) : of_(of) {}
  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;
  ~inbox() = default;

  // From any thread. False: it is closed, and nothing has happened. `work`: it
  // would begin something, which is refused once the scheduler begins to end.
  bool post(letter& l, bool work) noexcept;

  // The rest is the scheduler's. Delivers what has come, up to a bound.
  void read() noexcept;
  // Delivers one that is certain to come, before all others: waits for it.
  void await(letter& l) noexcept;
  // What could not be delivered, to be tried again before all others.
  void put_back(letter& l) noexcept;
  void refuse_work() noexcept { shut(no_work); }
  // Requires: nothing that was posted is still awaited.
  void close() noexcept { shut(closed); }
  [[nodiscard]] bool is_closed() const {
    return (state_.load(std::memory_order_relaxed) & closed) != 0;
  }

  // Threads that may post work. Those that wait for it to change are woken when
  // it becomes 0.
  [[nodiscard]] bool has_outsiders() const {
    return outsiders_.load(std::memory_order_acquire) != 0;
  }
  // In the child of a fork(), where they are no more: what they had not linked is
  // lost.
  void forget_posters() noexcept { state_.fetch_and(no_work | closed); }
  void enter() noexcept { outsiders_.fetch_add(1, std::memory_order_relaxed); }
  void leave() noexcept;

 private:
  enum : std::uint32_t {
    one_poster = 1,
    no_work = 1U << 30,
    closed = 1U << 31
  };
  // Letters between two looks at the run queue.
  static constexpr int at_once = 64;

  bool begin_post(std::uint32_t unless) noexcept;
  void ring() noexcept;
  void shut(std::uint32_t for_whom) noexcept;
  void collect() noexcept;
  letter* take() noexcept;

  core& of_;
  std::atomic<std::uint32_t> state_{0};  // posters, and what is refused
  std::atomic<std::size_t> outsiders_{0};
  std::atomic<letter*> come_{nullptr};  // newest first
  letter* taken_ = nullptr;             // oldest first
};

}  // namespace weft
