// SPDX-License-Identifier: BSL-1.0
// The second stage: tokens become steps of a calculation on a stack of numbers,
// 1 + 2 * 3 for example: number 1, number 2, number 3, operation *, operation +.
//
//   line:    [NAME =] sum
//   sum:     product {(+ | -) product}
//   product: factor {(* | / | %) factor}
//   factor:  - factor | operand [^ factor]
//   operand: NUMBER | NAME | ( sum )
#pragma once

#include <string>

#include "weft/examples/calculator/tokens.h"
#include "weft/examples/input.h"
#include "weft/weft.h"

namespace calculator {

struct step {
  enum kinds : unsigned char {
    number,     // push it
    variable,   // push its value
    operation,  // of the two topmost numbers, but ~ negates one
    result,     // pop it; it is the line's
  };
  kinds kind;
  cli::place at;
  double value = 0;    // a number's
  char sign = 0;       // an operation's
  std::string name{};  // a variable's; the one assigned to by a result, if any
};

// `in` is where the tokens come from, for errors; it outlives this.
[[nodiscard]] weft::generator<const step&> steps(
    weft::generator<const token&> tokens, const cli::input& in);

}  // namespace calculator
