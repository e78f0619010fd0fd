// SPDX-License-Identifier: BSL-1.0
// Private: those who wait for one thing, in the order in which they came.
//
// A wait_record lies on the stack of the tasklet that waits, so waiting
// allocates nothing. It is linked into at most one wait_queue, at both ends, so
// that a kill or a timeout takes it out of the middle. A select has one record
// a case, chained by `sibling`; to wake one is to unlink them all.
//
// Invariant: control_block::waiting is the (first) record exactly while its
// tasklet is parked; an awakened tasklet touches no wait_queue.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>

namespace weft {

struct control_block;
class wait_queue;

struct wait_link {
  wait_link* next;
  wait_link* previous;
};

struct wait_record : wait_link {
  control_block* who;
  wait_queue* queue;          // null: in none, as in sleep_for()
  void* slot;                 // what the waking side reads or fills
  const char* reason;         // "receive", "sleep", ...: for reports
  std::source_location site;  // of the blocking call
  wait_record* sibling;       // the next case of the same select
  std::uint32_t kind;         // how to read the slot; the parker's business
  std::uint16_t timed_out;    // 1: the time passed first
  std::uint16_t pause;        // 1: for nothing in particular: it is paused

  // Empty: an operation that does not park pays nothing for it.
  wait_record() {}                                            // NOLINT
  wait_record(const char* why, std::source_location where) {  // NOLINT
    begin(why, where);
  }
  void begin(const char* why, std::source_location where) {
    queue = nullptr;
    slot = nullptr;
    reason = why;
    site = where;
    sibling = nullptr;
    kind = 0;
    timed_out = 0;
    pause = 0;
  }
};

class wait_queue {
 public:
  wait_queue() noexcept : ends_{&ends_, &ends_} {}
  wait_queue(const wait_queue&) = delete;
  wait_queue& operator=(const wait_queue&) = delete;

  [[nodiscard]] bool empty() const { return balance_ == 0; }
  // How many wait: positive on one side (senders), negative on the other.
  [[nodiscard]] std::int32_t balance() const { return balance_; }
  // Requires: !empty().
  [[nodiscard]] wait_record& front() const {
    assert(!empty());
    return static_cast<wait_record&>(*ends_.next);
  }

  // `side` is +1 or -1. Requires: nobody waits on the other side.
  void append(wait_record& w, std::int32_t side) {
    assert(balance_ * side >= 0);
    w.queue = this;
    w.next = &ends_;
    w.previous = ends_.previous;
    ends_.previous->next = &w;
    ends_.previous = &w;
    balance_ += side;
  }

  // Takes out a record that waits on the given side.
  void remove(const wait_record& w, std::int32_t side) {
    assert(w.queue == this && balance_ * side > 0);
    w.previous->next = w.next;
    w.next->previous = w.previous;
    balance_ -= side;
  }
  // As above, of one that was not served: those behind it may go on.
  void leave(wait_record& w) {
    remove(w, balance_ > 0 ? 1 : -1);
    if (on_leave != nullptr) on_leave(*this);
  }

  // Calls see(const wait_record&) for each, in order.
  template <typename See>
  void for_each(See see) const {
    for (const wait_link* l = ends_.next; l != &ends_; l = l->next)
      see(static_cast<const wait_record&>(*l));
  }

  void (*on_leave)(wait_queue&) = nullptr;
  std::unique_ptr<std::string> name;  // of what they wait for: for reports

 private:
  wait_link ends_;
  std::int32_t balance_ = 0;
};

}  // namespace weft
