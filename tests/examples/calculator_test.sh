#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The results of examples/calculator, and its errors.
#
# Usage: calculator_test.sh SUPPORT PROGRAM LOAN
# shellcheck source=tests/support/program.sh
. "$1"
calculator=$2

gives 0 "$calculator" "$3"
printed <<'END'
sum = 250000
yearly = 0.0365
monthly = 0.00299193801336
months = 300
payment = 1263.70229329
129110.687987
growth = 1.43117606442
213681.383258
-4
512
4
-3
END

# computes RESULT EXPRESSION
computes() {
  printf '%s' "$2" >"$dir/in"
  gives 0 "$calculator" "$dir/in"
  echo "$1" | printed
}
computes 7 '1 + 2 * 3'
computes 9 '(1 + 2) * 3'
computes -9 '-(1 + 2) * 3'
computes 3 '--3'
computes 2 '8 / 2 / 2'
computes 1.5 '7.5 % 2'
computes 0.25 '2 ^ -2'
computes 1500 '.15e4'
computes 'x_1 = 2' 'x_1=2 # a name'
gives 0 "$calculator" - </dev/null
printed </dev/null

# A line is answered before the next one is there.
mkfifo "$dir/lines"
"$calculator" <"$dir/lines" >"$dir/out" 2>"$dir/err" &
pid=$!
exec 8>"$dir/lines"
echo '1 + 1' >&8
await "grep -q '^2$' '$dir/out'"
echo '2 + 2' >&8
exec 8>&-
wait "$pid" || wrong "the calculator was left with $?"
grep -q '^4$' "$dir/out" || wrong "no second answer"

# fails PLACE SENTENCE EXPRESSION: after a line that was right.
fails() {
  printf '1\n%s' "$3" >"$dir/in"
  gives 1 "$calculator" "$dir/in"
  echo 1 | printed
  said "calculator: $dir/in:$1: $2"
}
fails 2:3 "there is a division by zero" '1 / (2 - 2)'
fails 2:3 "there is a division by zero" '1 % 0'
fails 2:3 "'x' has no value yet" '1+x'
fails 3:1 "'x' has no value yet" '# a comment
x'
fails 2:5 "the result is too large, or none" '1e99^99'
fails 2:6 "the result is too large, or none" '(-1) ^ .5'
fails 2:1 "1e999 is too large or too small" '1e999'
fails 2:1 "1.2.3 is not a number" '1.2.3'
fails 2:2 "1e+ is not a number" ' 1e+'
fails 2:3 "'\$' has no meaning here" '1 $'
fails 2:3 "byte 195 has no meaning here" "$(printf '1 \303')"
fails 2:1 "this '(' has no ')'" '(1 + (2)'
fails 2:2 "an operator was expected, and here is ')'" '1)'
fails 2:4 "an operator or ')' was expected, and here is '2'" '(1 2'
fails 2:4 "a number, a name or '(' was expected, and here is the end of the line" \
  '1 *'
fails 2:5 "a number, a name or '(' was expected, and here is an assignment" \
  '1 + x = 2'
fails 2:1001 "the expression is nested too deeply" \
  "$(printf '%1001s1' '' | tr ' ' -)"

refuses 1 "$calculator" "$dir/nothing"
said "calculator: $dir/nothing: No such file or directory"
refuses 1 "$calculator" "$dir"
said "calculator: $dir: Is a directory"
refuses 1 "$calculator" <&-
refuses 2 "$calculator" a b
explains_itself "$calculator"
loses_nothing 1 "$calculator" "$3"
