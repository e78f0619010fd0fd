#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The meetings of examples/chameneos, counted.
#
# Usage: chameneos_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
chameneos=$2

# spelled NUMBER
spelled() {
  echo "$1" | sed 's/0/ zero/g; s/1/ one/g; s/2/ two/g; s/3/ three/g
    s/4/ four/g; s/5/ five/g; s/6/ six/g; s/7/ seven/g; s/8/ eight/g
    s/9/ nine/g'
}

# counts_up N: after so many meetings each has met others only, and the sum is
# what two take part in.
counts_up() {
  gives 0 "$chameneos" --meetings "$@"
  sum=$(spelled $((2 * $1)))
  sed -n '11,$p' "$dir/out" | awk -v sum="$sum" -v twice=$((2 * $1)) '
    /^[0-9]/ { met += $1; others += ($2 == "zero" && NF == 2); creatures++ }
    $0 == sum && met == twice && others == creatures {
      games = games " " creatures; met = creatures = others = 0 }
    END { exit games != " 3 10" || met }' || wrong "$1 meetings do not add up"
}
for n in 0 1 2 599 6000 100001; do counts_up "$n"; done

# The history of a seed is always the same, with every compiler.
counts_up 600 --seed 1
printed <<'END_OF_OUTPUT'
blue + blue -> blue
blue + red -> yellow
blue + yellow -> red
red + blue -> yellow
red + red -> red
red + yellow -> blue
yellow + blue -> red
yellow + red -> blue
yellow + yellow -> yellow

 blue red yellow
401 zero
396 zero
403 zero
 one two zero zero

 blue red yellow red yellow blue red yellow red blue
122 zero
125 zero
117 zero
118 zero
127 zero
120 zero
121 zero
118 zero
116 zero
116 zero
 one two zero zero
END_OF_OUTPUT
cp "$dir/out" "$dir/first"
counts_up 600
cmp "$dir/first" "$dir/out" || wrong "one seed gave two histories"
counts_up 600 --seed 2
! cmp -s "$dir/first" "$dir/out" || wrong "two seeds gave one history"

# Nobody stays away, or waits for ever.
counts_up 100000
awk '/^[0-9]/ && ($1 < 15000) { exit 1 }' "$dir/out" || wrong "somebody starved"

explains_itself "$chameneos"
refuses 2 "$chameneos" --meetings -1
refuses 2 "$chameneos" --meetings many
refuses 2 "$chameneos" 600
loses_nothing 1 "$chameneos" --meetings 10
