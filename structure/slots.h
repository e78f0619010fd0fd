// SPDX-License-Identifier: BSL-1.0
// Private: so many may do something at a time; the others wait in line.
//
// One that is given back goes to the first who waits, so that nobody who comes
// later is before him. Shared by those who hold one: they may outlive whoever
// made it.
#pragma once

#include <cstddef>
#include <memory>
#include <source_location>
#include <utility>

#include "weft/scheduler/dispatcher.h"

namespace weft {

class slots : public std::enable_shared_from_this<slots> {
 public:
  explicit slots(std::size_t limit) : limit_(limit) {}

  // One of them, until it ends.
  class holder {
   public:
    holder(holder&&) = default;
    holder& operator=(holder&&) = delete;
    ~holder() {
      if (of_) of_->give_back();
    }

   private:
    friend class slots;
    explicit holder(std::shared_ptr<slots> of) : of_(std::move(of)) {}
    std::shared_ptr<slots> of_;
  };

  // Parks while there is none. Throws as join().
  holder take(const char* reason, std::source_location where);
  // Requires: free() != 0.
  holder take_now() {
    ++taken_;
    return holder(shared_from_this());
  }

  // None are taken back; those that are too many end with their holders.
  void resize(std::size_t limit) noexcept;

  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::size_t free() const {
    return taken_ < limit_ ? limit_ - taken_ : 0;
  }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  void give_back() noexcept;
  void hand_out() noexcept;

  std::size_t limit_;
  std::size_t taken_ = 0;  // those that were handed to waiters, too
  wait_queue waiting_;     // the slot: a bool, whether it was handed one
};

}  // namespace weft
