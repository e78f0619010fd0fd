// SPDX-License-Identifier: BSL-1.0
// One of several things that a tasklet waits for at once: see select.h.
//
// What can be waited for gives its own cases: channel::receive_case(),
// send_case(), event::wait_case() ... This is what they have in common.
//
// Lifetime: a case refers to what it waits for, and a send case to its value if
//           that is not small; both outlive the select. A case may be selected
//           again and again, but stands in one select at a time, and once in
//           it; not copied or moved while it waits.
#pragma once

#include <cstdint>
#include <source_location>

#include "weft/scheduler/guard.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

struct control_block;
struct dispatcher;
class shared_service;

class select_case {
 public:
  // Switched off, it neither happens nor is waited for: select() passes it
  // over. (Go: a nil channel.)
  void set_enabled(bool on) { enabled_ = on; }
  [[nodiscard]] bool enabled() const { return enabled_; }

 protected:
  friend class selection;

  // How a select deals with a case. Those that may be null are marked.
  struct verbs {
    const char* reason = "";  // "receive", ...: for reports
    // Throws what forbids the operation; says whether it can happen now. A case
    // whose type has a glance() is asked that first, inlined: see select.h.
    bool (*ready)(select_case&, dispatcher*) = nullptr;
    // Makes it happen. False: it cannot happen after all. `next`: who has to go
    // on at once, or null. Throws with nothing changed. Requires: ready.
    bool (*perform)(select_case&, dispatcher*, control_block*& next) = nullptr;
    // Where it waits; it fills in the slot of the record, which has begun.
    wait_queue& (*line)(select_case&) = nullptr;
    // It has happened while the tasklet waited. Null: nothing to do.
    void (*waited)(select_case&) = nullptr;
    // It has, but something is raised in the tasklet instead: gives back what
    // it got. Null: nothing to do.
    void (*undo)(select_case&) noexcept = nullptr;
    // Tells who watches of an operation that happens, or waits. Null: nobody
    // can.
    void (*tell)(select_case&, dispatcher*, bool waits) = nullptr;
    // The guard of what other threads may use, too: `ready`, `line` and `share`,
    // which is then called instead of `perform`, hold it. Null: there is none.
    guard::number (*guarded_by)(const select_case&) = nullptr;
    bool (*share)(select_case&, shared_service&) = nullptr;
    // Calls its handler. Throws what the operation came to, if that is a
    // failure.
    void (*handle)(select_case&) = nullptr;
  };
  enum class kind : std::uint8_t { operation, timeout, otherwise };

  explicit select_case(const verbs& v, std::source_location where,
                       kind k = kind::operation)
      : verbs_(&v), where_(where), kind_(k) {
    record_.served = 0;
  }
  select_case(const select_case&) = default;
  select_case& operator=(const select_case&) = default;
  ~select_case() = default;

  wait_record record_;  // while it waits; served: it has happened meanwhile

 private:
  const verbs* verbs_;
  std::source_location where_;
  kind kind_;
  bool enabled_ = true;
};

// The case of a derived class, with a condition: it is switched off unless
// that holds. Base: what several of those have in common.
template <typename Case, typename Base = select_case>
class conditional_case : public Base {
 public:
  Case&& when(bool condition) && {
    this->set_enabled(condition);
    return static_cast<Case&&>(*this);
  }
  Case& when(bool condition) & {
    this->set_enabled(condition);
    return static_cast<Case&>(*this);
  }

 protected:
  using Base::Base;
};

}  // namespace weft
