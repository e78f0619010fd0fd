// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/inbox.h"

#include <thread>
#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

// Until the poster has counted itself out, shut() waits for it.
bool inbox::begin_post(std::uint32_t unless) noexcept {
  const auto was = state_.fetch_add(one_poster, std::memory_order_acquire);
  if ((was & unless) == 0) return true;
  state_.fetch_sub(one_poster, std::memory_order_release);
  return false;
}

void inbox::ring() noexcept {
  const auto was = of_.flags.fetch_or(has_mail, std::memory_order_release);
  if ((was & has_mail) == 0) of_.driver->wake();
}

bool inbox::post(letter& l, bool work) noexcept {
  if (!begin_post(work ? no_work | closed : closed)) return false;
  if (overflow_.load(std::memory_order_acquire) != nullptr ||
      !queue_.bounded_push(&l)) {
    letter* newest = overflow_.load(std::memory_order_relaxed);
    do {
      l.next = newest;
    } while (!overflow_.compare_exchange_weak(
        newest, &l, std::memory_order_release, std::memory_order_relaxed));
  }
  ring();
  state_.fetch_sub(one_poster, std::memory_order_release);
  return true;
}

void inbox::leave() noexcept {
  // Counted as a poster first: after the last has left the scheduler may end.
  const bool open = begin_post(closed);
  const bool last = outsiders_.fetch_sub(1, std::memory_order_release) == 1;
  if (!open) return;
  if (last) ring();
  state_.fetch_sub(one_poster, std::memory_order_release);
}

void inbox::shut(std::uint32_t for_whom) noexcept {
  auto state = state_.fetch_or(for_whom, std::memory_order_acq_rel);
  while ((state & ~(no_work | closed)) != 0) {
    std::this_thread::yield();
    state = state_.load(std::memory_order_acquire);
  }
}

letter* inbox::take() noexcept {
  letter* l = nullptr;
  if (late_ == nullptr) {
    if (queue_.pop(l)) return l;
    letter* newest = overflow_.exchange(nullptr, std::memory_order_acquire);
    while (newest != nullptr) {
      letter* const older = newest->next;
      newest->next = late_;
      late_ = newest;
      newest = older;
    }
  }
  if (late_ != nullptr) l = std::exchange(late_, late_->next);
  return l;
}

void inbox::put_back(letter& l) noexcept {
  l.next = std::exchange(late_, &l);
  of_.set(has_mail);
}

void inbox::read() noexcept {
  of_.flags.fetch_and(~std::uint32_t{has_mail}, std::memory_order_acquire);
  for (int i = 0; i != at_once; ++i) {
    letter* const l = take();
    if (l == nullptr) return;
    l->deliver(*l, of_);
    if (late_ == l) return;  // It was put back.
  }
  of_.set(has_mail);  // There may be more.
}

const std::shared_ptr<inbox>& core::letters() {
  if (!mail) mail = std::make_shared<inbox>(*this);
  return mail;
}

void core::close_mail() noexcept {
  if (mail) mail->close();
}

}  // namespace weft
