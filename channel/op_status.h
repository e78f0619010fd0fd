// SPDX-License-Identifier: BSL-1.0
// How an operation that does not wait for ever came out.
#pragma once

#include <cstdint>
#include <optional>

namespace weft {

enum class op_status : std::uint8_t {
  done,         // the value went across
  would_block,  // nobody was there, and the operation does not wait
  timed_out,    // nobody came in time
  closed,       // nobody will come
};

// What a try_receive() or a timed receive gives: the value, or why there is
// none.
template <typename T>
class received : public std::optional<T> {
 public:
  [[nodiscard]] op_status status() const { return status_; }

 private:
  template <typename>
  friend class channel;
  op_status status_ = op_status::would_block;
};

}  // namespace weft
