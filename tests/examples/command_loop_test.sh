#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The commands of examples/command_loop, as they are typed.
#
# Usage: command_loop_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
command_loop=$2

# types TEXT CODE: what the program makes of it.
types() {
  # shellcheck disable=SC2059
  printf "$1" >"$dir/in"
  gives "$2" "$command_loop" <"$dir/in"
}

types 'hello\nquit\ny' 0
printed <<'END'
    <<< hello
(Processing command: hello)
    <<< quit
Are you sure?
    <<< y
(Exiting loop.)
END

# Any other answer goes on; what is typed after the loop is not read.
types 'quit\nno\n\nquit\nyhello\n' 0
printed <<'END'
    <<< quit
Are you sure?
    <<< n
    <<< o
(Processing command: o)
    <<< quit
Are you sure?
    <<< y
(Exiting loop.)
END

# The characters come one by one, and are answered when they come.
mkfifo "$dir/keys"
"$command_loop" <"$dir/keys" >"$dir/out" 2>"$dir/err" &
pid=$!
exec 8>"$dir/keys"
for key in h i '\n'; do
  # shellcheck disable=SC2059
  printf "$key" >&8
done
await "grep -q 'Processing command: hi' '$dir/out'"
printf 'quit\n' >&8
await "grep -q 'Are you sure?' '$dir/out'"
printf y >&8
wait "$pid" || wrong "the loop was left with $?"
exec 8>&-

# The end of the input, where a command may be missing and elsewhere.
types '' 0
printed </dev/null
types 'hello\n' 0
types 'hel' 1
said "command_loop: the input ended where a whole command was expected"
types 'quit\n' 1
said "command_loop: the input ended where an answer was expected"

refuses 1 "$command_loop" <&-
refuses 1 "$command_loop" </
explains_itself "$command_loop"
refuses 2 "$command_loop" hello
says_hello() { printf 'hello\n' | "$command_loop"; }
loses_nothing 1 says_hello
