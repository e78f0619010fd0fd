// SPDX-License-Identifier: BSL-1.0
#include "weft/examples/calculator/results.h"

#include <cmath>
#include <unordered_map>
#include <utility>
#include <vector>

namespace calculator {
namespace {

class calculation {
 public:
  explicit calculation(const cli::input& in) : in_(in) {}

  void take(const step& s) {
    switch (s.kind) {
      case step::number:
        numbers_.push_back(s.value);
        break;
      case step::variable:
        numbers_.push_back(value_of(s));
        break;
      case step::operation:
        operate(s);
        break;
      case step::result:
        if (!s.name.empty()) variables_[s.name] = numbers_.back();
        break;
    }
  }
  double pop() {
    const double top = numbers_.back();
    numbers_.pop_back();
    return top;
  }

 private:
  double value_of(const step& s) const {
    const auto found = variables_.find(s.name);
    if (found == variables_.end())
      in_.fail(s.at, "'" + s.name + "' has no value yet");
    return found->second;
  }
  void operate(const step& s) {
    const double right = pop();
    const double value =
        s.sign == '~' ? -right : operate(s.sign, pop(), right, s);
    if (!std::isfinite(value))
      in_.fail(s.at, "the result is too large, or none");
    numbers_.push_back(value);
  }
  double operate(char sign, double left, double right, const step& s) const {
    if ((sign == '/' || sign == '%') && right == 0)
      in_.fail(s.at, "there is a division by zero");
    switch (sign) {
      case '+':
        return left + right;
      case '-':
        return left - right;
      case '*':
        return left * right;
      case '/':
        return left / right;
      case '%':
        return std::fmod(left, right);
      default:
        return std::pow(left, right);
    }
  }

  const cli::input& in_;
  std::vector<double> numbers_;
  std::unordered_map<std::string, double> variables_;
};

}  // namespace

weft::generator<const result&> results(weft::generator<const step&> steps,
                                       const cli::input& in) {
  return weft::generator<const result&>(
      [steps = std::move(steps),
       &in](weft::yielder<const result&>& yield) mutable {
        calculation c(in);
        for (const step& s : steps) {
          c.take(s);
          if (s.kind == step::result) yield(result{s.name, c.pop()});
        }
      });
}

}  // namespace calculator
