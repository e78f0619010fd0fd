// SPDX-License-Identifier: BSL-1.0
// The threads that actors live on. Each has a shard: its actors, and a letter box
// where other threads post what is to be done here, which is most often to put a
// message into a mailbox.
//
//   actors::shards all(2);
//   weft::scheduler scheduler;           // and one in another thread
//   weft::spawn([&] { all.serve(0); });  // and all.serve(1) there
//   all.spawn(1, [] { ... });
//   ...
//   all.close();  // and the tasklets that serve end
//
// A letter is carried out by a tasklet of the shard, one after the other, in the
// order in which they were posted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "weft/weft.h"

namespace actors {

class shard {
 public:
  using letter = std::function<void()>;

  // That of this thread. The first one belongs to the thread that made them,
  // the others to the threads that serve them.
  static shard& here() { return *of_thread; }

  // Parks where the box is full.
  void post(letter what) { box_.send(std::move(what)); }

  // Counted by its own thread.
  std::uint64_t messages_sent = 0;

 private:
  friend class shards;
  static inline thread_local shard* of_thread = nullptr;

  weft::channel<letter> box_{1024, weft::shared};
};

class shards {
 public:
  explicit shards(std::size_t count) : all_(count) {
    shard::of_thread = &all_.front();
  }

  [[nodiscard]] std::size_t size() const { return all_.size(); }

  // Carries out what is posted to shard i, in its thread, until close(). What
  // fails in one of the others comes out of serve(0).
  void serve(std::size_t i);

  // Has f called by a new tasklet of shard i, which is one of this thread, or
  // is being served. It is linked to the caller if that is of the same thread,
  // else to the one that serves.
  void spawn(std::size_t i, const weft::spawn_options& options,
             const std::function<void()>& f);

  // What has been posted is still carried out, and nothing is posted any more.
  void close();

  // Of all actors. Requires: all threads but this one have ended, or are idle.
  [[nodiscard]] std::uint64_t messages_sent() const;

 private:
  std::deque<shard> all_;
};

}  // namespace actors
