// SPDX-License-Identifier: BSL-1.0
// The first stage: characters become tokens.
#pragma once

#include <string>

#include "weft/examples/input.h"
#include "weft/weft.h"

namespace calculator {

struct token {
  enum kinds : unsigned char {
    number,
    name,
    assignment,  // a name and the = after it
    sign,        // one of + - * / % ^ ( )
    line_end,    // also before the end of the input
  };
  kinds kind;
  cli::place at;
  std::string text;  // a sign's or a name's
  double value = 0;  // a number's

  [[nodiscard]] bool is(char c) const { return kind == sign && text[0] == c; }
};

// Reads no further than to the end of the token, so that who types a line sees
// its result. `in` outlives it.
[[nodiscard]] weft::generator<const token&> tokens(cli::input& in);

}  // namespace calculator
