// SPDX-License-Identifier: BSL-1.0
// Private: errands that wait, first in, first out.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "weft/scheduler/errand.h"

namespace weft {

class errand_line {
 public:
  errand_line() = default;
  errand_line(const errand_line&) = delete;
  errand_line& operator=(const errand_line&) = delete;
  ~errand_line() {
    while (!empty()) pop();
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

  void push(std::unique_ptr<errand> one) noexcept {
    letter* const last = one.release();
    last->behind = nullptr;
    *end_ = last;
    end_ = &last->behind;
    ++size_;
  }
  // Requires: not empty.
  std::unique_ptr<errand> pop() noexcept {
    auto* const first = static_cast<errand*>(first_);
    first_ = first->behind;
    if (first_ == nullptr) end_ = &first_;
    --size_;
    return std::unique_ptr<errand>(first);
  }
  // The first n go to the end of another. Requires: there are n.
  void move(std::size_t n, errand_line& to) noexcept {
    for (; n != 0; --n) to.push(pop());
  }

 private:
  letter* first_ = nullptr;
  letter** end_ = &first_;
  std::size_t size_ = 0;
};

}  // namespace weft
