// SPDX-License-Identifier: BSL-1.0
// An actor is a tasklet that owns a mailbox and reads it in a loop. What it
// knows are its local variables; others reach it by its address alone.
//
//   void counter(address<int> next) {
//     mailbox<int> in(1);
//     next.send(...);                  // introduces itself
//     for (int each : in) ...          // until the mailbox is closed
//   }
//   weft::spawn(counter, address(other));
//
// A mailbox holds a number of messages. Sending to a full one parks, which is
// the back-pressure, and the danger: actors that fill each other's mailboxes
// wait for ever. See protocol.h for why these do not.
#pragma once

#include <cstdint>

#include "weft/weft.h"

namespace actors {

template <typename Message>
using mailbox = weft::channel<Message>;

// Of all actors.
inline std::uint64_t messages_sent = 0;

// Where to send to an actor. Not to be used once the actor has ended.
template <typename Message>
class address {
 public:
  address() = default;  // of nobody
  explicit address(mailbox<Message>& to) : to_(&to) {}

  void send(const Message& message) const {
    to_->send(message);
    ++messages_sent;
  }
  // Ends the loop of the actor.
  void close() const { to_->close(); }

 private:
  mailbox<Message>* to_ = nullptr;
};

}  // namespace actors
