// SPDX-License-Identifier: BSL-1.0
// All of weft: tasklets and channels in the style of Stackless Python.
#pragma once

#include "weft/channel/any_channel.h"       // IWYU pragma: export
#include "weft/channel/channel.h"           // IWYU pragma: export
#include "weft/channel/channel_callback.h"  // IWYU pragma: export
#include "weft/channel/signal_channel.h"    // IWYU pragma: export
#include "weft/channel/views.h"             // IWYU pragma: export
#include "weft/scheduler/clock.h"           // IWYU pragma: export
#include "weft/scheduler/join_case.h"       // IWYU pragma: export
#include "weft/scheduler/manual_clock.h"    // IWYU pragma: export
#include "weft/scheduler/report.h"          // IWYU pragma: export
#include "weft/scheduler/scaled_clock.h"    // IWYU pragma: export
#include "weft/scheduler/scheduler.h"       // IWYU pragma: export
#include "weft/scheduler/select.h"          // IWYU pragma: export
#include "weft/scheduler/shield.h"          // IWYU pragma: export
#include "weft/scheduler/spawn.h"           // IWYU pragma: export
#include "weft/scheduler/stop_guard.h"      // IWYU pragma: export
#include "weft/scheduler/ticker.h"          // IWYU pragma: export
#include "weft/scheduler/timeout.h"         // IWYU pragma: export
#include "weft/scheduler/traps.h"           // IWYU pragma: export
#include "weft/scheduler/virtual_clock.h"   // IWYU pragma: export
#include "weft/scheduler/yield.h"           // IWYU pragma: export
#include "weft/structure/group.h"           // IWYU pragma: export
#include "weft/structure/map.h"             // IWYU pragma: export
#include "weft/structure/pool.h"            // IWYU pragma: export
#include "weft/structure/scope.h"           // IWYU pragma: export
#include "weft/sync/barrier.h"              // IWYU pragma: export
#include "weft/sync/condition_variable.h"   // IWYU pragma: export
#include "weft/sync/event.h"                // IWYU pragma: export
#include "weft/sync/latch.h"                // IWYU pragma: export
#include "weft/sync/mutex.h"                // IWYU pragma: export
#include "weft/sync/once_flag.h"            // IWYU pragma: export
#include "weft/sync/recursive_mutex.h"      // IWYU pragma: export
#include "weft/sync/semaphore.h"            // IWYU pragma: export
#include "weft/sync/shared_mutex.h"         // IWYU pragma: export
#include "weft/sync/tasklet_local.h"        // IWYU pragma: export
#include "weft/sync/wait_group.h"           // IWYU pragma: export
#include "weft/tasklet/context_var.h"       // IWYU pragma: export
#include "weft/tasklet/error.h"             // IWYU pragma: export
#include "weft/tasklet/generator.h"         // IWYU pragma: export
#include "weft/tasklet/greenlet.h"          // IWYU pragma: export
#include "weft/tasklet/parcel.h"            // IWYU pragma: export
#include "weft/tasklet/tasklet.h"           // IWYU pragma: export
