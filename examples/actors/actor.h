// SPDX-License-Identifier: BSL-1.0
// An actor is a tasklet that owns a mailbox and reads it in a loop. What it
// knows are its local variables; others reach it by its address alone.
//
//   void counter(address<weft::mailbox<hello>> next) {
//     weft::mailbox<int, stop> in(1);
//     next.send(hello{address(in)});
//     while (in.receive([&](int n) { ... }, [&](stop) { ... })) {
//     }                                // until the mailbox is closed
//   }
//
// A mailbox holds a number of messages. Sending to a full one parks, which is
// the back-pressure, and the danger: actors that fill each other's mailboxes
// wait for ever. See protocol.h for why these do not.
//
// A mailbox belongs to its actor's thread. A message to another thread goes
// there as a letter, which puts it into the mailbox; the sender does not wait
// for that.
#pragma once

#include <type_traits>
#include <utility>

#include "weft/examples/actors/shard.h"
#include "weft/weft.h"

namespace actors {

// Where to send to an actor, from any thread that has a shard. Not to be used
// once the actor has ended.
template <typename Mailbox>
class address {
 public:
  address() = default;  // of nobody
  // Of an actor of this thread.
  explicit address(Mailbox& to) : to_(&to), home_(&shard::here()) {}

  template <typename Message>
  void send(Message&& message) const {
    shard& here = shard::here();
    ++here.messages_sent;
    if (home_ == &here) return to_->send(std::forward<Message>(message));
    home_->post([to = to_, m = std::decay_t<Message>(
                               std::forward<Message>(message))] {  //
      to->send(m);
    });
  }
  // Ends the loop of the actor.
  void close() const {
    if (home_ == &shard::here()) return to_->close();
    home_->post([to = to_] { to->close(); });
  }

 private:
  Mailbox* to_ = nullptr;
  shard* home_ = nullptr;
};

}  // namespace actors
