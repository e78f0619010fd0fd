#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The dinners of examples/philosophers, and the report of the one that stops.
#
# Usage: philosophers_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
philosophers=$2

gives 0 "$philosophers"
printed <<'END'
meals         500
at a time     2 at most
took          16258 s
END

for way in order lock waiter; do
  for number in 2 3 50; do
    gives 0 "$philosophers" --philosophers "$number" --meals 40 --by "$way"
    grep -q "^meals  *$((number * 40))$" "$dir/out" ||
      wrong "not all have eaten"
    most=$(sed -n 's/^at a time  *\([0-9]*\) at most$/\1/p' "$dir/out")
    if [ "$most" -lt 1 ] || [ "$most" -gt $((number / 2)) ]; then
      wrong "$most of $number eat at a time"
    fi
  done
done
gives 0 "$philosophers" --philosophers 1000 --meals 5 --by waiter
grep -q '^meals  *5000$' "$dir/out" || wrong "not all have eaten"

# Everybody has a left fork and waits for the right one. (But for the lines of
# the source.)
gives 1 "$philosophers" --philosophers 3 --deadlock
sed -E -i.whole 's,[a-z/.]*philosophers\.cc:[0-9]+,HERE,g' "$dir/out"
printed <<'END'
Deadlock: tasklet 4 'philosopher 3' (spawned at HERE) waits in lock on mutex 'fork 1' at HERE, and nothing is runnable and nothing can wake anyone. All who wait, the oldest first:
main waits in join of a scope at HERE
tasklet 2 'philosopher 1' (spawned at HERE) waits in lock on mutex 'fork 2' at HERE
tasklet 3 'philosopher 2' (spawned at HERE) waits in lock on mutex 'fork 3' at HERE
tasklet 4 'philosopher 3' (spawned at HERE) waits in lock on mutex 'fork 1' at HERE
a cycle: tasklet 2 'philosopher 1' waits for mutex 'fork 2' of tasklet 3 'philosopher 2' waits for mutex 'fork 3' of tasklet 4 'philosopher 3' waits for mutex 'fork 1' of tasklet 2 'philosopher 1'
meals         0
at a time     0 at most
took          120 s
END
gives 1 "$philosophers" --philosophers 1000 --deadlock
grep -q "^and 901 more$" "$dir/out" || wrong "not a hundred of them"
grep -q "^a cycle: tasklet 2 'philosopher 1' waits for mutex 'fork 2' of" \
  "$dir/out" || wrong "the cycle is not told"

refuses 2 "$philosophers" --by luck
said "philosophers: --by takes order, lock or waiter, not 'luck'; try --help"
refuses 2 "$philosophers" --deadlock --by order
refuses 2 "$philosophers" --philosophers 1
refuses 2 "$philosophers" --philosophers 1001
refuses 2 "$philosophers" --meals 0
refuses 2 "$philosophers" --seed x
refuses 2 "$philosophers" Kant
explains_itself "$philosophers"
loses_nothing 1 "$philosophers" --meals 1
