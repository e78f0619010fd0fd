// SPDX-License-Identifier: BSL-1.0
// Private: what a tasklet will run, kept until it starts.
//
// Small callables lie in place, larger ones are allocated. To run one moves it
// onto the stack that runs it, beside the frames that use it, and destroys it
// there when it has returned, so that its destructor may block.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

class callable {
 public:
  static constexpr std::size_t room = 64;

  // Requires: empty. Throws what F's constructor throws.
  template <typename F>
  void emplace(F&& f) {
    using kept = std::decay_t<F>;
    if constexpr (sizeof(kept) <= room && alignof(kept) <= 16) {
      new (place_) kept(std::forward<F>(f));
      run_ = &run_at<kept>;
      drop_ = &drop_at<kept>;
    } else {
      emplace([big = std::make_unique<kept>(std::forward<F>(f))] { (*big)(); });
    }
  }

  // Makes this hold nothing that could run.
  void leave_empty() {
    run_ = nullptr;
    drop_ = [](void*) {};
  }
  // Requires: emplace() or leave_empty() has been called.
  [[nodiscard]] bool empty() const { return run_ == nullptr; }

  // Calls it, once, and leaves this empty. Throws what it throws.
  void run() { run_(place_); }

  // Destroys it without calling it.
  void drop() { drop_(place_); }

 private:
  template <typename F>
  static F move_out(void* place) {
    struct emptied {
      F* old;
      ~emptied() { old->~F(); }
    } at_exit{static_cast<F*>(place)};
    return F(std::move(*at_exit.old));
  }
  template <typename F>
  static void run_at(void* place) {
    F f = move_out<F>(place);
    f();
  }
  template <typename F>
  static void drop_at(void* place) {
    static_cast<F*>(place)->~F();
  }

  void (*run_)(void*) = nullptr;
  void (*drop_)(void*) = nullptr;
  alignas(16) std::byte place_[room];
};

}  // namespace weft
