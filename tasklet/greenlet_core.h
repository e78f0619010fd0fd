// SPDX-License-Identifier: BSL-1.0
// Private: what a greenlet is, apart from the type of its body.
//
//   created --first switch--> started --body returns or throws--> dead
//      '----an exception is thrown into it------------------------^
//
// Invariants:
// - strand_place::greenlet is the current greenlet of the tasklet whose place
//   it is; `place` of a main greenlet is that place, null once it is dead.
// - A started greenlet that is neither current nor main is suspended in
//   transfer(), or has not been switched to since prepare().
// - `handles` counts greenlet objects and children. It becomes zero in the
//   greenlet's own thread only; elsewhere the last one is left to that thread,
//   unless the greenlet has never begun. One that is not referred to is deleted
//   if it has not begun or has ended, and ended if it is suspended.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>

#include "weft/tasklet/context_var.h"
#include "weft/tasklet/flow.h"
#include "weft/tasklet/parcel.h"
#include "weft/tasklet/strand_home.h"

namespace weft {

struct greenlet_core : flow {
  using run_fn = parcel (*)(greenlet_core&, parcel);
  using destroy_fn = void (*)(greenlet_core*);

  // Throws std::bad_alloc.
  greenlet_core(std::uint32_t stack_class, context_policy context, run_fn run,
                destroy_fn end);
  greenlet_core(const greenlet_core&) = delete;
  greenlet_core& operator=(const greenlet_core&) = delete;
  ~greenlet_core();

  // The greenlet that runs; its tree's main one is made if need be.
  static greenlet_core& current();
  [[nodiscard]] greenlet_core* parent() const { return parent_; }
  [[nodiscard]] bool is_main() const { return parent_ == nullptr; }
  [[nodiscard]] bool started() const { return state_ != created; }
  [[nodiscard]] bool dead() const { return state_ == ended; }
  // Its stack, if it has one.
  [[nodiscard]] weft::stack ground() const { return ground_; }
  // The root of its tree.
  [[nodiscard]] greenlet_core& main();

  parcel transfer(parcel&& value, std::exception_ptr what);
  parcel throw_into(std::exception_ptr what);
  void set_parent(greenlet_core& parent);
  void set_context(context_policy policy, greenlet_core& other);
  context_values& context();

  void hold() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }
  void drop() noexcept {
    if (let_go()) destroy();
  }

  // Where code that runs there, or in an ancestor of its greenlet, is inside of
  // a generator that is waited for so, or has itself switched away so: while it
  // is unwound, or handles a kill.
  static bool holds_kills_back(const strand_place& place) noexcept;

  [[noreturn]] static void throw_null();
  // For the greenlets of a tasklet, or of a thread, that ends.
  static void end_all(strand_place& place) noexcept;
  // For those whose last handle went where they could not be ended.
  static void end_forsaken(strand_home& home) noexcept;
  // Linked by the home.
  greenlet_core* next_forsaken = nullptr;

 private:
  enum state : std::uint8_t { created, begun, ended };

  // A main greenlet.
  explicit greenlet_core(strand_place& place);

  // Who gets what is on its way to `to`: `to` itself or its nearest living
  // ancestor. An exception goes on from those that have not begun, and kills
  // them; a greenlet_exit becomes a value there. Null: all are dead.
  static greenlet_core* recipient(greenlet_core* to, parcel& value,
                                  std::exception_ptr& what) noexcept;
  void require_switchable(greenlet_core& from);
  // Throws std::bad_alloc with nothing changed.
  void begin();
  static void enter(flow*, greenlet_core& self) noexcept;
  [[noreturn]] void finish(parcel result, std::exception_ptr failure) noexcept;
  // Makes it the current one, which finds this.
  void receive(greenlet_core& from, parcel value,
               std::exception_ptr what) noexcept;
  // The first that one does who goes on.
  parcel arrive();
  void tell_trace(greenlet_core& origin, std::exception_ptr& what) noexcept;
  // A drop(); true: it is to be destroyed.
  bool let_go() noexcept;
  bool let_go_elsewhere() noexcept;
  void destroy() noexcept;
  // Ends it, with the current one for a parent, unless it gets more than that
  // many handles meanwhile. One that refuses is abandoned with its stack.
  void unwind(std::size_t others) noexcept;
  void release_stack() noexcept;
  void enlist() noexcept;
  void delist() noexcept;
  [[nodiscard]] bool unheld() const {
    return handles_.load(std::memory_order_acquire) == 0;
  }

  std::atomic<std::size_t> handles_ = 0;
  strand_home* home_;
  greenlet_core* parent_ = nullptr;      // held; null: main
  greenlet_core* main_ = nullptr;        // of one that has begun
  strand_place* place_ = nullptr;        // of a main one
  generator_flow* innermost_ = nullptr;  // while suspended
  greenlet_core* origin_ = nullptr;      // who has switched here
  parcel inbox_;
  std::exception_ptr thrown_;
  std::shared_ptr<context_values> context_;
  run_fn run_ = nullptr;
  destroy_fn destroy_ = nullptr;
  weft::stack ground_;
  std::uint32_t stack_class_ = 0;
  std::atomic<state> state_ = created;
  bool shielded_ = false;  // it is suspended in a destructor or a handler
  // Those of a tree that have begun and not ended; main is the anchor.
  greenlet_core* next_ = nullptr;
  greenlet_core* previous_ = nullptr;
};

}  // namespace weft
