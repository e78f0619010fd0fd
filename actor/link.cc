// SPDX-License-Identifier: BSL-1.0
// A bond is on the heap and belongs to both tasklets: it observes either end,
// until one of the two has come. If that breaks the link, it is the news of that
// to the other, which owns it until it is raised.
#include "weft/actor/link.h"

#include <optional>

#include "weft/scheduler/interruption.h"

namespace weft {
namespace {

class bond final {
 public:
  bond(descriptor& a, descriptor& b) noexcept : a_(*this, a), b_(*this, b) {}

  // The one that links `d` with `t`; null: none.
  static bond* find(descriptor& d, const tasklet& t) noexcept {
    for (end_observer* o = d.observers; o != nullptr; o = o->next())
      if (auto* s = dynamic_cast<side*>(o); s != nullptr && s->partner() == t)
        return &s->of;
    for (interruption* i = d.interruptions; i != nullptr; i = i->outer())
      if (auto* n = dynamic_cast<news*>(i); n != nullptr && n->end.who == t)
        return &n->of;
    return nullptr;
  }

 private:
  struct side final : end_observer {
    side(bond& b, descriptor& d) noexcept : of(b), who(dispatcher::handle(&d)) {
      watch(d);
    }
    [[nodiscard]] const tasklet& partner() const {
      return (this == &of.a_ ? of.b_ : of.a_).who;
    }
    void ended(end_reason why,
               const std::exception_ptr& failure) noexcept override {
      of.ended(*this, why, failure);
    }
    using end_observer::unwatch;
    using end_observer::watched;

    bond& of;
    tasklet who;
  };

  struct news final : interruption {
    news(bond& b, descriptor& to, down d) noexcept
        : interruption(to), of(b), end(std::move(d)) {
      trigger();
    }
    [[noreturn]] void raise() override {
      link_broken broken(std::move(end));
      delete &of;
      throw broken;
    }
    void drop() noexcept override { delete &of; }

    bond& of;
    down end;
  };

  void ended(const side& s, end_reason why,
             const std::exception_ptr& failure) noexcept {
    if (why == end_reason::normal) {
      delete this;
      return;
    }
    side& other = &s == &a_ ? b_ : a_;
    descriptor& to = other.watched();
    other.unwatch();
    news_.emplace(*this, to, down{s.who, why, failure});
  }

  side a_, b_;
  std::optional<news> news_;
};

descriptor& linkable(const tasklet& t) {
  descriptor& d = *dispatcher::described(t);
  if (d.owner != this_dispatcher())
    dispatcher::throw_wrong_scheduler(
        "this tasklet belongs to", d.owner,
        "tasklets are linked within one scheduler, in its thread");
  return d;
}

}  // namespace

void link(const tasklet& t) {
  dispatcher* s = this_dispatcher();
  s->admit();
  if (!t.alive()) throw link_broken({t, end_reason::unknown, {}});
  descriptor& other = linkable(t);
  descriptor& me = *s->current->who;
  if (&other == &me || bond::find(me, t) != nullptr) return;
  static_cast<void>(new bond(me, other));  // Owned as said above.
}

void unlink(const tasklet& t) {
  dispatcher* s = this_dispatcher();
  s->require_scheduler();
  if (t.alive()) static_cast<void>(linkable(t));
  delete bond::find(*s->current->who, t);
}

}  // namespace weft
