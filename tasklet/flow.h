// SPDX-License-Identifier: BSL-1.0
// Private: a flow of control that can be suspended.
//
// A flow is a place to go on, on a stack of its own, with its own record of
// live exceptions. It knows nothing of who runs next: tasklets, greenlets and
// generators are flows with different ideas of that. The stack belongs to
// whoever prepares the flow; the flow object may lie on top of it.
//
// A switch carries one pointer to whoever goes on.
#pragma once

#include <type_traits>

#include "weft/tasklet/context.h"
#include "weft/tasklet/exception_state.h"

namespace weft {

struct flow : context {
  // Makes this a flow that begins with Entry(carried, *this) on the stack
  // [low, high), high aligned to 16.
  // Requires: Entry ends with leave() and lets no exception out.
  template <typename Carried, typename Derived,
            void (*Entry)(Carried*, Derived&)>
  void prepare(const char* low, char* high) {
    prepare_context(*this, low, high, &begin<Carried, Derived, Entry>);
  }

#ifdef WEFT_LAUNCHES
  // Makes this a flow that has no stack yet: it begins on the launch pad that
  // the switch to it carries.
  template <typename Carried, typename Derived,
            void (*Entry)(Carried*, Derived&)>
  void prepare_on_pad() {
    prepare_launch(*this, &begin<Carried, Derived, Entry>);
  }
#endif

  // Suspends `self`, the running flow, and goes on in `to`; returns when
  // somebody switches back. Then `to` is self, and `carried` what that one
  // carried: both are at hand, whatever else has to be loaded again.
  // Requires: no exception is alive on this thread.
  template <typename Carried, typename Derived>
  [[gnu::always_inline]] static void switch_to(Carried*& carried, Derived* self,
                                               Derived*& to) {
    switch_context(carried, self, to);
  }

  // As switch_to(), with exceptions alive: they stay with this flow.
  template <typename Carried, typename Derived>
  static void switch_keeping(exception_state& thread, Carried* carried,
                             Derived* self, Derived* to) {
    const exception_state mine = thread;
    thread = {};
    switch_to(carried, self, to);
    thread = mine;
  }

  // Ends `self`, the running flow; discard() it after another switch. Requires:
  // its memory stays valid until that switch, but where WEFT_LAUNCHES.
  template <typename Carried, typename Derived>
  [[noreturn, gnu::always_inline]] static void leave(Carried* carried,
                                                     Derived* self,
                                                     Derived* to) {
    leave_context(carried, self, to);
  }

  void discard() { discard_context(*this); }

 private:
  template <typename Carried, typename Derived,
            void (*Entry)(Carried*, Derived&)>
  static void begin(void* carried, void* self) {
    static_assert(std::is_base_of_v<flow, Derived>);
    auto& me = *static_cast<Derived*>(self);
    after_jump(me);
    Entry(static_cast<Carried*>(carried), me);
  }
};

}  // namespace weft
