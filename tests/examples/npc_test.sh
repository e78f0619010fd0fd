#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The characters of examples/npc, as their users see them.
#
# Usage: npc_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
npc=$2

# The first number after the words of $1.
number() { sed -n "s/^$1[^0-9]*\([0-9]*\).*/\1/p" "$dir/out"; }

everybody_is_gone() {
  grep -q '^left behind  *0 characters, 0 claims$' "$dir/out" ||
    wrong "somebody was left behind, or a claim"
}

# The history of a seed is always the same, with every compiler.
gives 0 "$npc" --fast --budget 0 --npcs 200 --frames 300 --seed 7
printed <<'END'
frames          300
characters      222 born, 222 had a turn
behaviours      879 patrols, 11 chases, 138 flights
conversations   193 sides begun, 51 talks finished, 31 warnings
killed          11 eaten, 11 despawned
turns a frame   median 16, most 200
left over       in 0 frames, at most 0
fairness        latest turn 0 frames late, 0 second steps in a frame
left behind     0 characters, 0 claims
digest          2586d2903463e5b2
END
grep -q '^run_for .* median .* worst' "$dir/err" || wrong "no times on stderr"

gives 0 "$npc" --fast --budget=0 --npcs=1000
cp "$dir/out" "$dir/first"
gives 0 "$npc" --fast --budget=0 --npcs=1000
cmp "$dir/first" "$dir/out" || wrong "one seed gave two histories"
everybody_is_gone
for what in conversations killed behaviours 'turns a frame'; do
  [ "$(number "$what")" -gt 0 ] || wrong "no $what"
done
digest=$(grep '^digest' "$dir/out")
gives 0 "$npc" --fast --budget=0 --npcs=1000 --seed 2
[ "$(grep '^digest' "$dir/out")" != "$digest" ] || wrong "two seeds gave one history"

gives 0 "$npc" --npcs 1 --frames 1

# A nanosecond a frame is a turn a frame: all the others are left over, and
# everybody gets a turn before anybody gets the next.
gives 0 "$npc" --fast --budget 0.000001 --npcs 100 --frames 2000
[ "$(number 'left over')" -gt 1000 ] || wrong "nothing was left over"
[ "$(number characters)" -ge 100 ] || wrong "some were not born"
awake=$(sed -n 's/^characters .* \([0-9]*\) had a turn$/\1/p' "$dir/out")
[ "$awake" -ge 100 ] || wrong "only $awake of 100 had a turn"
[ "$(number fairness)" -le 200 ] || wrong "somebody starved"
grep -q '^fairness .* 0 second steps in a frame$' "$dir/out" ||
  wrong "somebody had two turns in a frame"
everybody_is_gone

explains_itself "$npc"
refuses 2 "$npc" --npcs 0
refuses 2 "$npc" --npcs 200001
refuses 2 "$npc" --npcs many
refuses 2 "$npc" --npcs
refuses 2 "$npc" --frames 0
refuses 2 "$npc" --frames 99999999999999999999
refuses 2 "$npc" --budget -1
refuses 2 "$npc" --budget 1001
refuses 2 "$npc" --budget nan
refuses 2 "$npc" --budget 4ms
refuses 2 "$npc" --budget ''
refuses 2 "$npc" --seed -1
refuses 2 "$npc" --fast=yes
refuses 2 "$npc" npcs
refuses 2 "$npc" --watch

loses_nothing 1 "$npc" --fast --npcs 10 --frames 5

# Ctrl-C, as soon as the program catches it. So does the shell that becomes the
# program.
catches_interrupt() {
  [ "$(readlink "/proc/$1/exe")" != "$(readlink "/proc/$$/exe")" ] || return 1
  case $(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$1/status") in
    *[2367abef]) return 0 ;;
    *) return 1 ;;
  esac
}
if [ -r /proc/self/status ]; then
  "$npc" --npcs 100 --frames 6000 >"$dir/out" 2>"$dir/err" &
  pid=$!
  await "catches_interrupt $pid"
  kill -INT "$pid"
  code=0
  wait "$pid" || code=$?
  [ "$code" -eq 130 ] || wrong "Ctrl-C gave $code"
  grep -q '^digest' "$dir/out" || wrong "Ctrl-C: the report is missing"
  everybody_is_gone
fi

# In a terminal, whose Ctrl-C is a key.
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
  code=0
  : >"$dir/out"
  {
    await "grep -q 'frame 2:' '$dir/out'"
    printf '\003'
  } | script -qec "'$npc' --npcs 50 --frames 6000 --watch" /dev/null \
    >"$dir/out" || code=$?
  [ "$code" -eq 130 ] || wrong "--watch: Ctrl-C gave $code"
  grep -q '^digest' "$dir/out" || wrong "--watch: Ctrl-C: the report is missing"
else
  echo "no script(1) or no terminals: --watch is not tested"
fi
