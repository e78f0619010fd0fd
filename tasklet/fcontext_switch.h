// SPDX-License-Identifier: BSL-1.0
// Private: the switch by Boost.Context's fcontext, wherever there is no inline
// one, and on request. Included by context.h only.
//
// Invariants:
// - Whoever arrives records the place of whoever left: the jump carries a
//   pointer to the resume point that was left, which holds everything else.
// - A resume point that was left for the last time is written to once more, by
//   the arriving side: its memory stays valid until another switch is made.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdlib>

namespace weft {

using switch_entry = void (*)(void* carried, void* self);

struct resume_point {
  void* address = nullptr;
  switch_entry entry = nullptr;
  void* left_for = nullptr;  // whom it switched to,
  void* carried = nullptr;   // and with what
};

// Contexts begin on stacks of their own only.
struct launch_pad {};

inline void note_arrival(boost::context::detail::transfer_t arrival,
                         void*& carried, void*& self) {
  auto* left = static_cast<resume_point*>(arrival.data);
  left->address = arrival.fctx;
  carried = left->carried;
  self = left->left_for;
}

[[noreturn]] inline void begin_fcontext(
    boost::context::detail::transfer_t arrival) noexcept {
  void* carried;
  void* self;
  note_arrival(arrival, carried, self);
  static_cast<resume_point*>(self)->entry(carried, self);
  std::abort();  // An entry leaves for ever.
}

inline void prepare_switch(resume_point& self, char* top, std::size_t size,
                           switch_entry entry) {
  self.entry = entry;
  self.address =
      boost::context::detail::make_fcontext(top, size, &begin_fcontext);
}

inline const void* stack_pointer(const resume_point& self) {
  return self.address;
}

[[gnu::always_inline]] inline void jump(void*& carried, void* from, void*& to) {
  auto* left = static_cast<resume_point*>(from);
  left->left_for = to;
  left->carried = carried;
  note_arrival(boost::context::detail::jump_fcontext(
                   static_cast<resume_point*>(to)->address, left),
               carried, to);
}

}  // namespace weft
