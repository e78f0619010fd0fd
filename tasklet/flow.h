// SPDX-License-Identifier: BSL-1.0
// Private: a flow of control that can be suspended.
//
// A flow is a place to go on, on a stack of its own, with its own record of
// live exceptions. It knows nothing of who runs next: tasklets, greenlets and
// generators are flows with different ideas of that. The stack belongs to
// whoever prepares the flow; the flow object may lie on top of it.
#pragma once

#include <type_traits>

#include "weft/tasklet/context.h"
#include "weft/tasklet/exception_state.h"

namespace weft {

struct flow : context {
  // Makes this a flow that begins with Entry(*this) on the stack [low, high).
  // Requires: Entry ends with leave() and lets no exception out.
  template <typename Derived, void (*Entry)(Derived&)>
  void prepare(const char* low, char* high) {
    static_assert(std::is_base_of_v<flow, Derived>);
    prepare_context(*this, low, high,
                    [](context& self) { Entry(static_cast<Derived&>(self)); });
  }

  // Suspends this flow, which is the running one, and goes on in `to`; returns
  // when somebody switches here.
  // Requires: no exception is alive on this thread.
  [[gnu::always_inline]] void switch_to(flow& to) { switch_context(*this, to); }

  // As switch_to(), with exceptions alive: they stay with this flow.
  void switch_keeping(exception_state& thread, flow& to) {
    const exception_state mine = thread;
    thread = {};
    switch_to(to);
    thread = mine;
  }

  // Ends this flow, which is the running one. Its memory stays valid until
  // another switch has been made; then discard() it.
  [[noreturn, gnu::always_inline]] void leave(flow& to) {
    leave_context(*this, to);
  }

  void discard() { discard_context(*this); }
};

}  // namespace weft
