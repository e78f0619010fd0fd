// SPDX-License-Identifier: BSL-1.0
// Private: what a generator is, apart from the types of its values.
//
//   consumer                    generator
//   resume()  -- caller ----->  its body, or that of the leaf it delegates to
//             <-----------      suspend(): a value lies at `yielded`
//
// A generator that delegates (yield_from) stays where it is, and its consumer
// resumes the leaf at the end of the chain directly. The root is the generator
// at the beginning, which the consumer holds.
//
// Invariants:
// - strand_place::innermost is the generator whose code runs, linked by `outer`
//   to those around it; one that is suspended remembers its end of that chain.
// - Values lie where they were made, on the stack of the side that waits.
// - What holds kills back where a generator is waited for does so in it, too:
//   those of the chain that begins with innermost are asked.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>

#include "weft/tasklet/error.h"
#include "weft/tasklet/flow.h"
#include "weft/tasklet/strand_home.h"

namespace weft {

enum class generator_state : std::uint8_t {
  created,    // its body has not begun
  suspended,  // in a yield
  running,    // its body runs, or has something else running
  finished,
};

struct generator_flow : flow {
  flow caller;  // of a root: where it was resumed
  strand_home* home = nullptr;
  generator_flow* outer = nullptr;  // who runs around it
  // Of a root that is suspended: the innermost of all that it runs.
  generator_flow* inside = nullptr;
  generator_flow* root = nullptr;
  generator_flow* leaf = nullptr;       // of a root: who goes on
  generator_flow* delegator = nullptr;  // who yields from this one
  const void* type = nullptr;           // what it yields and is sent
  void* yielded = nullptr;              // of a root
  void* sent = nullptr;                 // of a root; null: nothing
  std::exception_ptr thrown;            // of a root: for the yield to raise
  std::exception_ptr failure;           // what escaped the body
  void (*destroy)(generator_flow*) = nullptr;
  weft::stack ground;
  generator_state state = generator_state::created;
  bool shielded = false;  // it is waited for in a destructor or a handler
  // Of a root that is told to end: who has been, so far, and has not caught it.
  generator_flow* closing = nullptr;

  void begin_as(strand_home& where, weft::stack on, const void* what,
                void (*end_of_life)(generator_flow*)) {
    home = &where;
    ground = on;
    type = what;
    destroy = end_of_life;
    inside = root = leaf = this;
  }

  // ---- for the consumer; of a root

  // Runs it until it yields or ends; false: it has ended. Throws what escapes
  // the body. Requires: may_resume().
  [[gnu::always_inline]] bool resume() {
    strand_place& place = home->place();
    outer = place.innermost;
    place.innermost = inside;
    state = generator_state::running;
    flow* self = &caller;
    flow* to = leaf;
    if (home->exceptions().alive()) [[unlikely]]
      switch_from_handler(self, to);
    else
      switch_from(self, to);
    if (state == generator_state::suspended) [[likely]]
      return true;
    if (failure) [[unlikely]]
      std::rethrow_exception(std::exchange(failure, nullptr));
    return false;
  }
  // False: it has finished. Throws wrong_thread; generator_error where it runs.
  [[gnu::always_inline]] bool may_resume() const {
    if (state <= generator_state::suspended && home->is_here()) [[likely]]
      return true;
    return check_slowly();
  }
  // As resume(), but `what` is raised at the yield. False, too, where there is
  // none any more: throws it.
  bool raise(std::exception_ptr what);
  // Throws generator_error where the body yields again, and what escapes it.
  void close();
  // The end of it: never throws.
  void dispose() noexcept;

  // ---- for the body

  // Yields what lies at `value`. Throws what was thrown in.
  [[gnu::always_inline]] void suspend(void* value) {
    strand_place& place = home->place();
    generator_flow* r = root;
    r->yielded = value;
    r->inside = place.innermost;
    place.innermost = r->outer;
    r->state = generator_state::suspended;
    flow* self = r->leaf;  // which may have been handed this one's yielder
    flow* to = &r->caller;
    if (home->exceptions().alive()) [[unlikely]]
      switch_with_exceptions(self, to);
    else
      switch_from(self, to);
    r = root;  // Somebody may delegate to this one now.
    if (r->thrown) [[unlikely]]
      std::rethrow_exception(std::exchange(r->thrown, nullptr));
  }
  // What was sent, or null: once.
  void* take_sent() const { return std::exchange(root->sent, nullptr); }

  // Runs `inner` to its end in place of this one. Throws what escapes it.
  void delegate(generator_flow& inner) const;

  // Where code that `innermost` is the generator of is unwound, or handles a
  // kill, or what waits for it is or does.
  static bool holds_kills_back(const generator_flow* innermost) noexcept;

  // The innermost of the running code that is of this type. Throws
  // generator_error where there is none.
  static generator_flow& innermost(const void* type);

 protected:
  // What the entry of a body ends with.
  [[noreturn]] void end() noexcept;

 private:
  // They carry nothing.
  [[gnu::always_inline]] static void switch_from(flow* self, flow* to) {
    flow* nothing = nullptr;
    switch_to(nothing, self, to);
  }
  [[gnu::noinline]] void switch_with_exceptions(flow* self, flow* to) const {
    flow* nothing = nullptr;
    switch_keeping(home->exceptions(), nothing, self, to);
  }
  // As that, into this one: what is held back stays so there.
  void switch_from_handler(flow* self, flow* to);
  bool check_slowly() const;
};

}  // namespace weft
