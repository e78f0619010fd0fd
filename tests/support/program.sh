# SPDX-License-Identifier: BSL-1.0
# Sourced by tests that look at a program from outside.
# shellcheck shell=sh
set -eu
export LC_ALL=C

test_name=${0##*/}
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/${test_name%.sh}.XXXXXX")
trap 'rm -rf "$dir"' EXIT

wrong() {
  echo "$test_name: $*" >&2
  for file in "$dir/out" "$dir/err"; do
    [ ! -f "$file" ] || { echo "--- $file" && tail -n 40 "$file"; } >&2
  done
  exit 1
}

# gives CODE COMMAND...: runs the command and expects the exit code; what it
# wrote is in $dir/out and $dir/err.
gives() {
  expected=$1
  shift
  code=0
  "$@" >"$dir/out" 2>"$dir/err" || code=$?
  [ "$code" -eq "$expected" ] || wrong "'$*' gave $code, not $expected"
}

# As gives(): one sentence, and nothing on stdout.
refuses() {
  gives "$@"
  [ ! -s "$dir/out" ] || wrong "'$*' printed something"
  [ "$(wc -l <"$dir/err")" -eq 1 ] || wrong "'$*' did not say one sentence"
}

# printed <<END: what the last command wrote to stdout is that.
printed() {
  cat >"$dir/golden"
  difference=$(diff "$dir/golden" "$dir/out") ||
    wrong "stdout is not as it should be: $difference"
}

# said SENTENCE: what the last command wrote to stderr is that.
said() {
  [ "$(cat "$dir/err")" = "$1" ] || wrong "stderr is not '$1'"
}

# loses_nothing CODE COMMAND...: where stdout takes nothing, that is said.
loses_nothing() {
  expected=$1
  shift
  for to in '&-' /dev/full; do
    code=0
    eval '"$@" 2>"$dir/err"' ">$to" || code=$?
    [ "$code" -eq "$expected" ] || wrong "'$*' >$to gave $code"
    grep -q 'cannot write to standard output' "$dir/err" || wrong "not a word"
  done
}

# explains_itself PROGRAM: it has help, and no other options than it says.
explains_itself() {
  gives 0 "$1" --help
  grep -q "^Usage: ${1##*/}" "$dir/out" || wrong "no help"
  refuses 2 "$1" --help=yes
  refuses 2 "$1" --fly
}

# Waits for a condition, a minute at most.
await() {
  tries=0
  until eval "$1"; do
    tries=$((tries + 1))
    [ "$tries" -le 600 ] || wrong "never: $1"
    sleep 0.1
  done
}
