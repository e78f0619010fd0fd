# Sourced by the scripts of this folder and by .ci/run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export HOME=${HOME:-~} # Bazel keeps its outputs below it.

# Ends the script with one sentence on stderr; the code is 1 unless given.
die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

# Prints the comment that opens the script.
help() {
  sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$0"
}

# The C++ files of the tree, committed or about to be, one a line.
cpp_files() {
  git -C "$root" ls-files --cached --others --exclude-standard '*.h' '*.cc' |
    while read -r file; do
      if [[ -f $root/$file ]]; then printf '%s\n' "$file"; fi
    done
}

passed=0
failed=0

# Runs a command and adds what it counted: its last line if that reads
# "N passed, N failed", else one for its exit code.
tally() {
  local log code=0 last
  log=$(mktemp)
  printf '\n== %s\n' "$*"
  "$@" 2>&1 | tee "$log" || code=$?
  last=$(tail -n 1 "$log")
  rm -f "$log"
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    if ((code != 0 && BASH_REMATCH[2] == 0)); then failed=$((failed + 1)); fi
  elif ((code == 0)); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

# Prints the totals; succeeds if something ran and nothing failed.
totals() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((passed > 0 && failed == 0))
}
