// SPDX-License-Identifier: BSL-1.0
// Watching what goes through channels.
#pragma once

#include <functional>

#include "weft/channel/any_channel.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

// Called before each operation that takes effect or waits, on the tasklet that
// makes it and before anything has changed; not for a try_send() or
// try_receive() that would block, nor for a send on a closed channel or a
// receive from one that is closed and drained.
// `will_block` says whether it would wait as things stand.
//
// What it throws comes out of the operation, with nothing changed. It may do
// whatever the tasklet could, and the operation looks at the channel afresh
// when it returns; until then no operation is told. It may replace itself; it
// must not destroy the channel.
// (Stackless: set_channel_callback.)
using channel_callback = std::function<void(any_channel channel, tasklet who,
                                            bool sending, bool will_block)>;

// Has `f` called for the channels of this thread's scheduler; null: nobody.
// Gives what was set before. Unset, it costs nothing. Throws no_scheduler,
// std::bad_alloc.
channel_callback set_channel_callback(channel_callback f);

}  // namespace weft
