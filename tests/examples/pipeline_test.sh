#!/usr/bin/env bash
# examples/pipeline counts as coreutils do, survives what it cannot read, says
# what went wrong, and stays small.
#
#   pipeline_test.sh PROGRAM TEXT...
set -uo pipefail
export LC_ALL=C

program=$(realpath "$1")
shift
texts=("$@")
while IFS= read -r file; do
  texts+=("$file")
done < <(find /usr/share/common-licenses -type f 2>/dev/null)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# check LAW CODE [ARGUMENT...]: runs the program; out and err hold what it wrote.
check() {
  local law=$1 expected=$2 code=0
  shift 2
  "$program" "$@" >"$work/out" 2>"$work/err" || code=$?
  expect "$law" "$expected" "$code"
}
expect() {
  [[ $2 == "$3" ]] && return
  fail "$1: exit code $3, not $2"
  cat "$work/err"
}
same() { cmp -s "$2" "$work/out" || fail "$1: $(diff "$2" "$work/out" | head -5)"; }
says() { grep -q -- "$2" "$work/err" || fail "$1: no '$2' in: $(cat "$work/err")"; }
sentences() {
  [[ $(wc -l <"$work/err") == "$2" ]] || fail "$1: $(cat "$work/err")"
}

# The same by coreutils, from standard input.
count() {
  tr -cs A-Za-z '\n' | tr '[:upper:]' '[:lower:]' | sed '/^$/d' | sort | uniq -c |
    sort -k1,1nr -k2,2 | awk -v n="$1" 'NR <= n'
}

# Each of the texts, and something after it that ends a word.
for file in "${texts[@]}"; do
  cat "$file"
  echo
done >"$work/text"
count 100000 <"$work/text" >"$work/all"
count 10 <"$work/text" >"$work/ten"
[[ -s $work/ten ]] || fail "there is no text to count"

law="many files are counted as one text"
check "$law" 0 --top 100000 "${texts[@]}"
same "$law" "$work/all"
says "$law" "^files: ${#texts[@]}, .* skipped: 0\$"
sentences "$law" 1

law="ten words are listed unless asked for more"
check "$law" 0 <"$work/text"
same "$law" "$work/ten"

law="how many count does not matter"
for n in 1 3 64; do
  check "$law" 0 --counters=$n --top=100000 "$work/text"
  same "$law" "$work/all"
done

law="how many threads does not matter, nor does the order of the blocks"
check "$law" 0 --work 1 --top 100000 "$work/text"
same "$law" "$work/all"
cp "$work/err" "$work/totals"
for threads in 1 2 4 9; do
  for order in "" --unordered; do
    check "$law ($threads $order)" 0 --threads=$threads $order --work 1 --top 100000 "$work/text"
    same "$law ($threads $order)" "$work/all"
    # With a digest of all blocks.
    cmp -s "$work/totals" "$work/err" || fail "$law ($threads $order): $(cat "$work/err")"
  done
done
says "$law" "^digest: "

law="one enormous line is no worse than many"
tr '\n' ' ' <"$work/text" >"$work/line"
check "$law" 0 --top 100000 - <"$work/line"
same "$law" "$work/all"

law="a word may lie in any number of blocks"
head -c 20000 "$work/text" >"$work/short"
count 100000 <"$work/short" >"$work/expected"
check "$law" 0 --top 100000 < <(dd if="$work/short" bs=3 status=none)
same "$law" "$work/expected"
for order in "" --unordered; do
  check "$law ($order)" 0 --threads 3 $order --top 100000 < <(dd if="$work/short" bs=3 status=none)
  same "$law ($order)" "$work/expected"
done
head -c 60000 /dev/zero | tr '\0' x >"$work/long"
{ cat "$work/text"; cat "$work/long"; echo; } >"$work/both"
count 100000 <"$work/both" >"$work/expected"
check "$law" 0 --top 100000 "$work/both"
same "$law" "$work/expected"

law="a word without an end is dropped, and said so"
check "$law" 1 --top 100000 - < <(cat "$work/long" "$work/long" "$work/text" | tr X x)
says "$law" "too long"

check "$law" 1 --threads 2 --unordered - < <(cat "$work/long" "$work/long" "$work/text" | tr X x)
says "$law" "too long"

law="the end of a file ends a word"
printf half >"$work/half"
printf '      2 half\n' >"$work/expected"
check "$law" 0 "$work/half" "$work/half"
same "$law" "$work/expected"

law="no input, no words"
for threads in 1 4; do
  check "$law" 0 --threads $threads </dev/null
  same "$law" /dev/null
  says "$law" "words: 0, distinct: 0"
done

law="a directory is walked, and nothing in it blocks or loops"
mkdir -p "$work/tree/deep/deeper" "$work/tree/.git"
printf 'one two' >"$work/tree/a"
printf 'two' >"$work/tree/deep/deeper/b"
printf 'hidden' >"$work/tree/.git/c"
mkfifo "$work/tree/fifo"
ln -s .. "$work/tree/deep/loop"
ln -s nothing "$work/tree/deep/dangling"
printf '      2 two\n      1 one\n' >"$work/expected"
check "$law" 0 "$work/tree"
same "$law" "$work/expected"

law="what is not there is reported, the rest is counted"
check "$law" 1 "$work/missing" "$work/tree" "$work/tree/deep/dangling"
same "$law" "$work/expected"
says "$law" "/missing: No such file"
says "$law" "/dangling: No such file"
sentences "$law" 3

law="a binary file is reported, the rest is counted"
printf 'two\0two' >"$work/tree/binary"
check "$law" 1 "$work/tree"
same "$law" "$work/expected"
says "$law" "/binary: binary file"
rm "$work/tree/binary"

law="what may not be read is reported, the rest is counted"
printf secret >"$work/tree/secret"
mkdir "$work/tree/closed"
chmod 0 "$work/tree/secret" "$work/tree/closed"
humble=()
# Root may read everything until it gives that up.
[[ -r $work/tree/secret ]] && humble=(setpriv "--bounding-set=-dac_override,-dac_read_search")
if ! "${humble[@]}" true 2>/dev/null || "${humble[@]}" cat "$work/tree/secret" >"$work/out" 2>&1; then
  echo "skipped: $law"
else
  code=0
  "${humble[@]}" "$program" "$work/tree" >"$work/out" 2>"$work/err" || code=$?
  expect "$law" 1 $code
  same "$law" "$work/expected"
  says "$law" "/secret: Permission denied"
  says "$law" "/closed: Permission denied"
  sentences "$law" 3
fi
chmod 700 "$work/tree/closed"

law="--help explains"
check "$law" 0 --help
grep -q '^Usage: ' "$work/out" || fail "$law"

law="nonsense is one sentence and exit code 2"
for arguments in --top --top=x "--top 0" --counters=-1 --counters=1e3 --nonsense -n --help=1 \
  --threads --threads=0 --threads=-1 --threads=two --threads=2.5 --threads=257 --unordered=1 \
  --work --work=-1; do
  # shellcheck disable=SC2086
  check "$law ($arguments)" 2 $arguments
  sentences "$law ($arguments)" 1
done

law="-- ends the options"
check "$law" 1 -- --top
says "$law" " --top: No such file"

law="a lost table is reported"
for to in /dev/full '&-'; do
  code=0
  eval '"$program" "$work/tree/a" 2>"$work/err"' ">$to" || code=$?
  expect "$law ($to)" 1 $code
  says "$law ($to)" "cannot write to standard output: "
done
mkfifo "$work/pipe"
# shellcheck disable=SC2094
exec 7<>"$work/pipe" 8>"$work/pipe" 7<&- # 8 is a pipe that nobody reads.
code=0
"$program" "$work/tree/a" >&8 2>"$work/err" || code=$?
exec 8>&-
expect "$law (pipe)" 1 $code
says "$law (pipe)" "cannot write to standard output: Broken pipe"

law="a closed standard input is reported"
check "$law" 1 <&-
says "$law" "standard input: Bad file descriptor"

law="Ctrl-C ends it, also where it waits for input"
for threads in 1 3; do
  "$program" --threads $threads <"$work/pipe" >"$work/out" 2>"$work/err" &
  pid=$!
  exec 8>"$work/pipe"
  cat "$work/line" "$work/long" "$work/long" >&8 # More than a pipe holds: it reads.
  kill -INT $pid
  code=0
  wait $pid || code=$?
  exec 8>&-
  expect "$law" 130 $code
  says "$law" "interrupted"
  same "$law" /dev/null
done

law="memory does not grow with the input"
# No sanitizer starts within this limit, which is one of addresses, not of pages:
# each thread takes some, whatever it does.
limited() {
  (ulimit -v $((131072 * $1)) && shift && MALLOC_ARENA_MAX=1 exec "$program" "$@")
}
if ! limited 1 --help >"$work/out" 2>&1; then
  echo "skipped: $law"
else
  for threads in 1 2; do
    code=0
    limited $threads --threads $threads >"$work/out" 2>"$work/err" \
      < <(yes "$(head -c 60000 "$work/line")" | head -c 200000000) || code=$?
    expect "$law ($threads)" 0 $code
    says "$law ($threads)" "bytes: 200000000,"
  done

  law="where there can be no more threads, that is said"
  code=0
  limited 1 --threads 256 "$work/text" >"$work/out" 2>"$work/err" || code=$?
  expect "$law" 1 $code
  sentences "$law" 1
  same "$law" /dev/null
fi

((failures == 0)) && echo "all passed"
exit $((failures > 0))
