#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The money of examples/bank, counted.
#
# Usage: bank_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
bank=$2

number() { sed -n "s/^$1  *\([0-9]*\).*/\1/p" "$dir/out"; }

# The history of a seed is always the same.
gives 0 "$bank"
printed <<'END'
done       1567 transfers
refused    2050 by an account
given up   1 by a client
too late   460
killed     20 clients
expired    756 reservations
money      10000 of 10000
took       1236 ms
END

# Whatever the crowd and whoever is killed, nothing is lost. What can come of a
# transfer comes of some.
for seed in 1 2 3 4 5; do
  gives 0 "$bank" --clients 200 --kills 150 --seed "$seed"
  grep -q '^money  *10000 of 10000$' "$dir/out" || wrong "money was lost"
  for what in 'done' refused 'given up' 'too late' killed expired; do
    [ "$(number "$what")" -gt 0 ] || wrong "none: $what"
  done
done

# Of those that are not killed every transfer is accounted for.
gives 0 "$bank" --kills 0
[ $(($(number 'done') + $(number refused) + $(number 'given up') + \
  $(number 'too late'))) -eq 5000 ] || wrong "there are not 5000 transfers"

gives 0 "$bank" --accounts 2
gives 0 "$bank" --clients 1 --kills 0
[ "$(number 'given up')" -eq 0 ] || wrong "one client does not wait for others"
gives 0 "$bank" --clients 3 --kills 1000

refuses 2 "$bank" --accounts 1
refuses 2 "$bank" --accounts 10001
refuses 2 "$bank" --clients none
said "bank: --clients takes a whole number from 1 to 10000, not 'none'; try --help"
refuses 2 "$bank" --transfers 0
refuses 2 "$bank" --kills -1
refuses 2 "$bank" --seed
refuses 2 "$bank" money
explains_itself "$bank"
loses_nothing 1 "$bank" --clients 5
