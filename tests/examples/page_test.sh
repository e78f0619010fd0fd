#!/usr/bin/env bash
# What a page shows as C++ is the text of a program: of the sections of its source
# from "// [name]" to "// [end]", or of all below the first two lines where there
# are none. What is indented below each block is what the program prints.
#   page_test.sh PROGRAM SOURCE PAGE
set -euo pipefail
program=$1 source=$2 page=$3

sections() {
  if grep -q '^// \[end\]$' "$source"; then
    awk '/^\/\/ \[end\]$/ { f = 0 } f { print } /^\/\/ \[.*\]$/ { f = $2 != "[end]" }' "$source"
  else
    tail -n +3 "$source"
  fi
}
diff <(awk '/^```cpp$/ { f = 1; next } /^```/ { f = 0 } f' "$page") <(sections) ||
  { echo "${page##*/} shows another program"; exit 1; }

outputs() {
  awk '/^```$/ { f = 1; next } /^    / && f { print substr($0, 5); next } NF { f = 0 }' "$page"
}
diff <(outputs) <("$program" | sed -e 's/ *$//' -e '$a\') ||
  { echo "${page##*/} says that it prints something else"; exit 1; }
