// SPDX-License-Identifier: BSL-1.0
// Something that is done once, by whoever comes first.
//
//   weft::once_flag loaded;
//   weft::call_once(loaded, [] { load_settings(); });
//
// Who comes while it is being done waits until it is. If that throws, the next
// one in line does it.
//
// Ordering, thread safety, lifetime, cost: as mutex.h says; where it has been
// done already, a test. (std::call_once.)
#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "weft/sync/mutex.h"

namespace weft {

class once_flag;

// Calls f(args...) unless that has been done. Parks while another tasklet does
// it. Throws what f throws: then it has not been done; else as mutex::lock(),
// error where f calls it with the same flag among them.
template <typename F, typename... Args>
void call_once(once_flag& flag, F&& f, Args&&... args);

class once_flag : private mutex {
 public:
  once_flag() : mutex(kind) {}

  [[nodiscard]] bool done() const { return done_; }
  using mutex::name;
  using mutex::set_name;

 private:
  template <typename F, typename... Args>
  friend void call_once(once_flag& flag, F&& f, Args&&... args);

  static constexpr wait_kind kind = kind_of("once_flag");
  bool done_ = false;
};

template <typename F, typename... Args>
void call_once(once_flag& flag, F&& f, Args&&... args) {
  if (flag.done_) return;
  const std::lock_guard<mutex> mine(flag);
  if (flag.done_) return;
  std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  flag.done_ = true;
}

}  // namespace weft
