// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/spawn.h"

#include "weft/scheduler/core.h"

namespace weft {

void spawning::set(descriptor& d, spawn_options& options) {
  if (options.stack_size != 0)
    d.stack_class = stack_pool::class_of(options.stack_size);
  if (options.name.empty()) return;
  d.name = std::make_unique<std::string>(std::move(options.name));
  d.detailed = true;
}

void spawning::drop(dispatcher* s, descriptor* d) noexcept {
  core::forget_details(*d);
  s->free_descriptor(d);
}

// It gets what the current tasklet hands on.
void spawning::hand_on(dispatcher* s, descriptor* d) {
  try {
    inherit(*d, *s->current->who);
  } catch (...) {
    d->body.drop();
    throw;
  }
}

void spawning::make_room(dispatcher* s, descriptor* d) {
  try {
    s->queue.reserve(s->live + 1);
  } catch (...) {
    d->body.drop();
    throw;
  }
}

void spawning::bequeath(dispatcher* s, descriptor* d) {
  try {
    core::inherit(*s->current->who, *d);
  } catch (...) {
    --s->live;
    --s->ids;
    d->id = 0;
    d->body.drop();
    drop(s, d);
    throw;
  }
}

void spawning::commit_rare(dispatcher* s, descriptor* d) {
  s->queue.push(&d->seed);
  announce(s, d);
}

tasklet spawning::commit_paused() {
  const tasklet t = begin();
  descriptor* d = dispatcher::described(t);
  core::of(s_).put_nowhere(&d->seed);
  announce(s_, d);
  return t;
}

// Tells of the tasklet. While the scheduler ends, it ends at once, and nobody is
// told: who answers every end by a spawn would be told for ever.
void spawning::announce(dispatcher* s, descriptor* d) {
  core& c = core::of(s);
  if (s->flagged(closing)) {
    c.take_out(&d->seed);
    c.drop_unstarted(*d);
  } else if (s->flagged(lives_watched)) {
    c.tell_spawn(dispatcher::handle(d));
  }
}

tasklet create(spawn_options options) {
  spawning s(this_dispatcher(), options.site);
  s.set(options);
  s.body().leave_empty();
  return s.commit_paused();
}

tasklet create(std::source_location where) { return create({.site = where}); }

}  // namespace weft
