#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Every benchmark runs and checks its result, and compare sums up what programs
# print. How fast anything is is not looked at.
#
# Usage: bench_test.sh SUPPORT WEFT BASELINE COMPARE COROUTINE2 CPP20
# shellcheck source=tests/support/program.sh
. "$1"
weft=$2
baseline=$3
compare=$4
coroutine2=$5
cpp20=$6
tab=$(printf '\t')

says() { grep -q -- "$1" "$dir/err" || wrong "no '$1'"; }
prints() { grep -q -- "$1" "$dir/out" || wrong "no '$1' on stdout"; }

# Every case of every program, in the order asked for.
for program in "$weft" "$baseline" "$coroutine2" "$cpp20"; do
  gives 0 "$program" --list
  while IFS=$tab read -r name about; do
    [ -n "$about" ] || wrong "$name is not described"
    echo "$name"
  done <"$dir/out" >"$dir/names"
  [ -s "$dir/names" ] || wrong "$program has no cases"
  # shellcheck disable=SC2046
  gives 0 "$program" --smoke $(cat "$dir/names")
  cut -f 1 "$dir/out" | cmp - "$dir/names" || wrong "other cases ran"
  grep -vE "^[^${tab}]+${tab}(ns|us|ms|B)${tab}[0-9.e+-]+\$" "$dir/out" &&
    wrong "not a result"
  # Boost's coroutines do not tell AddressSanitizer of their switches.
  [ ! -s "$dir/err" ] || [ "$program" = "$coroutine2" ] ||
    wrong "not a silent run"

  gives 0 "$program" --help
  refuses 2 "$program"
  refuses 2 "$program" yield
  refuses 2 "$program" --fast
  refuses 2 "$program" --list=yes
done

# Programs whose figures are known: the n-th run gives the n-th of "$@".
fake() {
  file=$dir/$1
  shift
  cat >"$file" <<END
#!/bin/sh
if [ "\$1" = --list ]; then
  printf 'yield/2\tsome\nyield/1000\tmany\nskynet_1m/buffered/warm\tlots\n'
  exit
fi
for name; do :; done
[ "\$name" = yield/2 ] || { printf '%s\tns\t500\n' "\$name"; exit; }
echo run >>"$file.runs"
set -- $*
shift \$((\$(wc -l <"$file.runs") - 1))
printf 'yield/2\tns\t%s\n' "\$1"
END
  chmod +x "$file"
}

# In turn, and the median of them.
fake ours 3 1 2
fake theirs 40 10 60
gives 0 "$compare" --weft="$dir/ours" --fiber "$dir/theirs" --rounds=3 \
  --json="$dir/figures" --svg="$dir/charts" yield
[ "$(grep -c . "$dir/out")" -eq 3 ] || wrong "not two cases"
prints '^yield/2 *2.00 1.00-3.00 *40.0 10.0-60.0 *- *20.0 *- ns$'
[ ! -s "$dir/err" ] || wrong "not a silent run"
cat >"$dir/golden" <<'END'
{"case":"yield/2","impl":"weft","unit":"ns","median":2,"min":1,"max":3}
{"case":"yield/2","impl":"boost.fiber","unit":"ns","median":40,"min":10,"max":60}
{"case":"yield/1000","impl":"weft","unit":"ns","median":500,"min":500,"max":500}
{"case":"yield/1000","impl":"boost.fiber","unit":"ns","median":500,"min":500,"max":500}
END
cmp "$dir/golden" "$dir/figures" || wrong "$(cat "$dir/figures")"
[ "$(ls "$dir/charts")" = yield.svg ] || wrong "other charts"
grep -q '>40.0 ns<' "$dir/charts/yield.svg" || wrong "no figure in the chart"
if command -v xmllint >/dev/null; then
  xmllint --noout "$dir/charts/yield.svg" || wrong "not well-formed"
fi

# Go runs skynet also on two processors.
fake go 7
gives 0 "$compare" --go="$dir/go" --rounds=1
prints '^skynet_1m/buffered/warm go-2  *500 * ns$'
prints '^yield/2 .* 7.00 '

# Those who only have generators are in a table of their own.
fake ours 3 1 2
rm -f "$dir/ours.runs"
fake coroutine2 6
gives 0 "$compare" --weft="$dir/ours" --coroutine2="$dir/coroutine2" \
  --rounds=1 yield/2
prints '^case *weft *coroutine2 *c++20 *coro.2/weft  C++20/weft unit$'
prints '^yield/2 *3.00 *6.00 *- *2.00 *- ns$'

# Of the real programs, too.
gives 0 "$compare" --weft="$weft" --baseline="$baseline" \
  --coroutine2="$coroutine2" --cpp20="$cpp20" --smoke --rounds=1
prints '^channel/sieve '
prints '^generator/deep '
prints '^baseline/call '
gives 0 "$compare" --help
prints '^Usage: compare'

# A program that fails, in the second round: the first is printed.
# shellcheck disable=SC2016
fails() {
  printf '#!/bin/sh\n[ "$1" != --list ] || { echo "yield/2 ${0##*/}"; exit; }\n%s\n' \
    "$2" | sed "s/yield\/2 /yield\/2$tab/" >"$dir/$1"
  chmod +x "$dir/$1"
}
fails broken 'echo "no luck" >&2; exit 3'
fake ours 3 1 2
rm -f "$dir/ours.runs"
gives 1 "$compare" --weft="$dir/ours" --fiber="$dir/broken" yield/2
says '^compare: boost.fiber failed in yield/2: no luck$'
prints '^yield/2 *3.00 '
fails silent 'exit 3'
gives 1 "$compare" --weft="$dir/silent"
says 'failed in yield/2: exit code 3$'
# shellcheck disable=SC2016
fails dead 'kill -9 $$'
gives 1 "$compare" --weft="$dir/dead"
says 'killed by signal 9'
fails wordy 'echo all is well'
gives 1 "$compare" --weft="$dir/wordy"
says "printed no result for yield/2 but 'all is well'"
refuses 1 "$compare" --weft="$dir/nowhere"
says "cannot run .*/nowhere: No such file"

# Bad usage.
refuses 2 "$compare"
refuses 2 "$compare" yield
refuses 2 "$compare" --weft="$weft" nothing
refuses 2 "$compare" --weft="$weft" --rounds=0
refuses 2 "$compare" --weft="$weft" --rounds=some
refuses 2 "$compare" --weft="$weft" --fast
refuses 2 "$compare" --weft

# Nowhere to write: known before anything is measured, or at the end.
refuses 1 "$compare" --weft="$weft" --smoke --json="$dir/no/file" yield/2
refuses 1 "$compare" --weft="$weft" --smoke --svg="$dir/figures" yield/2
if [ -e /dev/full ]; then
  gives 1 "$compare" --weft="$weft" --smoke --rounds=1 --json=/dev/full yield/2
  says '^compare: cannot write /dev/full: No space left'
  prints '^yield/2 '
  code=0
  "$compare" --weft="$weft" --smoke yield/2 >/dev/full 2>"$dir/err" || code=$?
  [ "$code" -eq 1 ] || wrong "a full stdout gave $code"
  says 'cannot write to standard output'
fi
