// SPDX-License-Identifier: BSL-1.0
// The cases of weft, a function for each idea.
#pragma once

#include "weft/bench/harness.h"

void add_yield_cases(bench::suite& all);
void add_channel_cases(bench::suite& all);
void add_select_cases(bench::suite& all);
void add_spawn_cases(bench::suite& all);
void add_future_cases(bench::suite& all);
void add_skynet_cases(bench::suite& all);
void add_memory_cases(bench::suite& all);
void add_timer_cases(bench::suite& all);
void add_generator_cases(bench::suite& all);
void add_sync_cases(bench::suite& all);
void add_thread_cases(bench::suite& all);
