// SPDX-License-Identifier: BSL-1.0
// Two tasklets that fail together.
//
//   weft::link(weft::spawn(serve, std::ref(requests)));
//   accept(requests);  // if the server fails, link_broken is thrown in here;
//                      // if this one fails, it is thrown in the server
//
// When one of the two ends other than by returning, link_broken is raised in the
// other, out of the operation that this is parked in or begins next; it is held
// back by what holds a kill back. A link lasts until one of them ends, whatever
// scope it was made in.
//
// link_broken is a tasklet_exit: who lets it pass ends without a word, as one
// that is killed, and breaks its own links in turn. What had escaped the first
// one has gone its own way already, once.
//
// Thread safety: the thread of the tasklets' scheduler.
// Cost:          an allocation a link; O(links and monitors of the caller).
// (Erlang: link/1, unlink/1.)
#pragma once

#include <utility>

#include "weft/actor/monitor.h"
#include "weft/tasklet/error.h"
#include "weft/tasklet/tasklet.h"

namespace weft {

// Not a std::exception.
class link_broken final : public tasklet_exit {
 public:
  explicit link_broken(down end) : end_(std::move(end)) {}
  // Who ended, and how.
  [[nodiscard]] const down& end() const { return end_; }

 private:
  down end_;
};

// Links the current tasklet and `t`. Once is enough: a second time, and with
// itself, nothing happens. With a dead one: throws link_broken at once, for it
// is not known how that ended. Throws no_scheduler, wrong_scheduler,
// std::bad_alloc, what is due to the caller.
void link(const tasklet& t);

// The two are linked no more; nothing happens if they were not. What has not
// been raised yet never is. Throws no_scheduler, wrong_scheduler.
void unlink(const tasklet& t);

}  // namespace weft
