// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/calculator/tokens.h"

#include <charconv>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace calculator {
namespace {

// Not those of the locale.
bool is_digit(int c) { return c >= '0' && c <= '9'; }
bool begins_name(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\r'; }

char take(cli::input& in) { return static_cast<char>(in.get()); }

token number(cli::input& in) {
  token t{token::number, in.where(), {}};
  while (is_digit(in.peek()) || in.peek() == '.') t.text += take(in);
  if (in.peek() == 'e' || in.peek() == 'E') {
    t.text += take(in);
    if (in.peek() == '+' || in.peek() == '-') t.text += take(in);
    while (is_digit(in.peek())) t.text += take(in);
  }
  const char* const end = t.text.data() + t.text.size();
  const auto [stop, error] = std::from_chars(t.text.data(), end, t.value);
  if (error == std::errc::result_out_of_range)
    in.fail(t.at, t.text + " is too large or too small");
  if (error != std::errc() || stop != end)
    in.fail(t.at, t.text + " is not a number");
  return t;
}

token name(cli::input& in) {
  token t{token::name, in.where(), {}};
  while (begins_name(in.peek()) || is_digit(in.peek())) t.text += take(in);
  while (is_blank(in.peek())) in.get();
  if (in.peek() == '=') {
    in.get();
    t.kind = token::assignment;
  }
  return t;
}

}  // namespace

weft::generator<const token&> tokens(cli::input& in) {
  return weft::generator<const token&>([&in](
                                           weft::yielder<const token&>& yield) {
    constexpr std::string_view signs = "+-*/%^()";
    for (;;) {
      const cli::place at = in.where();
      const int c = in.peek();
      if (c == EOF) break;
      if (is_blank(c)) {
        in.get();
      } else if (c == '#') {
        while (in.peek() != '\n' && in.peek() != EOF) in.get();
      } else if (c == '\n') {
        in.get();
        yield(token{token::line_end, at, {}});
      } else if (is_digit(c) || c == '.') {
        yield(number(in));
      } else if (begins_name(c)) {
        yield(name(in));
      } else if (signs.find(static_cast<char>(c)) != std::string_view::npos) {
        yield(token{token::sign, at, std::string(1, take(in))});
      } else {
        in.fail(at, cli::quoted(c) + " has no meaning here");
      }
    }
    yield(token{token::line_end, in.where(), {}});
  });
}

}  // namespace calculator
