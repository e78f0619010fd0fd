// SPDX-License-Identifier: BSL-1.0
// Waiting in frames: whoever waits is parked until the frame it asked for.
//
//   frames.wait(6);   // in a tasklet: goes on six frames from now
//   frames.open();    // in the frame loop, before it runs the tasklets
//
// A ring of channels, one for each frame to come; opening a frame wakes those
// who are parked on its channel and touches nobody else. Who was woken but did
// not get its turn within the budget stands in the run queue already, ahead of
// those of the next frame, and on no channel: it cannot be woken twice.
//
// Guarantees: one turn a frame at most; turns are given in the order in which
//             they came due.
// Cost:       O(1) to wait, O(those woken) to open.
#pragma once

#include <algorithm>
#include <array>

#include "weft/weft.h"

namespace npc {

class frames {
 public:
  frames() {
    // open() wakes all, then they run.
    for (auto& gate : gates_) gate.set_preference(weft::preference::neither);
  }

  // Parks the caller for `n` frames. Requires: n >= 1.
  void wait(long n) {
    for (; n > longest; n -= longest) pass(longest);
    pass(n);
  }

  void open() {
    weft::channel<void>& gate = at(++now_);
    while (gate.balance() < 0) gate.send();
  }

  [[nodiscard]] long now() const { return now_; }
  // By how many frames the latest turn missed its frame.
  [[nodiscard]] long latest() const { return latest_; }

 private:
  static constexpr long longest = 63;

  weft::channel<void>& at(long frame) {
    return gates_[static_cast<std::size_t>(frame) % gates_.size()];
  }

  void pass(long n) {
    const long due = now_ + n;
    at(due).receive();
    latest_ = std::max(latest_, now_ - due);
  }

  std::array<weft::channel<void>, longest + 1> gates_;
  long now_ = 0;
  long latest_ = 0;
};

}  // namespace npc
