// SPDX-License-Identifier: BSL-1.0
// Private: somebody who is told when a tasklet ends, however it ends.
//
// Listed in the descriptor of that one, in the order in which they came; those
// that nobody observes pay nothing. It is told when the tasklet is dead and
// those who join it are runnable.
//
// Thread safety: the thread of the tasklet's scheduler.
#pragma once

#include <cstdint>
#include <exception>

namespace weft {

struct descriptor;

enum class end_reason : std::uint8_t {
  normal,   // it returned
  killed,   // a tasklet_exit left it, or it was killed before its start, or
            // abandoned
  failed,   // something else did
  unknown,  // it had ended before anybody asked
};

class end_observer {
 public:
  end_observer(const end_observer&) = delete;
  end_observer& operator=(const end_observer&) = delete;

  // Who came after it; null: nobody.
  [[nodiscard]] end_observer* next() const { return next_; }

 protected:
  end_observer() = default;
  virtual ~end_observer() { unwatch(); }

  // Requires: observes nobody; `d` is alive.
  void watch(descriptor& d) noexcept;
  void unwatch() noexcept;
  [[nodiscard]] bool watching() const { return d_ != nullptr; }
  // Requires: watching().
  [[nodiscard]] descriptor& watched() const { return *d_; }

 private:
  friend struct core;

  // It watches no more, and may end itself. Does not switch.
  virtual void ended(end_reason why,
                     const std::exception_ptr& failure) noexcept = 0;
  // What escapes the tasklet is for it, where nobody joins.
  [[nodiscard]] virtual bool takes_failure() const { return false; }
  // The same, for sure: `what` is about to end it, and nobody else is told.
  virtual bool claims_failure(const std::exception_ptr& /*what*/) noexcept {
    return takes_failure();
  }

  descriptor* d_ = nullptr;
  end_observer* next_ = nullptr;
  end_observer* previous_ = nullptr;  // of the first: the last
};

}  // namespace weft
