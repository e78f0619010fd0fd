// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/calculator/steps.h"

#include <cstddef>
#include <utility>

namespace calculator {
namespace {

constexpr int deepest = 1000;
// What that takes, with any compiler.
constexpr std::size_t stack_size = std::size_t{4} << 20;

// By recursive descent. Whichever function knows the next step yields it, and
// the next token is asked for where it is needed.
class parser {
 public:
  parser(weft::generator<const token&>& tokens, const cli::input& in,
         weft::yielder<const step&>& yield)
      : tokens_(tokens), in_(in), yield_(yield) {}

  void all_lines() {
    for (advance(); next_ != nullptr; advance())
      if (next_->kind != token::line_end) line();
  }

 private:
  void line() {
    step result{step::result, next_->at};
    if (next_->kind == token::assignment) {
      result.name = next_->text;
      advance();
    }
    sum();
    if (next_->kind != token::line_end) fail_here("an operator");
    yield_(result);
  }

  void sum() {
    product();
    while (next_->is('+') || next_->is('-')) binary(&parser::product);
  }
  void product() {
    factor();
    while (next_->is('*') || next_->is('/') || next_->is('%'))
      binary(&parser::factor);
  }
  void factor() {
    if (++depth_ > deepest)
      in_.fail(next_->at, "the expression is nested too deeply");
    if (next_->is('-')) {
      const cli::place at = next_->at;
      advance();
      factor();
      yield_(step{.kind = step::operation, .at = at, .sign = '~'});
    } else {
      operand();
      if (next_->is('^')) binary(&parser::factor);
    }
    --depth_;
  }
  void operand() {
    const cli::place at = next_->at;
    if (next_->kind == token::number) {
      yield_(step{.kind = step::number, .at = at, .value = next_->value});
    } else if (next_->kind == token::name) {
      yield_(step{.kind = step::variable, .at = at, .name = next_->text});
    } else if (next_->is('(')) {
      advance();
      sum();
      if (next_->kind == token::line_end) in_.fail(at, "this '(' has no ')'");
      if (!next_->is(')')) fail_here("an operator or ')'");
    } else {
      fail_here("a number, a name or '('");
    }
    advance();
  }

  // The left side is done; this is the operator.
  void binary(void (parser::*right_side)()) {
    const step operation{
        .kind = step::operation, .at = next_->at, .sign = next_->text[0]};
    advance();
    (this->*right_side)();
    yield_(operation);
  }

  // A line's tokens end with line_end, so only the last of those has no next.
  void advance() { next_ = tokens_.next(); }

  [[noreturn]] void fail_here(const std::string& expected) const {
    in_.fail(next_->at, expected + " was expected, and here is " + shown());
  }
  [[nodiscard]] std::string shown() const {
    switch (next_->kind) {
      case token::line_end:
        return "the end of the line";
      case token::assignment:
        return "an assignment";
      default:
        return "'" + next_->text + "'";
    }
  }

  weft::generator<const token&>& tokens_;
  const cli::input& in_;
  weft::yielder<const step&>& yield_;
  const token* next_ = nullptr;
  int depth_ = 0;
};

}  // namespace

weft::generator<const step&> steps(weft::generator<const token&> tokens,
                                   const cli::input& in) {
  return weft::generator<const step&>(
      weft::generator_options{.stack_size = stack_size},
      [tokens = std::move(tokens),
       &in](weft::yielder<const step&>& yield) mutable {
        parser(tokens, in, yield).all_lines();
      });
}

}  // namespace calculator
