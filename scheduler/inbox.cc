// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/inbox.h"

#include <thread>
#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

// Until the poster has counted itself out, shut() waits for it.
bool inbox::begin_post(std::uint32_t unless) noexcept {
  // Those that are refused keep nobody waiting.
  if ((state_.load(std::memory_order_relaxed) & unless) != 0) return false;
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
  letter* newest = come_.load(std::memory_order_relaxed);
  do {
    l.next = newest;
  } while (!come_.compare_exchange_weak(newest, &l, std::memory_order_release,
                                        std::memory_order_relaxed));
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
  if (taken_ == nullptr) {
    letter* newest = come_.exchange(nullptr, std::memory_order_acquire);
    while (newest != nullptr) {
      letter* const older = std::exchange(newest->next, taken_);
      taken_ = std::exchange(newest, older);
    }
  }
  return taken_ != nullptr ? std::exchange(taken_, taken_->next) : nullptr;
}

void inbox::put_back(letter& l) noexcept {
  l.next = std::exchange(taken_, &l);
  of_.set(has_mail);
}

void inbox::read() noexcept {
  of_.flags.fetch_and(~std::uint32_t{has_mail}, std::memory_order_acquire);
  for (int i = 0; i != at_once; ++i) {
    letter* const l = take();
    if (l == nullptr) return;
    l->deliver(*l, of_);
    if (taken_ == l) return;  // It was put back.
  }
  of_.set(has_mail);  // There may be more.
}

const std::shared_ptr<inbox>& core::letters() {
  if (mail) return mail;
  mail = std::make_shared<inbox>(*this);
  if (flagged(closing)) mail->refuse_work();
  return mail;
}

void core::close_mail() noexcept {
  if (mail) mail->close();
}

}  // namespace weft
