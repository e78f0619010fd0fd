#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# What examples/token_bucket lets through, and when.
#
# Usage: token_bucket_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
bucket=$2

# lets_through OPTION... REQUEST... <<END: what is printed, without filling.
lets_through() {
  gives 0 "$bucket" "$@"
  sed 's/^ *//; s/  request / #/' "$dir/out" >"$dir/short"
  mv "$dir/short" "$dir/out"
  printed
}

# It is full at first, and what is taken comes back, a token each period.
lets_through --period 100 --burst 5 0:5 0:2 <<'END_OF_OUTPUT'
0 ms #1 takes 5 after 0 ms, 0 left
200 ms #2 takes 2 after 200 ms, 0 left
END_OF_OUTPUT
lets_through --period 7 --burst 1 3:1 3:1 24:1 25:1 <<'END_OF_OUTPUT'
3 ms #1 takes 1 after 0 ms, 0 left
10 ms #2 takes 1 after 7 ms, 0 left
24 ms #3 takes 1 after 0 ms, 0 left
31 ms #4 takes 1 after 6 ms, 0 left
END_OF_OUTPUT

# A part of a period counts, but the bucket never holds more than its burst.
lets_through --period 100 --burst 3 0:3 250:1 260:2 <<'END_OF_OUTPUT'
0 ms #1 takes 3 after 0 ms, 0 left
250 ms #2 takes 1 after 0 ms, 1 left
300 ms #3 takes 2 after 40 ms, 0 left
END_OF_OUTPUT
lets_through --period 100 --burst 3 0:3 10000:2 10000:2 <<'END_OF_OUTPUT'
0 ms #1 takes 3 after 0 ms, 0 left
10000 ms #2 takes 2 after 0 ms, 1 left
10100 ms #3 takes 2 after 100 ms, 0 left
END_OF_OUTPUT

# Who wants many is not overtaken by those who want few.
lets_through --burst 4 0:4 0:4 1:1 2:1 <<'END_OF_OUTPUT'
0 ms #1 takes 4 after 0 ms, 0 left
400 ms #2 takes 4 after 400 ms, 0 left
500 ms #3 takes 1 after 499 ms, 0 left
600 ms #4 takes 1 after 598 ms, 0 left
END_OF_OUTPUT

# Who gives up takes nothing, in front of the line and behind it.
lets_through --burst 4 0:4 0:4:250 0:4:50 10:1 <<'END_OF_OUTPUT'
0 ms #1 takes 4 after 0 ms, 0 left
50 ms #3 gives up after 50 ms
250 ms #2 gives up after 250 ms
250 ms #4 takes 1 after 240 ms, 1 left
END_OF_OUTPUT

# Far from the beginning nothing is rounded.
lets_through --period 1000000 --burst 1000000 1:1000000 1000000000:1000 \
  <<'END_OF_OUTPUT'
1 ms #1 takes 1000000 after 0 ms, 0 left
1000000001 ms #2 takes 1000 after 1 ms, 0 left
END_OF_OUTPUT

gives 0 "$bucket"
[ "$(wc -l <"$dir/out")" -eq 6 ] || wrong "not six requests"

for request in '' 1 1: :1 1:0 -1:1 1:1: 1:1:0 1:1:1:1 1:1x a:1 \
  1:1:9999999999; do
  refuses 2 "$bucket" 0:1 "$request"
done
said "token_bucket: '1:1:9999999999' is no request as AT:TOKENS[:PATIENCE]; \
try --help"
refuses 2 "$bucket" --burst 3 0:4
said "token_bucket: there are never as many tokens as '0:4' wants; try --burst"
refuses 2 "$bucket" --burst 0
refuses 2 "$bucket" --period 0
explains_itself "$bucket"
loses_nothing 1 "$bucket"
