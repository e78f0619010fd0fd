// SPDX-License-Identifier: BSL-1.0
#include "weft/structure/scope.h"

#include <utility>

#include "weft/scheduler/scheduler.h"
#include "weft/scheduler/traps.h"

namespace weft {

scope::scope(std::source_location where)
    : crew_(std::make_shared<crew>(news_)),
      exceptions_(std::uncaught_exceptions()),
      where_(where) {}

scope::~scope() noexcept(false) {
  const struct farewell {
    crew& of;
    ~farewell() { of.forget_overseer(); }
  } at_the_end{*crew_};
  const bool here = news_.attached();  // Else its scheduler has ended.
  if (here && std::uncaught_exceptions() == exceptions_) {
    try {
      join(where_);
    } catch (...) {
      drain();                 // After a trap, say.
      news_.report_at_last();  // What came after that, or before and in vain.
      throw;
    }
  } else {
    if (here) drain();
    news_.report_at_last();
  }
}

void scope::drain() noexcept {
  if (!crew_->at_home()) return;
  const untrapped off;
  cancel();
  crew_->drain("the end of a scope", where_);
}

void scope::join(std::source_location where) {
  if (!news_.is_for(current()))
    throw error("weft: a scope is joined by the tasklet that made it");
  const auto or_drain = [this](auto step) {
    try {
      step();
    } catch (...) {
      drain();
      throw;
    }
  };
  or_drain([] { this_dispatcher()->admit(); });
  crew_->require_waiting("join of a scope", where);
  or_drain([&] { crew_->wait("join of a scope", where); });
  news_.raise_at_last();
}

void scope::cancel() {
  crew_->cancel();
  stop_.request_stop();
}

std::stop_token scope::get_stop_token() {
  if (!stop_.stop_possible()) {
    stop_ = std::stop_source();
    if (cancelled()) stop_.request_stop();
  }
  return stop_.get_token();
}

void scope::news::member_failed(const tasklet& who,
                                std::exception_ptr what) noexcept {
  if (std::exchange(any_, true))
    return this_dispatcher()->report_unheard(who, what);
  failure_ = std::move(what);
  failed_ = who;
  scope_.cancel();
  trigger();
}

void scope::news::raise() {
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

void scope::news::raise_at_last() {
  settle();
  if (failure_) raise();
}

void scope::news::report_at_last() noexcept {
  settle();
  if (failure_) this_dispatcher()->report_unheard(failed_, failure_);
}

bool scope::news::is_for(const tasklet& t) const {
  return attached() && t == dispatcher::handle(&whose());
}

}  // namespace weft
