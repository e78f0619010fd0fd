#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# A debugger's backtrace out of a tasklet ends at the tasklet's entry.
#
# Usage: debugger_test.sh ABORTS_IN_TASKLET
set -eu

if ! command -v gdb >/dev/null; then
  echo "skipped: gdb is not installed"
  exit 0
fi

for size in 0 32768; do
  # Libraries of debug information are not asked for over the network.
  out=$(gdb -nx -batch -iex 'set debuginfod enabled off' \
    -ex run -ex bt --args "$1" "$size" 2>&1 </dev/null) || true
  case $out in
    *'ptrace: Operation not permitted'*)
      echo "skipped: no process may be traced here"
      exit 0
      ;;
    *'skipped: '*)
      printf '%s\n' "$out" | grep -o 'skipped: .*'
      exit 0
      ;;
  esac
  frames=$(printf '%s\n' "$out" | sed -n 's/^#\([0-9]*\)  *\(0x[0-9a-f]* in \)*\([^ ]*\) .*/\3/p' | tr '\n' ' ')
  case $frames in
    *' innermost middle outermost '*' weft_begin ') ;;
    *)
      printf 'debugger_test: stack size %s: the frames are: %s\n%s\n' "$size" "$frames" "$out" >&2
      exit 1
      ;;
  esac
  case $out in
    *'Backtrace stopped'* | *corrupt*)
      printf 'debugger_test: stack size %s:\n%s\n' "$size" "$out" >&2
      exit 1
      ;;
  esac
done
