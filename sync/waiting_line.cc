// SPDX-License-Identifier: BSL-1.0
#include "weft/sync/waiting_line.h"

#include <memory>
#include <utility>

namespace weft {

// No thread's scheduler, so that what is not bound yet is admitted slowly.
constinit dispatcher waiting_line::unbound;

waiting_line::waiting_line(const wait_kind& what, void (*left)(wait_queue&))
    : wait_target{&what, nullptr, left} {}

waiting_line::~waiting_line() {
  while (!granted_.empty()) {
    wait_record& w = granted_.front();
    granted_.remove(w);
    w.queue = nullptr;
  }
  if (line_.empty()) return;
  dispatcher* s = this_dispatcher();
  if (s != home_) {
    stop(
        "something was destroyed in another thread while tasklets waited on "
        "it; destroy it in theirs");
  }
  on_leave = nullptr;
  const auto gone = std::make_exception_ptr(
      error("weft: the " + std::string(kind->name) +
            " was destroyed while this tasklet waited on it"));
  while (!line_.empty()) s->serve_throwing(line_.front(), gone);
}

void waiting_line::set_name(std::string name) {
  wait_target::name = std::make_unique<std::string>(std::move(name));
}

void waiting_line::bind(dispatcher* s) {
  s->require_scheduler();
  if (home_ == &unbound) home_ = s;
  if (home_ != s)
    dispatcher::throw_wrong_scheduler(
        "this " + std::string(kind->name) + " belongs to", home_);
}

void waiting_line::admit_slowly(dispatcher* s) {
  bind(s);
  s->admit();
}

void waiting_line::grant(wait_record& w, bool returnable) noexcept {
  // A select may wait here with other cases, too: as they leave, nobody else is
  // served while this one stands in line.
  const auto left = std::exchange(on_leave, nullptr);
  w.served = 1;
  home_->queue.push(home_->unlink(w, line_));
  on_leave = left;
  w.queue = nullptr;
  if (returnable) granted_.append(w);
}

}  // namespace weft
