// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/actors/shard.h"

#include <exception>
#include <utility>

namespace actors {

void shards::serve(std::size_t i) {
  shard& mine = all_[i];
  shard::of_thread = &mine;
  const auto tell = [&](const std::exception_ptr& what) {
    if (i == 0) std::rethrow_exception(what);
    all_.front().box_.send_exception(what);
  };
  try {
    for (shard::letter& each : mine.box_) each();
  } catch (const weft::link_broken& e) {
    if (!e.end().failure) throw;
    tell(e.end().failure);
  } catch (const weft::tasklet_exit&) {
    throw;
  } catch (...) {
    tell(std::current_exception());
  }
}

void shards::spawn(std::size_t i, const weft::spawn_options& options,
                   const std::function<void()>& f) {
  const auto spawn_here = [options, f] { weft::link(weft::spawn(options, f)); };
  if (&all_[i] == &shard::here()) return spawn_here();
  all_[i].post(spawn_here);
}

void shards::close() {
  for (shard& each : all_) each.box_.close();
}

std::uint64_t shards::messages_sent() const {
  std::uint64_t sum = 0;
  for (const shard& each : all_) sum += each.messages_sent;
  return sum;
}

}  // namespace actors
