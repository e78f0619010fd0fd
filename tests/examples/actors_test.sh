#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The robots of examples/actors, as their users see them.
#
# Usage: actors_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
actors=$2
esc=$(printf '\033')

value_of() { sed -n "s/^$1  *//p" "$dir/out"; }

no_temporaries() {
  for file in "$dir"/*.tmp; do
    [ ! -e "$file" ] || wrong "$file was left behind"
  done
}

# The history of a seed is always the same, with every compiler and on any number
# of threads.
for threads in 1 2 4; do
  gives 0 "$actors" --robots 50 --ticks 60 --seed 7 --size 40x20 --threads $threads
  printed <<'END'
ticks       60
population  49
collisions  32
spawned     72
removed     23
messages    6202
digest      6e213ae0d7571ec7
END
done

gives 0 "$actors" --robots=300 --ticks=300
cp "$dir/out" "$dir/first"
gives 0 "$actors" --robots 300 --ticks 300
cmp "$dir/first" "$dir/out" || wrong "one seed gave two histories"
for threads in 2 4; do
  gives 0 "$actors" --robots 300 --ticks 300 --threads $threads
  cmp "$dir/first" "$dir/out" || wrong "$threads threads gave another history"
done
grep -q 'ticks/s, .* messages/s' "$dir/err" || wrong "no rates on stderr"

# The population stays, and every robot is accounted for.
population=$(value_of population)
if [ "$population" -lt 250 ] || [ "$population" -gt 300 ]; then
  wrong "the population went from 300 to $population"
fi
[ "$(($(value_of spawned) - $(value_of removed)))" -eq "$population" ] ||
  wrong "robots got lost"
[ "$(value_of collisions)" -gt 0 ] || wrong "nobody met"

digest=$(value_of digest)
gives 0 "$actors" --robots 300 --ticks 300 --seed 2
[ "$(value_of digest)" != "$digest" ] || wrong "two seeds gave one history"

gives 0 "$actors" --robots 1 --ticks 1
gives 0 "$actors" --robots 1 --ticks 1 --threads 64

explains_itself "$actors"
refuses 2 "$actors" --robots 0
refuses 2 "$actors" --robots 1000001
refuses 2 "$actors" --robots many
refuses 2 "$actors" --robots
refuses 2 "$actors" --ticks 0
refuses 2 "$actors" --ticks 99999999999999999999
refuses 2 "$actors" --seed -1
refuses 2 "$actors" --threads 0
refuses 2 "$actors" --threads 65
refuses 2 "$actors" --threads two
refuses 2 "$actors" --threads
refuses 2 "$actors" --size 40
refuses 2 "$actors" --size 40x
refuses 2 "$actors" --size 40x9
refuses 2 "$actors" --size 40x100001
refuses 2 "$actors" --size 40x20x10
refuses 2 "$actors" --size x20
refuses 2 "$actors" --watch=yes
refuses 2 "$actors" robots
refuses 2 "$actors" --watch

# The picture.
gives 0 "$actors" --robots 100 --ticks 50 --svg "$dir/paths.svg"
if command -v xmllint >/dev/null; then
  xmllint --noout "$dir/paths.svg" || wrong "the SVG file is not well-formed"
fi
head -n 1 "$dir/paths.svg" | grep -q '^<svg ' || wrong "no SVG file"
tail -n 1 "$dir/paths.svg" | grep -q '^</svg>$' || wrong "half an SVG file"
[ "$(grep -c '<path ' "$dir/paths.svg")" -ge 100 ] || wrong "paths are missing"
refuses 1 "$actors" --svg "$dir/nowhere/paths.svg"
refuses 1 "$actors" --svg "$dir"
refuses 1 "$actors" --svg /dev/null
no_temporaries

loses_nothing 1 "$actors" --robots 10 --ticks 5

# Ctrl-C. The temporary file is made when Ctrl-C is being caught already.
for threads in 1 3; do
  rm -f "$dir/cut.svg"
  "$actors" --robots 100 --ticks 1000000000 --threads $threads \
    --svg "$dir/cut.svg" >"$dir/out" 2>"$dir/err" &
  pid=$!
  await "[ -n \"\$(find '$dir' -name 'cut.svg.*.tmp')\" ]"
  kill -INT "$pid"
  code=0
  wait "$pid" || code=$?
  [ "$code" -eq 130 ] || wrong "Ctrl-C gave $code"
  [ -n "$(value_of digest)" ] || wrong "Ctrl-C: the report is missing"
  [ -s "$dir/cut.svg" ] || wrong "Ctrl-C: the picture is missing"
  no_temporaries
done

# In a terminal, whose Ctrl-C is a key.
if ! script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
  echo "no script(1) or no terminals: --watch is not tested"
  exit 0
fi
code=0
script -qec "'$actors' --robots 50 --ticks 3 --watch" /dev/null \
  >"$dir/out" </dev/null || code=$?
[ "$code" -eq 0 ] || wrong "--watch gave $code"
grep -q "tick 3, 50 robots" "$dir/out" || wrong "--watch: no third tick"
grep -q "$esc\[?25h" "$dir/out" || wrong "--watch: the cursor stays hidden"

code=0
: >"$dir/out"
{
  await "grep -q 'tick 2,' '$dir/out'"
  printf '\003'
} | script -qec "'$actors' --robots 50 --ticks 1000 --watch" /dev/null \
  >"$dir/out" || code=$?
[ "$code" -eq 130 ] || wrong "--watch: Ctrl-C gave $code"
grep -q "$esc\[?25h" "$dir/out" || wrong "--watch: Ctrl-C hides the cursor"
grep -q '^digest' "$dir/out" || wrong "--watch: Ctrl-C: the report is missing"
