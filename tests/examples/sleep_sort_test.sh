#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The numbers of examples/sleep_sort, sorted.
#
# Usage: sleep_sort_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
sleep_sort=$2

gives 0 "$sleep_sort" 3 0 2 1 2
printf '%s\n' 0 1 2 2 3 | printed
gives 0 "$sleep_sort" --real 30 0 20 -- 10
printf '%s\n' 0 10 20 30 | printed

# Thirty years of it, at once.
gives 0 "$sleep_sort" 1000000000000 1 999999999999
printf '%s\n' 1 999999999999 1000000000000 | printed

seq 1 2 9999 >"$dir/numbers"
seq 10000 -2 2 >>"$dir/numbers"
# shellcheck disable=SC2046
gives 0 "$sleep_sort" $(cat "$dir/numbers")
seq 1 10000 | printed

# Real time passes: a millisecond a unit, and never less.
begin=$(date +%s%N)
gives 0 "$sleep_sort" --real 200
[ $(($(date +%s%N) - begin)) -ge 200000000 ] || wrong "it did not sleep"

refuses 2 "$sleep_sort"
said "sleep_sort: there are no numbers to sort; try --help"
refuses 2 "$sleep_sort" 1 two 3
said "sleep_sort: 'two' is not a whole number from 0 to 1000000000000; try --help"
refuses 2 "$sleep_sort" 1.5
refuses 2 "$sleep_sort" ''
refuses 2 "$sleep_sort" 1000000000001
refuses 2 "$sleep_sort" 99999999999999999999
refuses 2 "$sleep_sort" -- -1
explains_itself "$sleep_sort"
loses_nothing 1 "$sleep_sort" 2 1
