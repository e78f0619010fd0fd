// SPDX-License-Identifier: BSL-1.0
// Who goes on at once when a sender and a receiver meet.
#pragma once

#include <cstdint>

namespace weft {

// The one that does not go to the tail of the run queue. (Stackless's
// preference: -1, 0 and 1.)
//
//             the caller sends,              the caller receives,
//             a receiver waits               a sender waits
//   receiver  the receiver runs,             the caller goes on,
//             the caller to the tail         the sender to the tail
//   neither   the caller goes on,            the caller goes on,
//             the receiver to the tail       the sender to the tail
//   sender    the caller goes on,            the sender runs,
//             the receiver to the tail       the caller to the tail
enum class preference : std::int8_t { receiver = -1, neither = 0, sender = 1 };

}  // namespace weft
