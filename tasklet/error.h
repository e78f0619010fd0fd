// SPDX-License-Identifier: BSL-1.0
// What weft throws.
//
// Ordinary outcomes (would block, timed out, nothing more to receive) are
// return values. These are for a program that went wrong, one small type each;
// every function lists those it throws.
#pragma once

#include <stdexcept>

namespace weft {

// The root of all of them but tasklet_exit.
class error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An operation on a thread that has no scheduler.
class no_scheduler : public error {
  using error::error;
};

// An operation on a channel or a tasklet of another scheduler. Its text has the
// numbers and names of both threads, unless the other one's has ended.
class wrong_scheduler : public error {
  using error::error;
};

// A tasklet was about to block, nothing was runnable and nothing could wake
// anyone. Never a false alarm. (Stackless: "Deadlock: the last runnable tasklet
// cannot be blocked.")
class deadlock_error : public error {
  using error::error;
};

// A send on a channel that is closed.
class channel_closed : public error {
  using error::error;
};

// A tasklet that must not block was about to (tasklet::set_block_trap()).
class block_trap_error : public error {
  using error::error;
};

// A switch to another tasklet was about to happen while a switch_trap is alive.
class switch_trap_error : public error {
  using error::error;
};

// A generator or a greenlet was used in another thread than its own.
class wrong_thread : public error {
  using error::error;
};

// A generator was resumed while it runs, yielded while it was being closed, or
// was sent a value before it had started. (Python: ValueError, RuntimeError,
// TypeError.)
class generator_error : public error {
  using error::error;
};

// Raised out of a generator's yield by close(). Not a std::exception.
class generator_exit {};

// Ends a greenlet when it leaves it; its parent gets it as a value. Not a
// std::exception. (Python: GreenletExit.)
class greenlet_exit {};

// Raised out of a tasklet's blocking call by kill(); ends it without a word
// when it leaves the tasklet. Not a std::exception, so that catch
// (std::exception&) does not stop a kill. (Stackless: TaskletExit.)
class tasklet_exit {
 public:
  tasklet_exit() = default;
  tasklet_exit(const tasklet_exit&) = default;
  tasklet_exit& operator=(const tasklet_exit&) = default;
  virtual ~tasklet_exit() = default;
};

}  // namespace weft
