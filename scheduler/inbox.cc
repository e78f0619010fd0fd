// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/inbox.h"

#include <utility>

#include "weft/scheduler/core.h"
#include "weft/scheduler/guard.h"

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
  if ((was & (has_mail | asleep)) == asleep) of_.driver->wake();
}

bool inbox::post(letter& l, bool work) noexcept {
  if (!begin_post(work ? no_work | closed : closed)) return false;
  letter* newest = come_.load(std::memory_order_relaxed);
  do {
    l.behind = newest;
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
  for (backoff b; (state & ~(no_work | closed)) != 0; b.wait())
    state = state_.load(std::memory_order_acquire);
}

// What has come goes behind what has been taken.
void inbox::collect() noexcept {
  letter* newest = come_.exchange(nullptr, std::memory_order_acquire);
  letter* oldest = nullptr;
  while (newest != nullptr) {
    letter* const older = std::exchange(newest->behind, oldest);
    oldest = std::exchange(newest, older);
  }
  letter** end = &taken_;
  while (*end != nullptr) end = &(*end)->behind;
  *end = oldest;
}

letter* inbox::take() noexcept {
  if (taken_ == nullptr) collect();
  return taken_ != nullptr ? std::exchange(taken_, taken_->behind) : nullptr;
}

void inbox::await(letter& l) noexcept {
  for (backoff b;; b.wait()) {
    collect();
    for (letter** at = &taken_; *at != nullptr; at = &(*at)->behind) {
      if (*at != &l) continue;
      *at = l.behind;
      return l.deliver(l, of_);
    }
  }
}

void inbox::put_back(letter& l) noexcept {
  l.behind = std::exchange(taken_, &l);
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

}  // namespace weft
