// SPDX-License-Identifier: BSL-1.0
// How many tasklets a test may have alive at once: fewer where each costs more.
#pragma once

#ifndef WEFT_TEST_TASKLETS
#define WEFT_TEST_TASKLETS 100000
#endif

namespace weft_test {

inline constexpr int many = WEFT_TEST_TASKLETS;

}  // namespace weft_test
