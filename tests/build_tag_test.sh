#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Objects that make switches differently do not link, and the linker says why.
#
# Usage: build_tag_test.sh FILE_OF_TASKLET...
set -eu

tasklet=$(cd "$(dirname "$1")" && pwd -P)
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/build_tag.XXXXXX")
mkdir "$dir/include" "$dir/include/weft"
ln -s "$tasklet" "$dir/include/weft/tasklet"
printf '#include "weft/tasklet/context.h"\nint main() {}\n' >"$dir/user.cc"

wrong() {
  echo "build_tag_test: $*" >&2
  [ ! -f "$dir/log" ] || cat "$dir/log" >&2
  exit 1
}

# compiles COMPILER NAME FLAG...: the user and the library as NAME.user.o and
# NAME.library.o
compiles() {
  compiler=$1 name=$2
  shift 2
  for from in "user $dir/user.cc" "library $tasklet/inline_switch.cc"; do
    "$compiler" -std=c++20 -O2 -Wall -Wextra -Wpedantic -Werror -fdata-sections \
      -ffunction-sections "-I$dir/include" "$@" -c "${from#* }" \
      -o "$dir/$name.${from%% *}.o" >"$dir/log" 2>&1 || wrong "$compiler $name does not compile"
  done
}

# links COMPILER USER LIBRARY: 0 if it does
links() {
  "$1" -fsanitize=address -Wl,--gc-sections "$dir/$2.user.o" "$dir/$3.library.o" \
    -o "$dir/program" >"$dir/log" 2>&1
}

inline=weft_is_built_with_the_inline_switch
fcontext=weft_is_built_with_fcontext
asan=weft_is_built_with_the_inline_switch_and_address_sanitizer
for compiler in g++ clang++-16 clang++-19; do
  command -v "$compiler" >/dev/null || continue
  compiles "$compiler" "$inline"
  compiles "$compiler" "$fcontext" -DWEFT_FCONTEXT
  compiles "$compiler" "$asan" -fsanitize=address
  for user in $inline $fcontext $asan; do
    for library in $inline $fcontext $asan; do
      if [ "$user" = "$library" ]; then
        links "$compiler" "$user" "$library" || wrong "$compiler: $user does not link with itself"
      else
        ! links "$compiler" "$user" "$library" || wrong "$compiler: $user links with $library"
        grep -q "undefined.*$user\($\|[^_a-z]\)" "$dir/log" ||
          wrong "$compiler: the linker does not name $user"
      fi
    done
  done
done
rm -rf "$dir"
