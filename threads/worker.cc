// SPDX-License-Identifier: BSL-1.0
// What the threads of a scheduler_pool do.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/shield.h"
#include "weft/scheduler/yield.h"
#include "weft/threads/crowd.h"

namespace weft {
namespace {

void name_this_thread(std::string name, std::size_t number) {
  const std::string suffix = "/" + std::to_string(number);
  constexpr std::size_t most = 15;
  name.resize(std::min(name.size(), most - std::min(most, suffix.size())));
  pthread_setname_np(pthread_self(), (name + suffix).c_str());
}

// Where that is refused, the thread stays where the system wants it.
void pin_this_thread(int core) {
  const int most = core + 1;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(
      CPU_ALLOC(most), [](cpu_set_t* m) { CPU_FREE(m); });
  if (mask == nullptr) return;
  const std::size_t size = CPU_ALLOC_SIZE(most);
  CPU_ZERO_S(size, mask.get());
  CPU_SET_S(static_cast<std::size_t>(core), size, mask.get());
  pthread_setaffinity_np(pthread_self(), size, mask.get());
}

}  // namespace

void crowd::work(worker& w) noexcept {
  worker::here() = &w;
  name_this_thread(options_.name, w.number);
  if (!cores_.empty()) pin_this_thread(cores_[w.number % cores_.size()]);
  try {
    scheduler_options options = options_.scheduler;
    options.driver = &w;
    options.seed += w.number;
    scheduler s(options);
    s.set_error_handler(
        [this, &w](const tasklet& who, const std::exception_ptr& what) {
          keep_failure(w, who, what);
        });
    core& home = core::present();
    begun(w, home);
    feed(w, home);
    --home.patience;
    drop_work(w);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    stillborn_ = std::current_exception();
  }
  done();
}

void crowd::begun(worker& w, core& home) {
  const std::lock_guard lock(mutex_);
  w.to = home.mail;
  w.home = &home;
  ++home.patience;
  w.feeding = true;
  ++ready_;
  changed_.notify_all();
}

// In the main tasklet, which nothing is raised in.
void crowd::feed(worker& w, core& home) noexcept {
  const shield held;
  std::unique_ptr<errand> one;
  while (take(w, home.runnable(), one)) {
    if (one) {
      errand::begin(*one.release(), home);
      yield();
    } else {
      w.rest(home);
    }
  }
}

// False: it is the end. One at a time: who waits behind one that does not yield
// could not begin elsewhere any more. A batch would save a lock, 20 ns.
bool crowd::take(worker& w, std::size_t runnable,
                 std::unique_ptr<errand>& to) noexcept {
  if (lost()) return true;
  const std::lock_guard lock(mutex_);
  if (ending_) return false;
  w.own_turn = !w.own_turn;
  errand_line& first = w.own_turn ? w.own : line_;
  errand_line& second = w.own_turn ? line_ : w.own;
  errand_line& from = first.empty() ? second : first;
  if (from.empty()) {
    w.rests = true;
    ++resting_;
    w.load = runnable;
  } else {
    to = from.pop();
    --unbegun_;
  }
  return true;
}

// There is nothing to do here. False: there is now.
bool crowd::doze(worker& w, bool clear) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (w.rests && (!line_.empty() || !w.own.empty())) {
      claim(w);
    } else {
      w.asleep = true;
      w.clear = clear;
      clear_ += clear ? 1 : 0;
      if (quiet()) tell(goal::quiet);
      return true;
    }
  }
  w.invite();
  return false;
}

void crowd::rouse(worker& w) noexcept {
  const std::lock_guard lock(mutex_);
  clear_ -= w.clear ? 1 : 0;
  w.asleep = w.clear = false;
}

// What has not begun is destroyed while there is a scheduler.
void crowd::drop_work(worker& w) noexcept {
  errand_line left;
  const std::lock_guard lock(mutex_);
  w.feeding = false;
  w.home = nullptr;
  unbegun_ -= w.own.size() + line_.size();
  w.own.move(w.own.size(), left);
  line_.move(line_.size(), left);
}

void crowd::done() noexcept {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (done_ == size()) {
    tell(goal::quiet);
    tell(goal::end);
  }
  changed_.notify_all();
}

void crowd::keep_failure(const worker& w, const tasklet& who,
                         const std::exception_ptr& what) noexcept {
  if (lost()) return core::print_failure(who, what);
  try {
    std::string name = core::describe_or_number(who);
    const std::lock_guard lock(mutex_);
    failures_.push_back({w.number, std::move(name), what});
  } catch (const std::bad_alloc&) {
    core::print_failure(who, what);
  }
}

}  // namespace weft
