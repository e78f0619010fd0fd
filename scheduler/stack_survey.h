// SPDX-License-Identifier: BSL-1.0
// Private: measures how deep stacks are used.
//
// A stack is painted before its tasklet starts; what still shows the paint at
// the end was not used.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "weft/scheduler/stack_use.h"
#include "weft/tasklet/control_block.h"
#include "weft/tasklet/spawn_site.h"

namespace weft {

class stack_survey {
 public:
  static void paint(stack s) noexcept;

  // Takes down how deep the tasklet, which has started, has gone so far.
  // Throws std::bad_alloc.
  void note(const descriptor& d);

  // As note(); without memory for it, the report has one tasklet less.
  void note_if_possible(const descriptor& d) noexcept;

  // The deepest first. Throws std::bad_alloc.
  [[nodiscard]] std::vector<stack_use> uses() const;

 private:
  struct origin {
    const void* address;
    const char* file;
    std::uint32_t line;
    std::uint32_t stack_class;

    friend auto operator<=>(const origin&, const origin&) = default;
  };
  struct figures {
    spawn_site site;
    std::size_t tasklets = 0;
    std::size_t deepest = 0;
  };

  std::map<origin, figures> figures_;
};

}  // namespace weft
