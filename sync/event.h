// SPDX-License-Identifier: BSL-1.0
// Something that happens, and tasklets that wait until it has.
//
//   weft::event ready;
//   weft::spawn([&] { load(); ready.set(); });
//   ready.wait();
//
// Once set, an event stays set until it is cleared, and whoever waits goes on.
// An auto_reset_event lets one tasklet go on for each set().
//
// Ordering:       those who wait become runnable in the order in which they
//                 came.
// Thread safety:  belongs to the scheduler of the first operation on it; in any
//                 other thread operations throw wrong_scheduler or
//                 no_scheduler; queries and set_name() are not checked.
// Lifetime:       ending one has those who wait go on with an error; those that
//                 it has released already do not touch it any more.
// Cost:           O(1), and set() O(those who wait); no allocation.
//
// waitable.h has wait(), try_wait(), wait_for(), wait_until() and wait_case().
// (Python: threading.Event; Windows: both kinds.)
#pragma once

#include "weft/sync/waitable.h"

namespace weft {

class event : public waitable<event> {
 public:
  explicit event(bool set = false) : waitable(kind), set_(set) {}

  // All who wait go on, and so do all who come until it is cleared. Neither
  // switches nor parks. Throws no_scheduler, wrong_scheduler.
  void set() {
    attend();
    set_ = true;
    serve(*this);
  }
  // Who comes from now on waits. Whom a set() has released goes on all the
  // same. Throws as set().
  void clear() {
    attend();
    set_ = false;
  }
  [[nodiscard]] bool is_set() const { return set_; }

 private:
  friend waiting_line;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind{"event"};
  [[nodiscard]] bool possible(std::uint32_t) const { return set_; }
  void take(const descriptor*, std::uint32_t) {}

  bool set_;
};

class auto_reset_event : public waitable<auto_reset_event> {
 public:
  explicit auto_reset_event(bool set = false) : waitable(kind), set_(set) {}

  // The first who waits goes on; where nobody waits, the next one to come does
  // not. A second set() before that is lost. Neither switches nor parks. Throws
  // no_scheduler, wrong_scheduler. One who is killed before it goes on leaves
  // its turn to the next, or to who comes, though it was cleared meanwhile.
  void set() {
    attend();
    give_back(0);
  }
  // As event::clear().
  void clear() {
    attend();
    set_ = false;
  }
  [[nodiscard]] bool is_set() const { return set_; }

 private:
  friend waiting_line;
  template <typename, typename, typename>
  friend class claim_case;
  static constexpr wait_kind kind{"auto_reset_event"};
  [[nodiscard]] bool possible(std::uint32_t) const { return set_; }
  void take(const descriptor*, std::uint32_t) { set_ = false; }
  void give_back(std::uint32_t) noexcept {
    set_ = true;
    serve(*this);
  }

  bool set_;
};

}  // namespace weft
