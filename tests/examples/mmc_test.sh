#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The queue of examples/mmc beside theory.
#
# Usage: mmc_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
mmc=$2

# The history of a seed is always the same.
gives 0 "$mmc" --customers 100000
printed <<'END'
servers         3
load            75.0 %
customers       100000
have to wait    56.28 %, in theory 56.78 %
mean wait       65.902 s, in theory 68.131 s
error           -3.27 %
standard error  3.26 %
END

# Queues of one server and of many, idle ones and busy ones; of one server the
# mean wait is load / (rate - arrivals).
gives 0 "$mmc"
gives 0 "$mmc" --arrivals 20 --servers 1 --customers 100000
grep -q ', in theory 90.000 s$' "$dir/out" || wrong "not the theory of M/M/1"
gives 0 "$mmc" --arrivals 36 --servers 1 --customers 100000 --within 20
grep -q ', in theory 810.000 s$' "$dir/out" || wrong "not the theory of M/M/1"
gives 0 "$mmc" --arrivals 320 --servers 10 --customers 100000 --within 10
gives 0 "$mmc" --arrivals 80000 --rate 1000 --servers 100 --within 10
for seed in 2 3; do
  gives 0 "$mmc" --arrivals 50 --rate 35 --servers 2 --customers 100000 \
    --within 10 --seed "$seed"
done

# A short history of a busy queue says little, and that is told.
gives 1 "$mmc" --arrivals 39 --servers 1 --customers 1000 --within 1
said "mmc: the mean wait is not within 1 % of theory"

refuses 2 "$mmc" --arrivals 120
said "mmc: more customers come than can be served: the queue would grow for ever"
refuses 2 "$mmc" --servers 0
refuses 2 "$mmc" --arrivals 9
refuses 2 "$mmc" --rate 100001
refuses 2 "$mmc" --customers 999
refuses 2 "$mmc" --within 0
refuses 2 "$mmc" --seed -1
refuses 2 "$mmc" 3
explains_itself "$mmc"
loses_nothing 1 "$mmc" --customers 100000
