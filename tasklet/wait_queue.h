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
//
// A channel has two queues, one a side: a tasklet that selects may wait in both.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>

namespace weft {

struct control_block;
struct descriptor;
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
  wait_record* sibling;       // what else its select waits for; null: no more
  std::uint32_t kind;         // how to read the slot; the parker's business
  std::uint8_t timed_out;     // 1: the time passed first
  std::uint8_t pause;         // 1: for nothing in particular: it is paused
  std::uint8_t served;        // 1: of a select's: it is this case that happened
  std::uint8_t crossing;      // not 0: other threads may serve it: crossing.h

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
    served = 0;
    crossing = 0;
  }
};

// What somebody waits for, as reports tell it.
struct wait_target {
  const char* kind;  // "channel", "mutex", ...
  std::unique_ptr<std::string> name;
  // Who alone can end the wait, as the owner of a mutex; null: nobody, or
  // anybody.
  const descriptor* (*holder)(const wait_target&) = nullptr;
};

class wait_queue {
 public:
  explicit wait_queue(wait_target* t = nullptr) noexcept
      : target(t), ends_{&ends_, &ends_} {}
  wait_queue(const wait_queue&) = delete;
  wait_queue& operator=(const wait_queue&) = delete;

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  // Requires: !empty().
  [[nodiscard]] wait_record& front() const {
    assert(!empty());
    return static_cast<wait_record&>(*ends_.next);
  }

  void append(wait_record& w) {
    w.queue = this;
    w.next = &ends_;
    w.previous = ends_.previous;
    ends_.previous->next = &w;
    ends_.previous = &w;
    ++size_;
  }

  void remove(const wait_record& w) {
    assert(w.queue == this && !empty());
    w.previous->next = w.next;
    w.next->previous = w.previous;
    --size_;
  }
  // One that was not served has been removed: those behind it may go on.
  void was_left() {
    if (on_leave != nullptr) on_leave(*this);
  }

  // Calls see(const wait_record&) for each, in order.
  template <typename See>
  void for_each(See see) const {
    for (const wait_link* l = ends_.next; l != &ends_; l = l->next)
      see(static_cast<const wait_record&>(*l));
  }

  void (*on_leave)(wait_queue&) = nullptr;
  wait_target* target;  // null: nothing that has a name

 private:
  wait_link ends_;
  std::uint32_t size_ = 0;
};

}  // namespace weft
