#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# What examples/crawler finds, and how politely.
#
# Usage: crawler_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
crawler=$2

# number LINE N: the N-th number of that line.
number() {
  sed -n "/^$1 /{s/[^0-9 ]//g;p;}" "$dir/out" | awk -v n="$2" '{ print $n }'
}
# says LINE N VALUE
says() {
  [ "$(number "$1" "$2")" -eq "$3" ] ||
    wrong "$1: $(number "$1" "$2") where $3 is right"
}
# crawls OPTION...: and no limit is exceeded, no page lost, none fetched twice.
crawls() {
  gives 0 "$crawler" "$@"
  [ "$(number 'at once' 1)" -le "$(number 'at once' 2)" ] || wrong "a crowd"
  [ "$(number 'a second' 1)" -le "$(number 'a second' 2)" ] || wrong "a rush"
  says requests 1 "$(number pages 1)"
  says links 2 $(($(number pages 1) + $(number pages 2) - 1))
  failed=$(($(number requests 2) + $(number requests 3)))
  says retries 1 $((failed - $(number pages 2)))
}

# The history of a seed is always the same, with every compiler.
crawls
printed <<'END_OF_OUTPUT'
pages       435 fetched, 61 given up, 4 not found
links       1935, 495 of them new
requests    435 answered, 189 failed, 105 timed out
retries     233
at once     8 of 8
a second    5 of 5 to a host
duration    58742 ms
END_OF_OUTPUT
crawls --seed 2
! cmp -s "$dir/golden" "$dir/out" || wrong "two seeds gave one history"

for fetches in 1 3 100; do
  for rate in 1 7 1000; do
    crawls --pages 150 --fetches $fetches --rate $rate
    says pages 1 "${found=$(number pages 1)}"
  done
done

# Each limit is what holds it up, where the other does not.
crawls --fetches 5 --rate 100000
says 'at once' 1 5
crawls --fetches 100000 --rate 5
says 'a second' 1 5
crawls --fetches 100000 --rate 100000
[ "$(number 'at once' 1)" -gt 20 ] || wrong "one after the other"
crawls --hosts 1 --rate 2 --retries 0 --timeout 100
[ "$(number duration 1)" -ge $(((failed + $(number pages 1) - 1) * 500)) ] ||
  wrong "too early"

# Without retries more is given up; with time, what is slow is awaited.
crawls --retries 0
says retries 1 0
[ "$(number pages 2)" -gt 61 ] || wrong "retries are of no use"
crawls --timeout 1000000
says requests 3 0
[ "$(number pages 1)" -gt 435 ] || wrong "time is of no use"
crawls --timeout 1
says pages 1 0
says pages 2 1

crawls --pages 1 --hosts 1000
says pages 1 1
crawls --pages 5000 --fetches 50 --rate 50
[ "$(number pages 1)" -gt 3750 ] || wrong "most were not found"

# On the real clock it finds the same.
web='--pages 8 --seed 5 --retries 1 --timeout 10000 --rate 100'
# shellcheck disable=SC2086
crawls $web
says requests 3 0
grep '^[plr]' "$dir/out" >"$dir/virtual"
# shellcheck disable=SC2086
gives 0 "$crawler" --real $web
grep '^[plr]' "$dir/out" | cmp - "$dir/virtual" || wrong "it is another web"

explains_itself "$crawler"
refuses 2 "$crawler" --pages 0
refuses 2 "$crawler" --hosts many
refuses 2 "$crawler" --fetches 0
refuses 2 "$crawler" --rate 0
refuses 2 "$crawler" --timeout 0
refuses 2 "$crawler" --retries 11
refuses 2 "$crawler" --seed -1
refuses 2 "$crawler" http://localhost
loses_nothing 1 "$crawler" --pages 3
