// SPDX-License-Identifier: BSL-1.0
// What a scheduler tells those who watch it: see scheduler::set_*_callback().
//
// A callback runs on the tasklet that it is told of, or that made the event,
// and may do whatever that could: spawn, switch, block, replace or remove
// callbacks. A kill of that tasklet waits until it returns. What escapes it does
// not disturb the event: it goes to the error handler, else to the innermost
// run(), else to main.
#pragma once

#include <exception>
#include <functional>

#include "weft/tasklet/tasklet.h"

namespace weft {

// Before each switch, on the tasklet that is left: `from` is current, and what
// it waits for has been arranged. From one that ends, too, while it is alive
// still; where nobody can run then, `to` is whoever goes on if nobody else ever
// can: the caller of the innermost run(), or main. Switches made until it
// returns are not told; if `to` cannot run any more then, another is chosen.
// (Stackless: set_schedule_callback.)
using schedule_callback = std::function<void(tasklet from, tasklet to)>;

// After spawn() or create() has made a tasklet, on the spawner. What is spawned
// while the scheduler ends ends at once, and neither this nor the end callback
// is told.
using spawn_callback = std::function<void(tasklet)>;

// Before a tasklet ends, on that tasklet; when one is killed before its start,
// on the killer. `failure` is what escapes it, or null.
using end_callback =
    std::function<void(tasklet, const std::exception_ptr& failure)>;

// Takes what nobody joins, on the tasklet that failed: then neither run() nor
// main gets it. What it throws goes there instead, `failure` itself or
// another. While the scheduler ends, and where a failure could not be passed
// on, it gets it in place of stderr; the tasklet may be dead then. Of a shared
// promise it is that of another scheduler, or none.
// (Stackless: set_error_handler.)
using error_handler = std::function<void(tasklet, std::exception_ptr failure)>;

}  // namespace weft
