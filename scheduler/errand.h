// SPDX-License-Identifier: BSL-1.0
// Private: a spawn that another thread has asked for, and that waits to be made.
#pragma once

#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/inbox.h"
#include "weft/scheduler/spawn.h"
#include "weft/tasklet/stack_pool.h"

namespace weft {

struct errand : letter {
  explicit errand(spawn_site where) : letter(&begin), site(where) {}
  errand(const errand&) = delete;
  errand& operator=(const errand&) = delete;
  virtual ~errand() = default;
  virtual void run() = 0;
  // What its tasklet is to have. Throws std::bad_alloc; it is asked again then.
  virtual void furnish(spawning& /*of_it*/) {}
  // In the scheduler's thread, once: it becomes a tasklet at the tail of the run
  // queue, as soon as there is memory for one. Where the scheduler ends it is
  // destroyed.
  static void begin(letter& l, core& in) noexcept;
  spawn_site site;
};

template <typename F>
struct errand_of : errand {
  template <typename G>
  errand_of(G&& g, spawn_site where)
      : errand(where), function(std::forward<G>(g)) {}
  void run() override { std::move(function)(); }
  F function;
};

template <typename F>
struct furnished_errand_of final : errand_of<F> {
  template <typename G>
  furnished_errand_of(G&& g, spawn_options o)
      : errand_of<F>(std::forward<G>(g), o.site), options(std::move(o)) {}
  void furnish(spawning& of_it) override { of_it.set(options); }
  spawn_options options;
};

// Both throw std::bad_alloc, and what moving f throws; the second
// std::invalid_argument for a stack size out of range, too.
template <typename F>
std::unique_ptr<errand> make_errand(F&& f, std::source_location where) {
  return std::make_unique<errand_of<std::decay_t<F>>>(std::forward<F>(f),
                                                      where);
}
template <typename F>
std::unique_ptr<errand> make_errand(spawn_options options, F&& f) {
  if (options.stack_size != 0)
    static_cast<void>(stack_pool::class_of(options.stack_size));
  return std::make_unique<furnished_errand_of<std::decay_t<F>>>(
      std::forward<F>(f), std::move(options));
}

}  // namespace weft
