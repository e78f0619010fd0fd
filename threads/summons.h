// SPDX-License-Identifier: BSL-1.0
// Private: a letter that a tasklet waits for, and that lies on its stack: what
// another thread will have done.
//
//   send()      has that thread begin
//   post()      by that thread, when it is done
//   withdraw()  when something is raised in the tasklet meanwhile
//
// While one is waited for that is certain to come there is no deadlock.
#pragma once

#include <memory>
#include <source_location>

#include "weft/scheduler/inbox.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

class summons : letter {
 public:
  summons(const summons&) = delete;
  summons& operator=(const summons&) = delete;

  // Parks the current tasklet until it has come. Throws no_scheduler, what is
  // due, block_trap_error, switch_trap_error, what send() throws: then nothing
  // has been sent; and what is raised meanwhile: at once if it can be withdrawn,
  // else when it has come, kills held back.
  void await(const char* reason, std::source_location where);

  // In any thread, once. It may be gone then.
  void post() noexcept;

  // In the child of a fork(), instead: it has come, if it was this thread's.
  bool come_after_fork() noexcept;

 protected:
  // Not `certain`: what is to happen before may never do, for what schedulers
  // do or fail to do.
  explicit summons(bool certain) : letter(&arrive), certain_(certain) {}
  virtual ~summons() = default;

 private:
  virtual void send() = 0;
  // False: it will be posted, or has been.
  virtual bool withdraw() noexcept = 0;

  static void arrive(letter& l, core& home) noexcept;
  // Waits whatever comes.
  void outlast(std::source_location where) noexcept;

  [[nodiscard]] std::size_t& count(core& home) const;

  const bool certain_;
  core* home_ = nullptr;
  std::shared_ptr<inbox> to_;
  wait_record record_;
  bool arrived_ = false;
};

}  // namespace weft
