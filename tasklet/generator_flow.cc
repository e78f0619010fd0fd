// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/generator_flow.h"

#include <cstdlib>

#include "weft/tasklet/holds.h"
#include "weft/tasklet/stderr_line.h"

namespace weft {
namespace {

void report(const std::exception& e) noexcept {
  stderr_line() << "a generator that was destroyed failed: " << e.what();
}

}  // namespace

void generator_flow::switch_from_handler(flow* self, flow* to) {
  shielded = home->unwinds();
  switch_with_exceptions(self, to);
  shielded = false;
}

bool generator_flow::holds_kills_back(
    const generator_flow* innermost) noexcept {
  const generator_flow* g = innermost;
  while (g != nullptr && !g->shielded) g = g->outer;
  return g != nullptr;
}

bool generator_flow::check_slowly() const {
  if (!home->is_here()) home->throw_wrong_thread("generator");
  if (state == generator_state::running)
    throw generator_error("weft: this generator runs already");
  return false;
}

bool generator_flow::raise(std::exception_ptr what) {
  if (!may_resume()) std::rethrow_exception(std::move(what));
  if (state == generator_state::created) {
    state = generator_state::finished;
    std::rethrow_exception(std::move(what));
  }
  thrown = std::move(what);
  return resume();
}

void generator_flow::close() {
  if (!may_resume()) return;
  if (state == generator_state::created) {
    state = generator_state::finished;
    return;
  }
  closing = leaf;
  bool ignored = false;
  try {
    ignored = raise(std::make_exception_ptr(generator_exit()));
  } catch (const generator_exit&) {
  } catch (...) {
    closing = nullptr;
    throw;
  }
  closing = nullptr;
  if (ignored)
    throw generator_error(
        "weft: a generator that is being closed has yielded again");
}

void generator_flow::dispose() noexcept {
  if (!home->is_here()) {
    stderr_line() << "a generator was destroyed in another thread than its "
                     "own, and is abandoned with its stack";
    return;
  }
  if (state == generator_state::running) {
    stderr_line() << "a generator was destroyed while it runs; end it from "
                     "outside of it";
    std::abort();
  }
  for (int i = 0; state == generator_state::suspended; ++i) {
    if (i == patience) {
      stderr_line() << "a generator has yielded 16 times while it was being "
                       "destroyed, and is abandoned with its stack";
      return;
    }
    try {
      close();
    } catch (const generator_error& e) {
      if (state == generator_state::finished) report(e);  // The body's own.
    } catch (const tasklet_exit&) {  // A kill; it will come again.
    } catch (const std::exception& e) {
      report(e);
    } catch (...) {
      stderr_line() << "a generator that was destroyed failed with something "
                       "that is no std::exception";
    }
  }
  strand_home* const from = home;
  const weft::stack room = ground;
  discard();
  destroy(this);
  from->give(room);
}

void generator_flow::delegate(generator_flow& inner) const {
  if (!inner.may_resume()) return;
  generator_flow* const r = root;
  // Who runs, and may have been handed the yielder of this one.
  generator_flow* const me = r->leaf;
  inner.delegator = me;
  for (generator_flow* g = inner.leaf; g != &inner; g = g->delegator)
    g->root = r;
  inner.root = r;
  r->leaf = inner.leaf;
  strand_place& place = home->place();
  inner.outer = place.innermost;
  place.innermost = inner.inside;
  inner.state = generator_state::running;
  flow* self = me;
  if (home->exceptions().alive())
    inner.switch_from_handler(self, inner.leaf);
  else
    switch_from(self, inner.leaf);
  // It has ended.
  inner.root = &inner;
  inner.delegator = nullptr;
  // Where that was told to end, so is this; but not twice.
  const bool told = root->closing == &inner;
  if (told) root->closing = nullptr;
  if (inner.failure) {
    const std::exception_ptr what = std::exchange(inner.failure, nullptr);
    if (told && holds<generator_exit>(what)) root->closing = me;
    std::rethrow_exception(what);
  }
  if (!told) return;
  root->closing = me;
  throw generator_exit();
}

void generator_flow::end() noexcept {
  strand_place& place = home->place();
  state = generator_state::finished;
  place.innermost = outer;
  flow* to = nullptr;
  if (delegator != nullptr) {
    root->leaf = delegator;
    to = delegator;
  } else {
    to = &caller;
  }
  flow* nothing = nullptr;
  flow* self = this;
  leave(nothing, self, to);
}

generator_flow& generator_flow::innermost(const void* type) {
  generator_flow* g = strand_home::here().place().innermost;
  while (g != nullptr && g->type != type) g = g->outer;
  if (g == nullptr)
    throw generator_error(
        "weft: yield_value() and yield_from() belong in a generator of that "
        "type, and this code runs in none");
  return *g;
}

}  // namespace weft
