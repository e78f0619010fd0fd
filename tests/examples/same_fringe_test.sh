#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The trees of examples/same_fringe, compared.
#
# Usage: same_fringe_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
same_fringe=$2

# same COUNT TREE TREE, in both orders.
same() {
  for pair in "$2|$3" "$3|$2"; do
    gives 0 "$same_fringe" "${pair%|*}" "${pair#*|}"
    echo "the same leaves: $1" | printed
  done
}
same 0 '()' '(() (() ()))'
same 1 a '((((a))))'
same 3 '((a b) c)' '(a (b c))'
same 3 '(one(two)three)' '
  (one two
   three)'

# differ WHAT TREE TREE
differ() {
  gives 1 "$same_fringe" "$2" "$3"
  echo "$1" | printed
}
differ "leaf 3 differs: 'c' in the first tree, line 1, column 8; \
'd' in the second tree, line 2, column 2" '((a b) c)' '(a (b
 d))'
differ "leaf 1 differs: 'a' in the first tree, line 1, column 1; \
none in the second tree" a '(())'
differ "leaf 2 differs: none in the first tree; \
'b' in the second tree, line 1, column 4" '(a)' '(a b)'

# After the first difference nothing is read: no end is needed, nor is it well
# formed.
differ "leaf 2 differs: 'b' in the first tree, line 1, column 4; \
'c' in the second tree, line 1, column 4" '(a b ) ) )' '(a c (('
mkfifo "$dir/endless"
{ printf '(' && yes a; } >"$dir/endless" 2>"$dir/yes" &
echo '(a a (a a) b)' >"$dir/tree"
gives 1 "$same_fringe" --files "$dir/endless" "$dir/tree"
grep -q "^leaf 5 differs: 'a' in $dir/endless, line 5, column 1; 'b'" \
  "$dir/out" || wrong "not the fifth leaf"

echo '(a (a (a (a))) b)' >"$dir/deeper"
gives 0 "$same_fringe" --files - "$dir/tree" <"$dir/deeper"
echo 'the same leaves: 5' | printed

# Trees that are long, and such that are deep.
{ echo '(' && yes '(a b)' | head -n 100000 && echo ')'; } >"$dir/left"
{ echo '(' && yes 'a ( ) b' | head -n 100000 && echo ')'; } >"$dir/right"
gives 0 "$same_fringe" --files "$dir/left" "$dir/right"
echo 'the same leaves: 200000' | printed
nested() {
  printf "%$1s" '' | tr ' ' '('
  printf a
  printf "%$1s" '' | tr ' ' ')'
}
nested 10000 >"$dir/left"
nested 9000 >"$dir/right"
gives 0 "$same_fringe" --files "$dir/left" "$dir/right"
nested 10001 >"$dir/right"
refuses 2 "$same_fringe" --files "$dir/left" "$dir/right"
said "same_fringe: $dir/right:1:10001: the tree is deeper than 10000"

# What is no tree.
refuses 2 "$same_fringe" '(a' a
refuses 2 "$same_fringe" '(a (b)
' '(a b)'
said "same_fringe: the first tree:1:1: this '(' has no ')'"
refuses 2 "$same_fringe" '(a) b' a
said "same_fringe: the first tree:1:5: there is more after the tree"
refuses 2 "$same_fringe" a ')'
said "same_fringe: the second tree:1:1: there is ')' where a tree begins"
refuses 2 "$same_fringe" '' a
said "same_fringe: the first tree:1:1: there is the end where a tree begins"
refuses 2 "$same_fringe" --files "$dir/nothing" "$dir/left"
said "same_fringe: $dir/nothing: No such file or directory"
refuses 2 "$same_fringe" --files "$dir" "$dir/left"
said "same_fringe: $dir: Is a directory"

explains_itself "$same_fringe"
refuses 2 "$same_fringe"
refuses 2 "$same_fringe" a
refuses 2 "$same_fringe" a b c
refuses 2 "$same_fringe" --files - -
loses_nothing 2 "$same_fringe" a a
loses_nothing 2 "$same_fringe" a b
