// SPDX-License-Identifier: BSL-1.0
// What a future throws where there will never be a result.
#pragma once

#include "weft/tasklet/error.h"

namespace weft {

// The promise ended without a value and without a failure, or the tasklet of an
// async() was killed before it had a result.
class broken_promise : public error {
  using error::error;
};

}  // namespace weft
