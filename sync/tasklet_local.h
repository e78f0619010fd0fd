// SPDX-License-Identifier: BSL-1.0
// A variable of which each tasklet has its own value.
//
//   weft::tasklet_local<int> depth;             // begins as int()
//   weft::tasklet_local<user> asks_for(weft::inheritance::copy, whoever);
//
//   ++*depth;                                   // this tasklet's
//   asks_for.set(alice);
//   weft::spawn([&] { serve(*asks_for); });     // alice
//
// A value is made when its tasklet first asks for it, and ended when that ends,
// on that tasklet: newest first, after all its frames, kills held back. What a
// tasklet that never ran has inherited is ended by whoever ends it; main's with
// the scheduler.
//
// Thread safety:  any thread that has a scheduler; each tasklet gets its own
//                 value, and none refers to another's, unless it is shared.
// Lifetime:       may end before or after the tasklets; values do not refer to
//                 it.
// Cost:           O(variables that the tasklet uses); an allocation a value. A
//                 tasklet that uses none costs a spawn a test.
//
// (Python: gevent.local; C++: thread_local.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "weft/scheduler/dispatcher.h"
#include "weft/tasklet/control_block.h"
#include "weft/tasklet/error.h"
#include "weft/tasklet/heritage.h"

namespace weft {

// What a tasklet that is spawned gets of its spawner's value, if that has one.
enum class inheritance : std::uint8_t {
  none,   // nothing: it makes its own
  copy,   // a copy, as it is at the spawn; to make it, T's copy constructor
          // must not use the spawner's tasklet_locals
  share,  // the same object, ended by the last who has it
};

template <typename T>
class tasklet_local {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "weft: a tasklet_local holds objects");

 public:
  // Values are made by make(), which gives a T; else by T().
  explicit tasklet_local(inheritance how = inheritance::none)
    requires std::is_default_constructible_v<T>
      : tasklet_local(how, [] { return T(); }) {}
  template <typename F>
    requires std::is_invocable_r_v<T, F&>
  explicit tasklet_local(F make)
      : tasklet_local(inheritance::none, std::move(make)) {}
  // Throws error where `how` is copy and T cannot be copied.
  template <typename F>
    requires std::is_invocable_r_v<T, F&>
  tasklet_local(inheritance how, F make)
      : make_(std::move(make)), inherit_(policy(how)) {}
  tasklet_local(const tasklet_local&) = delete;
  tasklet_local& operator=(const tasklet_local&) = delete;
  ~tasklet_local() = default;

  // The current tasklet's, made now if it has none. Valid until set(),
  // reset() or its end. Throws no_scheduler, std::bad_alloc, what making it
  // throws.
  T& operator*() const {
    descriptor& d = here();
    if (T* has = find(d)) return *has;
    // Made first: that may do anything.
    std::shared_ptr<T> made = std::make_shared<T>(make_());
    if (T* has = find(d)) return *has;
    return keep(d, std::move(made));
  }
  T* operator->() const { return &**this; }

  // Null: the current tasklet has none yet. Throws no_scheduler.
  [[nodiscard]] T* get_if() const { return find(here()); }
  // In place of the value that it has, if any; who shares that one keeps it.
  // Throws as operator*.
  void set(T value) const {
    descriptor& d = here();
    std::shared_ptr<T> made = std::make_shared<T>(std::move(value));
    // The old one ends when the new one is in its place: it may do anything.
    if (belonging* const b = find_belonging(d, key_))
      return of(*b).value.swap(made);
    auto next = std::make_unique<node>(key_, inherit_, std::move(made));
    keep_belonging(d, *next.release());
  }
  // Ends the value; the next use makes one anew. Throws no_scheduler.
  void reset() const { drop_belonging(here(), key_); }

 private:
  using handing_on = belonging* (*)(const belonging&);

  struct node : belonging {
    node(std::uint64_t k, handing_on how, std::shared_ptr<T> v)
        : belonging{nullptr, k, how, &end}, value(std::move(v)) {}
    std::shared_ptr<T> value;
    static void end(belonging& b) noexcept { delete &of(b); }
  };
  static node& of(belonging& b) { return static_cast<node&>(b); }
  static const node& of(const belonging& b) {
    return static_cast<const node&>(b);
  }

  static handing_on policy(inheritance how) {
    if (how == inheritance::share)
      return [](const belonging& b) -> belonging* {
        return new node(b.key, b.inherit, of(b).value);
      };
    if constexpr (std::is_copy_constructible_v<T>)
      if (how == inheritance::copy)
        return [](const belonging& b) -> belonging* {
          return new node(b.key, b.inherit,
                          std::make_shared<T>(std::as_const(*of(b).value)));
        };
    if (how != inheritance::none)
      throw error("weft: what a tasklet_local holds cannot be copied");
    return nullptr;
  }

  static descriptor& here() {
    dispatcher* s = this_dispatcher();
    s->require_scheduler();
    return *s->current->who;
  }
  T* find(const descriptor& d) const {
    belonging* b = find_belonging(d, key_);
    return b != nullptr ? of(*b).value.get() : nullptr;
  }
  T& keep(descriptor& d, std::shared_ptr<T> value) const {
    T& result = *value;
    keep_belonging(d, *new node(key_, inherit_, std::move(value)));
    return result;
  }

  std::function<T()> make_;
  handing_on inherit_;
  std::uint64_t key_ = belonging::new_key();
};

}  // namespace weft
