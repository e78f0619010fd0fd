#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The permutations of examples/permutations, in their order.
#
# Usage: permutations_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
permutations=$2

gives 0 "$permutations" 0123
[ "$(wc -l <"$dir/out")" -eq 24 ] || wrong "four letters, but not 24 lines"
sort -u "$dir/out" | printed
[ "$(sed -n 1p "$dir/out")" = 0123 ] || wrong "not the first"
[ "$(sed -n 24p "$dir/out")" = 3210 ] || wrong "not the last"

# Side by side, as long as both have more.
gives 0 "$permutations" 0123 012
printed <<'END'
0123 012
0132 021
0213 102
0231 120
0312 201
0321 210
END
cut -d ' ' -f 2 "$dir/out" >"$dir/right"
gives 0 "$permutations" 012
printed <"$dir/right"

gives 0 "$permutations" aa
printf 'aa\naa\n' | printed
gives 0 "$permutations" -- -
echo - | printed

# Only those that are asked for are made.
letters=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,
gives 0 "$permutations" --first 2 "$letters"
printf '%s\n%s\n' "$letters" "${letters%.,},." | printed
gives 0 "$permutations" --first 3 "$letters" xy
printf '%s\n%s\n' "$letters xy" "${letters%.,},. yx" | printed
gives 0 "$permutations" --first 0 abc
printed </dev/null

refuses 2 "$permutations"
said "permutations: there are permutations of one word or two, not 0; try --help"
refuses 2 "$permutations" a b c
refuses 2 "$permutations" ''
refuses 2 "$permutations" "$letters-"
refuses 2 "$permutations" "$(printf 'a\303\261o')"
refuses 2 "$permutations" --first -1 a
explains_itself "$permutations"
loses_nothing 1 "$permutations" abc
loses_nothing 1 "$permutations" abc 123
# Endless but for that.
loses_nothing 1 "$permutations" "$letters"
