// SPDX-License-Identifier: BSL-1.0
// Private: a sentence on stderr, said at once.
//
// It takes a kilobyte of stack, allocates nothing and takes no lock, so that it
// can be said on a tasklet's stack and in a signal handler. (stdio wants eight.)
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft {

// Written when it ends. What does not fit is left out.
class stderr_line {
 public:
  stderr_line() { *this << "weft: "; }
  stderr_line(const stderr_line&) = delete;
  stderr_line& operator=(const stderr_line&) = delete;
  ~stderr_line() {
    text_[used_++] = '\n';
    static_cast<void>(!::write(STDERR_FILENO, text_.data(), used_));
  }

  stderr_line& operator<<(std::string_view text) {
    const std::size_t n = std::min(text.size(), text_.size() - 1 - used_);
    std::copy_n(text.begin(), n, text_.begin() + used_);
    used_ += n;
    return *this;
  }
  stderr_line& operator<<(std::uint64_t number) { return put(number, 10); }
  stderr_line& address(const void* of) {
    return (*this << "0x").put(reinterpret_cast<std::uintptr_t>(of), 16);
  }

 private:
  stderr_line& put(std::uint64_t number, int base) {
    std::array<char, 20> digits;
    char* last = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
    return *this << std::string_view(digits.begin(), last);
  }

  std::array<char, 1024> text_;
  std::size_t used_ = 0;
};

}  // namespace weft
