// SPDX-License-Identifier: BSL-1.0
// Locks several things at once.
//
//   weft::lock_all(from.mutex, to.mutex);
//   const std::scoped_lock both(std::adopt_lock, from.mutex, to.mutex);
//
// In the order of their addresses, which is the same for everybody: so nobody
// waits in a circle with others who do it so too, and none of them starves.
// std::lock() and std::scoped_lock of several try and step back instead; where
// others lock the same ones in another order, fair mutexes may be handed round
// among those who step back for ever.
//
// Each may be anything that has lock() and unlock(); of a std::unique_lock, and
// what else has mutex(), the address of that counts. Parks as their lock()
// does. What a lock() throws comes out, and those that were locked are unlocked.
// Cost: a lock() each; no allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>

namespace weft {

// Private: what is locked by it.
template <typename L>
const void* locked_by(const L& l) {
  if constexpr (requires { static_cast<const void*>(l.mutex()); })
    return l.mutex();
  else
    return std::addressof(l);
}

template <typename... Lockables>
void lock_all(Lockables&... all) {
  struct one {
    const void* place;
    void* what;
    void (*lock)(void*);
    void (*unlock)(void*);
  };
  std::array<one, sizeof...(all)> each{
      one{locked_by(all), std::addressof(all),
          [](void* l) { static_cast<Lockables*>(l)->lock(); },
          [](void* l) { static_cast<Lockables*>(l)->unlock(); }}...};
  std::sort(each.begin(), each.end(), [](const one& a, const one& b) {
    return std::less<>()(a.place, b.place);
  });
  std::size_t locked = 0;
  try {
    for (; locked != each.size(); ++locked)
      each[locked].lock(each[locked].what);
  } catch (...) {
    while (locked != 0) {
      --locked;
      each[locked].unlock(each[locked].what);
    }
    throw;
  }
}

}  // namespace weft
