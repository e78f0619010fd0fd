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
#pragma once

#include <cstdint>
#include <utility>

#include "weft/weft.h"

namespace actors {

// Of all actors.
inline std::uint64_t messages_sent = 0;

// Where to send to an actor. Not to be used once the actor has ended.
template <typename Mailbox>
class address {
 public:
  address() = default;  // of nobody
  explicit address(Mailbox& to) : to_(&to) {}

  template <typename Message>
  void send(Message&& message) const {
    to_->send(std::forward<Message>(message));
    ++messages_sent;
  }
  // Ends the loop of the actor.
  void close() const { to_->close(); }

 private:
  Mailbox* to_ = nullptr;
};

}  // namespace actors
