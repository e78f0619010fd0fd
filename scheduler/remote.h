// SPDX-License-Identifier: BSL-1.0
// Private: what is asked of a tasklet whose scheduler is another thread's.
//
// A kill, an exception and an insert are letters to that scheduler, which
// carries them out between two of its tasklets. A join is a question that goes
// there and has an answer:
//
//   who joins                     the scheduler of the tasklet
//     ask()       ------------->    observes it; a dead one has ended
//     waits
//     goes on     <-------------    it has ended: answer()
//     give_up()   ------------->    observes it no more
//
// Invariants:
// - Either it is answered or given up, never both: whoever is first has
//   written so in state_.
// - A question belongs to both sides, and to each letter that is under way.
#pragma once

#include <any>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <utility>

#include "weft/scheduler/end_observer.h"
#include "weft/scheduler/inbox.h"
#include "weft/tasklet/tasklet.h"
#include "weft/tasklet/wait_queue.h"

namespace weft {

// The reason of wait_records whose slots are the tasklet that they join.
inline constexpr char far_join_reason[] = "join";

struct dispatcher;

// Requests to the scheduler of `t`, in any thread. Nothing happens where that,
// or the tasklet, has ended. Throw std::bad_alloc, with nothing changed.
void kill_far(const tasklet& t);
void throw_far(const tasklet& t, std::exception_ptr what);
void insert_far(const tasklet& t, std::any value);

// tasklet::join() and join_until(), in a thread with a scheduler or without.
void join_far(const tasklet& t, std::source_location where);
bool join_far(const tasklet& t, std::chrono::steady_clock::time_point when,
              std::source_location where);
bool join_far(const tasklet& t, std::chrono::nanoseconds time,
              std::source_location where);

// Somebody who wants to know of a tasklet's end elsewhere.
class far_end : private end_observer {
 public:
  [[nodiscard]] const tasklet& whom() const { return whom_; }
  [[nodiscard]] bool asked() const { return asked_; }
  void drop() noexcept;

 protected:
  explicit far_end(const tasklet& t)
      : whom_(t), asking_(*this, &arrive), giving_up_(*this, &take_back) {}
  ~far_end() override = default;

  // Once.
  void ask() noexcept;
  // False: it has been answered, or is just being.
  bool give_up() noexcept;
  [[nodiscard]] bool answered() const {
    return state_.load(std::memory_order_acquire) == state::answered;
  }
  // What escaped it, once. Requires: answered().
  std::exception_ptr take_failure() noexcept {
    return std::exchange(failure_, nullptr);
  }

  struct note : letter {
    note(far_end& f, action a) : letter(a), of(f) {}
    far_end& of;
  };

 private:
  enum class state : std::uint8_t { open, answered, given_up };

  // In the tasklet's thread, or that of the one who asks: has that one know, and
  // drop()s this.
  virtual void answer() noexcept = 0;

  static void arrive(letter& l, core& home) noexcept;
  static void take_back(letter& l, core& home) noexcept;
  bool claim(const std::exception_ptr& what) noexcept;
  void conclude() noexcept;
  void ended(end_reason, const std::exception_ptr&) noexcept override {
    conclude();
  }
  [[nodiscard]] bool takes_failure() const override {
    return state_.load(std::memory_order_relaxed) != state::given_up;
  }
  bool claims_failure(const std::exception_ptr& what) noexcept override {
    return claimed_ = claimed_ || claim(what);
  }

  tasklet whom_;
  std::atomic<std::uint32_t> owners_{1};
  std::atomic<state> state_{state::open};
  bool asked_ = false;          // by who joins
  bool claimed_ = false;        // by the tasklet's scheduler
  std::exception_ptr failure_;  // whose it is says state_
  note asking_;
  note giving_up_;
};

// A tasklet that does, and waits in line().
class far_join final : public far_end {
 public:
  // Throws std::bad_alloc.
  explicit far_join(const tasklet& t);

  // Requires: the current tasklet begins to wait in line() next; who leaves that
  // unserved gives up.
  void ask(dispatcher& own) noexcept;
  [[nodiscard]] wait_queue& line() { return line_; }
  void fill(wait_record& w) const {
    w.reason = far_join_reason;
    w.slot = const_cast<tasklet*>(&whom());
  }
  // Who has joined goes on; a failure that it has not been told is reported.
  void forget() noexcept;
  using far_end::answered;
  using far_end::take_failure;

 private:
  static constexpr wait_kind kind{"tasklet"};
  struct queue : wait_target, wait_queue {
    explicit queue(far_join& f)
        : wait_target{&far_join::kind, nullptr, &far_join::left},
          wait_queue(this),
          of(f) {}
    far_join& of;
  };
  ~far_join() override = default;
  void answer() noexcept override;
  static void left(wait_queue& q) noexcept;
  static void come_back(letter& l, core& own) noexcept;

  std::shared_ptr<inbox> back_;
  queue line_{*this};
  note answer_;
};

// Who joins holds it by this. A copy has none.
class far_join_holder {
 public:
  far_join_holder() = default;
  explicit far_join_holder(const tasklet& t) : j_(new far_join(t)) {}
  far_join_holder(const far_join_holder&) noexcept {}
  far_join_holder& operator=(const far_join_holder&) noexcept {  // NOLINT
    return *this;
  }
  ~far_join_holder() {
    if (j_ != nullptr) j_->forget();
  }

  // One that has not asked yet. Throws std::bad_alloc.
  void renew(const tasklet& t) {
    if (j_ != nullptr && !j_->asked()) return;
    auto* const fresh = new far_join(t);
    if (j_ != nullptr) j_->forget();
    j_ = fresh;
  }
  far_join* operator->() const { return j_; }

 private:
  far_join* j_ = nullptr;
};

}  // namespace weft
