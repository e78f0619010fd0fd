// SPDX-License-Identifier: BSL-1.0
#include "weft/actor/request.h"

#include <stdexcept>

namespace weft {

asker_core::~asker_core() {
  if (request_ != nullptr) request_->asker_ = nullptr;
}

void asker_core::wait(wait_forever, std::source_location where) {
  if (!done_) {
    dispatcher* s = this_dispatcher();
    s->admit();  // It may have parked before, to send.
    wait_record w("ask", where);
    s->park(w, line_);
  }
  settle();
}

bool asker_core::wait(wait_until until, std::source_location where) {
  if (!done_) {
    dispatcher* s = this_dispatcher();
    s->admit();
    wait_record w("ask", where);
    if (!s->park_until(w, line_, until.deadline)) return false;
  }
  settle();
  return true;
}

void asker_core::settle() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

request_core::request_core(request_core&& other) noexcept
    : asker_(std::exchange(other.asker_, nullptr)),
      answered_(std::exchange(other.answered_, true)) {
  if (asker_ != nullptr) asker_->request_ = this;
}

request_core& request_core::operator=(request_core&& other) noexcept {
  if (this == &other) return *this;
  release(false);
  asker_ = std::exchange(other.asker_, nullptr);
  answered_ = std::exchange(other.answered_, true);
  if (asker_ != nullptr) asker_->request_ = this;
  return *this;
}

request_core::~request_core() { release(false); }

void request_core::attach(asker_core& a) noexcept {
  asker_ = &a;
  a.request_ = this;
}

void request_core::require_open() const {
  if (answered_) throw error("weft: this request has been answered");
  if (asker_ != nullptr && asker_->home_ != this_dispatcher())
    dispatcher::throw_wrong_scheduler(
        "this request comes from", asker_->home_,
        "it is answered in the thread of its asker");
}

void request_core::fail(std::exception_ptr what) {
  if (!what) throw std::invalid_argument("weft: fail() with no exception");
  require_open();
  if (asker_ != nullptr) asker_->failure_ = std::move(what);
  close();
}

void request_core::close() noexcept {
  answered_ = true;
  release(true);
}

void request_core::release(bool answered) noexcept {
  asker_core* a = std::exchange(asker_, nullptr);
  if (a == nullptr) return;
  if (!a->line_.empty() && a->home_ != this_dispatcher())
    stop(
        "a request was destroyed in another thread while its asker waited for "
        "the answer; destroy it in the asker's");
  a->request_ = nullptr;
  a->done_ = true;
  if (!answered)
    a->failure_ = std::make_exception_ptr(
        error("weft: the question was dropped without an answer"));
  if (a->line_.empty()) return;
  a->home_->serve(a->line_.front(), a->line_);
}

}  // namespace weft
