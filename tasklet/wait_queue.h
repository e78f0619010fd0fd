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

struct wait_target;

// What all targets of a kind have in common; static.
struct wait_kind {
  const char* name;  // "channel", "mutex", ...: for reports
  // Who alone can end the wait, as the owner of a mutex; null: nobody, or
  // anybody.
  const descriptor* (*holder)(const wait_target&) = nullptr;
};

// What somebody waits for: the object that his queue is part of.
struct wait_target {
  const wait_kind* kind;
  std::unique_ptr<std::string> name;
  // One that was not served has been removed from that queue: those behind it
  // may go on. Null: nobody does.
  void (*on_leave)(wait_queue&) = nullptr;
};

class wait_queue {
 public:
  wait_queue() noexcept : ends_{&ends_, &ends_} {}
  // Requires: `t` and this are parts of one object.
  explicit wait_queue(const wait_target* t) noexcept : wait_queue() {
    to_target_ = static_cast<std::int32_t>(reinterpret_cast<const char*>(t) -
                                           reinterpret_cast<char*>(this));
  }
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
  // Null: nothing that has a name.
  [[nodiscard]] wait_target* target() {
    if (to_target_ == 0) return nullptr;
    return reinterpret_cast<wait_target*>(reinterpret_cast<char*>(this) +
                                          to_target_);
  }
  void was_left() {
    const wait_target* const t = target();
    if (t != nullptr && t->on_leave != nullptr) t->on_leave(*this);
  }

  // Calls see(const wait_record&) for each, in order.
  template <typename See>
  void for_each(See see) const {
    for (const wait_link* l = ends_.next; l != &ends_; l = l->next)
      see(static_cast<const wait_record&>(*l));
  }

 private:
  wait_link ends_;
  std::uint32_t size_ = 0;
  std::int32_t to_target_ = 0;  // in bytes, from here
};

}  // namespace weft
