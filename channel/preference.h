// SPDX-License-Identifier: BSL-1.0
// Who goes on at once when a sender and a receiver meet.
#pragma once

#include <cstdint>

namespace weft {

// The one that does not go to the tail of the run queue. (Stackless's
// preference: -1, 0 and 1.)
//
//                the caller sends, a receiver     the caller receives, a sender
//                waits                            waits
//   receiver     the receiver runs, the caller    the caller goes on, the
//   sender
//                to the tail                      to the tail
//   neither      the caller goes on, the          the caller goes on, the
//   sender
//                receiver to the tail             to the tail
//   sender       the caller goes on, the          the sender runs, the caller
//   to
//                receiver to the tail             the tail
enum class preference : std::int8_t { receiver = -1, neither = 0, sender = 1 };

}  // namespace weft
