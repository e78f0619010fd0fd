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

# Waits for a condition, a minute at most.
await() {
  tries=0
  until eval "$1"; do
    tries=$((tries + 1))
    [ "$tries" -le 600 ] || wrong "never: $1"
    sleep 0.1
  done
}
