// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "weft/scheduler/core.h"
#include "weft/scheduler/saturate.h"
#include "weft/tasklet/stderr_line.h"

namespace weft {

namespace {

// Seeds that are close give states that are not: splitmix64's last steps.
std::uint64_t scattered(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ (seed >> 27)) * 0x94d049bb133111eb;
  return seed ^ (seed >> 31);
}

// Where there are none, nothing comes while it spins.
bool has_other_cores() {
  static const bool has = std::thread::hardware_concurrency() > 1;
  return has;
}

// One that is being called stays as it is. Gives what was there.
template <typename F>
F replace(std::shared_ptr<F>& slot, F next) {
  F old = slot ? *slot : F();
  slot = next ? std::make_shared<F>(std::move(next)) : nullptr;
  return old;
}

}  // namespace

core::core(const scheduler_options& options)
    : driver(options.driver != nullptr ? options.driver : &own_driver),
      impatience(has_other_cores() ? options.spin
                                   : std::chrono::nanoseconds(0)) {
  if (const char* reason = why_no_switch()) stop(reason);
  random_state = scattered(options.seed);
  default_stack_class = stack_pool::class_of(options.stack_size);
#ifdef WEFT_LAUNCHES
  if (!options.measure_stacks) launch_class = default_stack_class;
#endif
  if (options.measure_stacks) survey = std::make_unique<stack_survey>();
  if (options.report_overflow) overflows = std::make_unique<overflow_watch>();
  exceptions = thread_exception_state();
  key = this;
  current = &main_block;
  adopt(main_block);
  try {
    queue.reserve(1);
    prepare_starts();
    main = new_descriptor();
    enlist();
  } catch (...) {
    delist();
    end_starts();
    descriptors.retire(ids, &strands);
    queue.release();
    throw;
  }
  // Nothing throws from here on: handles of main may be given.
  main->id = ++ids;
  main->owner = this;
  main->block = &main_block;
  main->shields = main->exits_alive = 0;
  main->kills = 0;
  main->site = {};
  main_block.who = main;
  strands.enter(&current);
  weft_this_dispatcher = this;
  rehearse_kill();
}

core::~core() {
  end_starts();
  main->id = 0;
  forget_details(*main);  // The descriptor goes to another scheduler.
  descriptors.retire(ids, &strands);
  queue.release();
}

void core::shutdown() noexcept {
  set(closing);
  watch_traps();  // A guard that is still alive guards nothing now.
  forlorn = false;
  mail->refuse_work();
  while (flagged(has_mail)) mail->read();  // What has not begun is destroyed.
  for (const late_failure& f : failures) report_failure(f.who, f.what);
  failures.clear();
  while (kill_all() || main->heritage != nullptr) {
    main_block.flags = 0;
    unwatch();
    run_frame all;
    try {
      run(all, std::source_location::current());
    } catch (const tasklet_exit&) {  // A kill of main: it is ending anyway.
      drop_frame(all);
    } catch (...) {
      drop_frame(all);
      report_failure(handle(main), std::current_exception());
    }
    // What that spawns is killed next.
    if (live == 0) drop_belongings(*main);
  }
  main->id = 0;  // Before somebody finds its scheduler gone.
  delist();
  mail->close();
  while (flagged(has_mail)) mail->read();  // All questions have an answer.
  strands.leave();
  weft_this_dispatcher = no_dispatcher();
}

// Kills everybody, each group in spawn order. False: nobody was left.
bool core::kill_all() noexcept {
  struct victim {
    int group;
    std::uint64_t id;
    descriptor* d;
  };
  std::vector<victim> victims;
  descriptors.for_each_live([&](descriptor& d) {
    if (&d == main) return;
    const wait_record* w = d.block->waiting;
    const int group = !started(*d.block) ? 0
                      : w == nullptr     ? 1
                      : w->pause != 0    ? 2
                                         : 3;
    victims.push_back({group, d.id, &d});
  });
  std::sort(victims.begin(), victims.end(), [](const auto& a, const auto& b) {
    return a.group != b.group ? a.group < b.group : a.id < b.id;
  });
  for (const auto& [group, id, d] : victims) {
    if (d->id != id) continue;  // A destructor has ended it meanwhile.
    control_block* t = d->block;
    if (!started(*t)) {
      kill(*d, false);
      continue;
    }
    t->flags |= killed;
    if (held_back_away(*t)) continue;
    take_out(t);
    queue.push(t);
  }
  if (queue.members() == 0 && (!may_come() || std::exchange(forlorn, false))) {
    // Who is left waits inside a shield, a handler or a destructor, for ever.
    for (const auto& [group, id, d] : victims) {
      // Woken by one that has left the line before it.
      if (d->id != id || d->block->waiting == nullptr) continue;
      if (d->kills >= 16) {
        forsake(*d);
        continue;
      }
      ++d->kills;
      wake_throwing(d->block, deadlock(*d->block, 0));
    }
  }
  return !victims.empty();
}

// Gives up on a tasklet that cannot be ended. Requires: off the run queue.
void core::forsake(descriptor& d) noexcept {
  stderr_line() << describe(d)
                << " has swallowed 16 kills and is abandoned with its stack";
  drop_interruptions(d);
  if (d.block->waiting != nullptr) take_out(d.block);
  if (stand_in.who == &d) unpark(&stand_in);
  wake_joiners(d);
  d.abandoned = true;
  d.id = 0;
  d.block->flags |= exited;
  d.escaped = nullptr;
  tell_observers(d);
  --live;
  count_abandoned();
}

void core::abandon(control_block& me) noexcept {
  forsake(*me.who);
  control_block* n = intercept(nullptr, next_or_tell_main());
  n = ready(n != nullptr ? n : tell_main());
  current = n;
  flow::switch_keeping<dispatcher>(*exceptions, this, &me, n);
  std::abort();  // Nobody ever switches back.
}

scheduler::scheduler(const scheduler_options& options) {
  if (this_dispatcher() != no_dispatcher())
    throw error("weft: this thread already has a scheduler");
  core_ = std::make_unique<core>(options);
  core_->face = this;
}

scheduler::~scheduler() { shutdown(); }

void scheduler::shutdown() noexcept {
  if (!core_) return;
  if (this_dispatcher() != core_.get())
    stop("a scheduler must end in the thread that made it");
  if (core_->current != &core_->main_block)
    stop(
        "a scheduler was ended by one of its own tasklets; end it in the "
        "tasklet "
        "that made it");
  if (core_->main_callbacks != 0)
    stop(
        "a scheduler was ended by a callback, or by the destructor of a "
        "callable, in the middle of an operation; end it outside of them");
  core_->shutdown();
  core_.reset();
}

core& scheduler::here() const {
  if (!core_) throw no_scheduler("weft: this scheduler has been shut down");
  if (this_dispatcher() != core_.get())
    dispatcher::throw_wrong_scheduler(
        "this is", core_.get(),
        "a scheduler is used only in the thread that made it");
  return *core_;
}

run_result scheduler::run(std::source_location where) {
  run_frame f;
  return here().run(f, where);
}

run_result scheduler::run_for(std::chrono::nanoseconds budget,
                              std::source_location where) {
  core& c = here();
  run_frame f;
  f.limited = true;
  f.deadline = later(c.driver->now(), budget);
  return c.run(f, where);
}

run_result scheduler::run_until(std::chrono::steady_clock::time_point when,
                                std::source_location where) {
  run_frame f;
  f.limited = true;
  f.waits = true;
  f.deadline = when;
  return here().run(f, where);
}

run_result scheduler::run_n(std::uint64_t switches,
                            std::source_location where) {
  run_frame f;
  f.limited = true;
  f.switches_left = switches;
  return here().run(f, where);
}

void scheduler::set_time_slice(std::chrono::nanoseconds slice) {
  core& c = here();
  c.slice = slice;
  c.keep_time();
  slice.count() > 0 ? c.set(sliced) : c.clear(sliced);
}

void scheduler::set_accounting(bool on) {
  core& c = here();
  if (c.flagged(accounting) == on) return;
  if (on)
    c.switched_at = c.driver->now();
  else
    c.close_books();
  on ? c.set(accounting) : c.clear(accounting);
}

schedule_callback scheduler::set_schedule_callback(schedule_callback f) {
  core& c = here();
  schedule_callback old = replace(c.on_switch, std::move(f));
  c.on_switch ? c.set(switches_watched) : c.clear(switches_watched);
  return old;
}

spawn_callback scheduler::set_spawn_callback(spawn_callback f) {
  core& c = here();
  spawn_callback old = replace(c.on_spawn, std::move(f));
  c.on_spawn || c.on_end ? c.set(lives_watched) : c.clear(lives_watched);
  return old;
}

end_callback scheduler::set_end_callback(end_callback f) {
  core& c = here();
  end_callback old = replace(c.on_end, std::move(f));
  c.on_spawn || c.on_end ? c.set(lives_watched) : c.clear(lives_watched);
  return old;
}

error_handler scheduler::set_error_handler(error_handler f) {
  return replace(here().on_error, std::move(f));
}

void scheduler::trim() { here().trim(); }

std::vector<stack_use> scheduler::stack_uses() const {
  return here().stack_uses();
}

tasklet scheduler::main() const { return dispatcher::handle(here().main); }

std::size_t scheduler::live() const { return here().live; }

std::size_t scheduler::runnable() const { return here().runnable(); }

run_result run(std::source_location where) {
  run_frame f;
  return core::here().run(f, where);
}

scheduler& this_scheduler() { return *core::present().face; }

tasklet current() { return dispatcher::handle(core::present().current->who); }

}  // namespace weft
