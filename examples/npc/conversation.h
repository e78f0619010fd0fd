// SPDX-License-Identifier: BSL-1.0
// One side of a talk between two characters; each has one on its own stack.
//
//   conversation mine(me);
//   other.calls.send(&mine);            // parks until the other has time
//   if (mine.say(1)) answer = mine.hear();
//
// Whichever side ends first, by a return or by a kill, ends the talk for both.
#pragma once

#include <optional>

#include "weft/examples/npc/world.h"
#include "weft/weft.h"

namespace npc {

class conversation {
 public:
  explicit conversation(character& me) : me_(me) {}
  // Joins the caller, who waits for it.
  conversation(character& me, conversation& caller) : me_(me), other_(&caller) {
    caller.other_ = this;
  }
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  ~conversation() {
    if (other_ == nullptr) return;
    other_->other_ = nullptr;
    other_->ear_.close();  // It hears that nobody is there any more.
  }

  // Parks until the other has heard it, and for the time it takes to say it.
  // False: the other has gone.
  bool say(long what) {
    if (other_ == nullptr) return false;
    try {
      other_->ear_.send(what);
    } catch (const weft::channel_closed&) {
      return false;
    }
    me_.wait(sentence);
    return true;
  }

  // Parks until the other says something; nullopt: it has gone.
  std::optional<long> hear() {
    const std::optional<long> heard = ear_.receive();
    if (heard) me_.wait(sentence);
    return heard;
  }

 private:
  static constexpr long sentence = 20;  // frames

  character& me_;
  conversation* other_ = nullptr;
  weft::channel<long> ear_;
};

}  // namespace npc
