// SPDX-License-Identifier: BSL-1.0
#include "weft/tasklet/greenlet.h"

#include <atomic>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "weft/tasklet/generator_flow.h"
#include "weft/tasklet/holds.h"
#include "weft/tasklet/stderr_line.h"

namespace weft {
namespace {

// However many handles it has.
constexpr std::size_t whatever = std::numeric_limits<std::size_t>::max() - 1;

// What escapes one that nobody waits for.
void report(const std::exception_ptr& what) noexcept {
  try {
    std::rethrow_exception(what);
  } catch (const tasklet_exit&) {  // A kill; it will come again.
  } catch (const std::exception& e) {
    stderr_line() << "a greenlet that was ended failed: " << e.what();
  } catch (...) {
    stderr_line() << "a greenlet that was ended failed with something that is "
                     "no std::exception";
  }
}

}  // namespace

void parcel::throw_bad(const std::type_info& asked) const {
  throw bad_parcel(std::string("weft: a parcel of type ") + type().name() +
                   " was asked for type " + asked.name());
}

// ---- the tree

greenlet_core::greenlet_core(std::uint32_t stack_class, context_policy context,
                             run_fn run, destroy_fn end)
    : home_(&strand_home::here()),
      parent_(&current()),
      run_(run),
      destroy_(end),
      stack_class_(stack_class) {
  if (context != context_policy::empty) set_context(context, *parent_);
  parent_->hold();
  home_->join();
}

greenlet_core::greenlet_core(strand_place& place)
    : home_(&strand_home::here()),
      main_(this),
      place_(&place),
      state_(begun),
      next_(this),
      previous_(this) {
  home_->join();
}

greenlet_core::~greenlet_core() {
  if (parent_ != nullptr) parent_->drop();
  home_->part();
}

greenlet_core& greenlet_core::current() {
  strand_place& place = strand_home::here().place();
  if (place.greenlet == nullptr) place.greenlet = new greenlet_core(place);
  return *place.greenlet;
}

greenlet_core& greenlet_core::main() {
  greenlet_core* g = this;
  while (g->state_ != begun && g->parent_ != nullptr) g = g->parent_;
  return g->parent_ != nullptr ? *g->main_ : *g;
}

void greenlet_core::set_parent(greenlet_core& parent) {
  if (is_main()) throw error("weft: a main greenlet has no parent");
  if (!home_->is_here()) home_->throw_wrong_thread("greenlet");
  if (parent.home_ != home_) parent.home_->throw_wrong_thread("greenlet");
  for (const greenlet_core* g = &parent; g != nullptr; g = g->parent_)
    if (g == this)
      throw error("weft: a greenlet cannot be among its own ancestors");
  if (state_ == begun && &parent.main() != main_)
    throw error(
        "weft: a greenlet that has begun keeps to its tasklet; its parent "
        "cannot be another one's");
  parent.hold();
  std::exchange(parent_, &parent)->drop();
}

void greenlet_core::throw_null() {
  throw error("weft: this handle refers to no greenlet");
}

void greenlet_core::enlist() noexcept {
  next_ = main_;
  previous_ = main_->previous_;
  previous_->next_ = this;
  main_->previous_ = this;
}

void greenlet_core::delist() noexcept {
  previous_->next_ = next_;
  next_->previous_ = previous_;
}

// ---- switching

greenlet_core* greenlet_core::recipient(greenlet_core* to, parcel& value,
                                        std::exception_ptr& what) noexcept {
  for (; to != nullptr; to = to->parent_) {
    if (to->state_ == begun) return to;
    if (!what && to->state_ == created) return to;
    to->state_ = ended;
    if (what && holds<greenlet_exit>(what)) {
      what = nullptr;
      value = parcel(greenlet_exit());
    }
  }
  return nullptr;
}

void greenlet_core::require_switchable(greenlet_core& from) {
  const greenlet_core& root = main();
  if (root.dead())
    throw error("weft: this greenlet's tasklet has ended, and it with that");
  if (&root != from.main_)
    throw error(
        "weft: this greenlet belongs to another tasklet, which alone can "
        "switch to it");
}

parcel greenlet_core::transfer(parcel&& value, std::exception_ptr what) {
  greenlet_core& from = current();
  if (!home_->is_here()) home_->throw_wrong_thread("greenlet");
  require_switchable(from);
  // Before anybody is found dead.
  greenlet_core* first = this;
  while (first->dead()) first = first->parent_;
  if (first->state_ == created && !what) first->begin();
  greenlet_core& to = *recipient(this, value, what);
  if (to.state_ == created) to.begin();
  if (&to == &from) {
    parcel given = std::move(value);
    if (home_->has_forsaken()) end_forsaken(*home_);
    if (what) std::rethrow_exception(std::move(what));
    return given;
  }
  from.innermost_ = home_->place().innermost;
  to.receive(from, std::move(value), std::move(what));
  flow* nothing = nullptr;
  flow* self = &from;
  flow* there = &to;
  if (home_->exceptions().alive()) {
    from.shielded_ = home_->unwinds();
    switch_keeping(home_->exceptions(), nothing, self, there);
    from.shielded_ = false;
  } else {
    switch_to(nothing, self, there);
  }
  return from.arrive();
}

// A kill that leaves the current greenlet would go on in its nearest living
// ancestor, or, where that is in another tree, in its own main one: see finish().
bool greenlet_core::holds_kills_back(const strand_place& place) noexcept {
  if (generator_flow::holds_kills_back(place.innermost)) return true;
  if (place.greenlet == nullptr) return false;
  const greenlet_core* const own_main = place.greenlet->main_;
  for (const greenlet_core* g = place.greenlet; g != own_main;) {
    do {
      g = g->parent_;
    } while (g != nullptr && g->state_ != begun);
    if (g == nullptr || g->main_ != own_main) g = own_main;
    if (g->shielded_ || generator_flow::holds_kills_back(g->innermost_))
      return true;
  }
  return false;
}

parcel greenlet_core::throw_into(std::exception_ptr what) {
  if (!what)
    throw std::invalid_argument("weft: throw_exception() of no exception");
  return transfer({}, std::move(what));
}

void greenlet_core::receive(greenlet_core& from, parcel value,
                            std::exception_ptr what) noexcept {
  strand_place& place = home_->place();
  place.greenlet = this;
  place.innermost = innermost_;
  origin_ = &from;
  inbox_ = std::move(value);
  thrown_ = std::move(what);
}

// What has come is taken first: whatever is called may switch.
parcel greenlet_core::arrive() {
  greenlet_core& origin = *std::exchange(origin_, nullptr);
  parcel value = std::move(inbox_);
  std::exception_ptr what = std::exchange(thrown_, nullptr);
  if (origin.dead()) origin.release_stack();
  if (home_->trace || origin.unheld()) [[unlikely]] {
    origin.hold();
    if (home_->trace) tell_trace(origin, what);
    origin.drop();
  }
  // Not before the switch, whose target that might end.
  if (home_->has_forsaken()) end_forsaken(*home_);
  if (what) std::rethrow_exception(std::move(what));
  return value;
}

void greenlet_core::tell_trace(greenlet_core& origin,
                               std::exception_ptr& what) noexcept {
  const auto hook = std::static_pointer_cast<greenlet_trace>(home_->trace);
  try {
    (*hook)(what ? greenlet_event::thrown : greenlet_event::switched,
            greenlet(&origin), greenlet(this));
  } catch (...) {
    if (home_->trace == hook) home_->trace = nullptr;
    what = std::current_exception();
  }
}

// ---- life

void greenlet_core::begin() {
  main_ = &main();
  try {
    ground_ = home_->take(stack_class_);
  } catch (...) {
    main_ = nullptr;
    throw;
  }
  prepare<flow, greenlet_core, &enter>(ground_.low(), ground_.top);
  state_ = begun;
  enlist();
}

void greenlet_core::enter(flow*, greenlet_core& self) noexcept {
  parcel result;
  std::exception_ptr failure;
  try {
    parcel first = self.arrive();
    result = self.run_(self, std::move(first));
  } catch (const greenlet_exit&) {
    result = parcel(greenlet_exit());
  } catch (...) {
    failure = std::current_exception();
  }
  self.finish(std::move(result), std::move(failure));
}

void greenlet_core::finish(parcel result, std::exception_ptr failure) noexcept {
  state_ = ended;
  delist();
  greenlet_core* to = nullptr;
  for (;;) {
    to = recipient(parent_, result, failure);
    if (to == nullptr || &to->main() != main_) {
      to = main_;
      failure = std::make_exception_ptr(
          error("weft: a greenlet has ended whose parent has moved to another "
                "tasklet"));
    }
    if (to->state_ == begun) break;
    try {
      to->begin();
      break;
    } catch (...) {
      failure = std::current_exception();  // Which it cannot begin with.
    }
  }
  to->receive(*this, std::move(result), std::move(failure));
  flow* nothing = nullptr;
  flow* self = this;
  flow* there = to;
  leave(nothing, self, there);
}

void greenlet_core::release_stack() noexcept {
  if (ground_.top == nullptr) return;
  discard();
  home_->give(std::exchange(ground_, {}));
}

// And those of its ancestors that it alone has kept: a chain may be long.
void greenlet_core::destroy() noexcept {
  greenlet_core* g = this;
  do {
    greenlet_core* const parent = std::exchange(g->parent_, nullptr);
    if (g->destroy_ != nullptr)
      g->destroy_(g);
    else
      delete g;
    g = parent;
  } while (g != nullptr && g->let_go());
}

bool greenlet_core::let_go() noexcept {
  if (!home_->is_here()) return let_go_elsewhere();
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  // One that has ended and still has its stack is about to leave it.
  if (state_ != begun) return ground_.top == nullptr;
  const greenlet_core* here = home_->place().greenlet;
  if (here == nullptr || here->main_ != main_) {
    // Of another tasklet; but main ones are in nobody's hands.
    if (is_main()) return false;
    hold();
    home_->forsake(this);
  } else if (here != this && !is_main()) {
    unwind(0);
  }
  return false;
}

bool greenlet_core::let_go_elsewhere() noexcept {
  std::size_t n = handles_.load(std::memory_order_acquire);
  while (n > 1)
    if (handles_.compare_exchange_weak(n, n - 1, std::memory_order_acq_rel))
      return false;
  return state_ == created || !home_->forsake(this);
}

void greenlet_core::end_forsaken(strand_home& home) noexcept {
  const greenlet_core* here = home.place().greenlet;
  for (greenlet_core* g = home.take_forsaken(); g != nullptr;) {
    greenlet_core* const next = g->next_forsaken;
    if (g->state_ == begun && (here == nullptr || g->main_ != here->main_))
      home.forsake(g);
    else
      g->drop();
    g = next;
  }
}

void greenlet_core::unwind(std::size_t others) noexcept {
  greenlet_core& by = *home_->place().greenlet;
  hold();
  by.hold();
  greenlet_core* const parent = std::exchange(parent_, &by);
  for (int i = 0; !dead() && handles_ <= others + 1; ++i) {
    if (i == patience) {
      stderr_line() << "a greenlet has switched away 16 times while it was "
                       "being ended, and is abandoned with its stack";
      state_ = ended;
      delist();
      ground_ = {};
      break;
    }
    try {
      transfer({}, std::make_exception_ptr(greenlet_exit()));
    } catch (...) {
      report(std::current_exception());
    }
  }
  // It may have been given another meanwhile.
  if (parent_ == &by)
    std::exchange(parent_, parent)->drop();
  else
    parent->drop();
  drop();
}

void greenlet_core::end_all(strand_place& place) noexcept {
  greenlet_core* const main = place.greenlet;
  // exit() may have been called in a greenlet, where it comes back to no other.
  if (main == nullptr || !main->is_main()) return;
  if (main->home_->has_forsaken()) end_forsaken(*main->home_);
  while (main->next_ != main) {
    main->next_->unwind(whatever);
  }
  main->state_ = ended;
  main->place_ = nullptr;
  place.greenlet = nullptr;
  if (main->unheld()) main->destroy();
}

// ---- what a user sees

greenlet greenlet::parent() const {
  greenlet_core* const p = core_ != nullptr ? core_->parent() : nullptr;
  return p != nullptr ? greenlet(p) : greenlet();
}

bool greenlet::is_current() const {
  return core_ != nullptr && core_ == current_greenlet().core_;
}

greenlet current_greenlet() { return greenlet(&greenlet_core::current()); }

greenlet main_greenlet() { return greenlet(&greenlet_core::current().main()); }

greenlet_trace set_greenlet_trace(greenlet_trace hook) {
  strand_home& home = strand_home::here();
  std::shared_ptr<void> next;
  if (hook) next = std::make_shared<greenlet_trace>(std::move(hook));
  const auto* before = static_cast<const greenlet_trace*>(home.trace.get());
  greenlet_trace old = before != nullptr ? *before : greenlet_trace();
  home.trace = std::move(next);
  return old;
}

// ---- contexts

context_values& greenlet_core::context() {
  if (!context_) context_ = std::make_shared<context_values>();
  return *context_;
}

void greenlet_core::set_context(context_policy policy, greenlet_core& other) {
  if (!home_->is_here()) home_->throw_wrong_thread("greenlet");
  if (!other.home_->is_here()) other.home_->throw_wrong_thread("greenlet");
  if (policy == context_policy::copy)
    context_ = std::make_shared<context_values>(other.context());
  else
    context_ = (static_cast<void>(other.context()), other.context_);
}

context_values& current_context() { return greenlet_core::current().context(); }

std::uint64_t next_context_key() noexcept {
  static std::atomic<std::uint64_t> keys{0};
  return keys.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace weft
