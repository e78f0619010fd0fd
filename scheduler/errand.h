// SPDX-License-Identifier: BSL-1.0
// Private: a spawn that another thread has asked for, and that waits to be made.
#pragma once

#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/scheduler/inbox.h"

namespace weft {

struct errand : letter {
  explicit errand(std::source_location where) : letter(&begin), site(where) {}
  errand(const errand&) = delete;
  errand& operator=(const errand&) = delete;
  virtual ~errand() = default;
  virtual void run() = 0;
  // In the scheduler's thread, once: it becomes a tasklet at the tail of the run
  // queue, as soon as there is memory for one. Where the scheduler ends it is
  // destroyed.
  static void begin(letter& l, core& in) noexcept;
  std::source_location site;
};

// Throws std::bad_alloc, and what moving f throws.
template <typename F>
std::unique_ptr<errand> make_errand(F&& f, std::source_location where) {
  struct of final : errand {
    of(F&& g, std::source_location w)
        : errand(w), function(std::forward<F>(g)) {}
    void run() override { std::move(function)(); }
    std::decay_t<F> function;
  };
  return std::make_unique<of>(std::forward<F>(f), where);
}

}  // namespace weft
