// SPDX-License-Identifier: BSL-1.0
// Who waits for what.
#pragma once

#include <iosfwd>

namespace weft {

// Writes a line for every blocked and every paused tasklet of this thread's
// scheduler, the oldest first: its name, where it was spawned, what it waits
// for and where. Then the cycle, where tasklets join each other in one.
// The text of a deadlock_error has the same lines, the first hundred of them.
//
//   tasklet 3 'miller' (spawned at mill.cc:12) waits in receive on channel
//   'grain' at mill.cc:30
//
// The place is that of the call, where weft's functions take it; what waits in a
// header is told with that header's line: a loop over a channel, a mailbox that
// has handlers, std's lock guards. Where a call has arguments for the tasklet, no
// place can be handed on: it was spawned at "the code at" an address.
//
// Nothing is written where nobody waits. Throws no_scheduler, std::bad_alloc,
// what `out` throws. Cost: O(n log n) in live tasklets.
void report(std::ostream& out);

}  // namespace weft
