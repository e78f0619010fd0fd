#!/usr/bin/env bash
# The program in the README is examples/squares.cc, and prints what the README says.
#   readme_test.sh PROGRAM SOURCE README
set -euo pipefail
program=$1 source=$2 readme=$3

diff <(awk '/^```cpp/ { f = 1; next } /^```/ { f = 0 } f' "$readme") \
  <(tail -n +3 "$source") || { echo 'README.md shows another program'; exit 1; }
said=$(awk '/^```$/ { f = 1; next } f && /^    / { print $0; exit }' "$readme")
[[ "$("$program")" == "${said#    } " ]] ||
  { echo "README.md says '$said'"; exit 1; }
