// SPDX-License-Identifier: BSL-1.0
// What a wrong_scheduler says of threads.
#pragma once

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "weft/tasklet/error.h"

namespace weft_test {

inline std::string this_thread_text() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return "thread " + std::to_string(syscall(SYS_gettid)) + " (" + name.data() +
         ")";
}

// The text of the wrong_scheduler that f() throws; empty: none.
template <typename F>
std::string refusal_of(const F& f) {
  try {
    f();
  } catch (const weft::wrong_scheduler& e) {
    return e.what();
  }
  return {};
}

// How such a text begins for `whose`, like "this channel belongs to", that is of
// the scheduler of the thread `home`, in the scheduler of this one.
inline std::string refused(const std::string& whose, const std::string& home) {
  return "weft: " + whose + " the scheduler of " + home +
         ", and was used in that of " + this_thread_text() + "; ";
}

}  // namespace weft_test
