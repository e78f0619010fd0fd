// SPDX-License-Identifier: BSL-1.0
// One direction of a channel, to hand to those who need no more.
//
//   void produce(weft::sender<int> out);
//   void consume(weft::receiver<int> in);
//
//   weft::channel<int> c;
//   weft::spawn(produce, weft::sender(c));
//   weft::spawn(consume, weft::receiver(c));
//
// A view is one word and does not own the channel, which outlives it. Every
// member is the channel's own.
#pragma once

#include <utility>

#include "weft/channel/channel.h"

namespace weft {

template <typename T>
class sender {
 public:
  sender(channel<T>& c) : channel_(&c) {}  // NOLINT: a channel is a sender

  template <typename... Args>
  void send(Args&&... args) const {
    channel_->send(std::forward<Args>(args)...);
  }
  template <typename... Args>
  op_status try_send(Args&&... args) const {
    return channel_->try_send(std::forward<Args>(args)...);
  }
  template <typename... Args>
  op_status send_for(Args&&... args) const {
    return channel_->send_for(std::forward<Args>(args)...);
  }
  template <typename... Args>
  op_status send_until(Args&&... args) const {
    return channel_->send_until(std::forward<Args>(args)...);
  }
  void send_exception(
      std::exception_ptr what,
      std::source_location where = std::source_location::current()) const {
    channel_->send_exception(std::move(what), where);
  }
  template <typename... Args>
  [[nodiscard]] auto send_case(Args&&... args) const {
    return channel_->send_case(std::forward<Args>(args)...);
  }
  void close() const { channel_->close(); }
  [[nodiscard]] bool closed() const { return channel_->closed(); }

 private:
  channel<T>* channel_;
};

template <typename T>
class receiver {
 public:
  receiver(channel<T>& c) : channel_(&c) {}  // NOLINT: a channel is a receiver

  auto receive(
      std::source_location where = std::source_location::current()) const {
    return channel_->receive(where);
  }
  T take(std::source_location where = std::source_location::current()) const {
    return channel_->take(where);
  }
  [[nodiscard]] auto try_receive() const { return channel_->try_receive(); }
  template <typename... Args>
  [[nodiscard]] auto receive_for(Args&&... args) const {
    return channel_->receive_for(std::forward<Args>(args)...);
  }
  template <typename... Args>
  [[nodiscard]] auto receive_until(Args&&... args) const {
    return channel_->receive_until(std::forward<Args>(args)...);
  }
  template <typename... Args>
  [[nodiscard]] auto receive_case(Args&&... args) const {
    return channel_->receive_case(std::forward<Args>(args)...);
  }
  [[nodiscard]] auto begin() const { return channel_->begin(); }
  [[nodiscard]] auto end() const { return channel_->end(); }
  [[nodiscard]] bool closed() const { return channel_->closed(); }

 private:
  channel<T>* channel_;
};

}  // namespace weft
