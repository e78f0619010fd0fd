// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/outside.h"

#include <utility>

#include "weft/scheduler/core.h"

namespace weft {

outside::outside() : in_(core::present().mail) { enter(); }

void errand::begin(letter& l, core& in) noexcept {
  std::unique_ptr<errand> own(static_cast<errand*>(&l));
  if (in.flagged(closing)) return;
  try {
    in.queue.reserve(in.live + 1);
    spawning s(&in, own->site);
    own->furnish(s);
    s.body().emplace([own = std::move(own)] {
      core& c = core::present();
      if (c.flagged(lives_watched))
        c.tell_spawn(dispatcher::handle(c.current->who));
      own->run();
    });
    s.commit_orphan();
  } catch (const std::bad_alloc&) {
    // When there is room.
    in.mail->put_back(*own.release());
  }
}

}  // namespace weft
