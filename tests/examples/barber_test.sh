#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The shop of examples/barber, in which no customer is lost.
#
# Usage: barber_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
barber=$2

# number LINE N: the N-th number of that line.
number() {
  sed -n "/^$1 /{s/[^0-9. ]//g;p;}" "$dir/out" | awk -v n="$2" '{ print $n }'
}
# says LINE N VALUE
says() {
  [ "$(number "$1" "$2")" = "$3" ] ||
    wrong "$1: $(number "$1" "$2") where $3 is right"
}
# serves OPTION...: and everybody is served or turned away.
serves() {
  gives 0 "$barber" "$@"
  says customers 1 $(($(number customers 2) + $(number customers 3)))
  says barber 1 "$(number customers 2)"
  [ "$(number seats 1)" -le "$(number seats 2)" ] || wrong "too many seats"
}

# The history of a seed is always the same, with every compiler.
serves
printed <<'END_OF_OUTPUT'
customers   1000 arrived, 943 served, 57 turned away
full        57 times
seats       4 of 4 taken at most
waiting     16.7 minutes on average, 56.7 at most
barber      943 haircuts, 155 naps, asleep for 898.0 minutes
closed      after 10093.9 minutes
END_OF_OUTPUT
serves --seed 2
! cmp -s "$dir/golden" "$dir/out" || wrong "two seeds gave one history"

for seats in 0 1 10; do
  for again in 0 5; do
    for cut in 60 1800; do
      serves --customers 200 --seats $seats --again $again --cut $cut
      says customers 1 200
    done
  done
done

# Nobody comes: the barber never wakes up.
serves --customers 0
says barber 1 0
says barber 2 0
says closed 1 0.0

# Without a seat, only who finds the barber asleep is served, and waits for
# nothing.
serves --seats 0
says seats 1 0
says waiting 2 0.0
[ "$(number barber 2)" -eq "$(number customers 2)" ] || wrong "no nap between"
[ "$(number customers 3)" -gt 100 ] || wrong "there was always a seat"

# With a seat for everybody nobody is turned away; they all sit there when the
# barber is slow, and he sleeps only until the first comes.
serves --customers 100 --seats 100 --gap 1 --cut 1000000
says customers 3 0
says full 1 0
says seats 1 99
says barber 2 1

# Who comes again is served in the end.
serves --again 100
says customers 3 0
[ "$(number full 1)" -gt 57 ] || wrong "nobody came again"
says customers 3 0

serves --customers 10000

explains_itself "$barber"
refuses 2 "$barber" --customers -1
refuses 2 "$barber" --seats few
refuses 2 "$barber" --gap 0
refuses 2 "$barber" --cut 0
refuses 2 "$barber" --again 101
refuses 2 "$barber" shave
loses_nothing 1 "$barber" --customers 10
