#!/usr/bin/env bash
# again.sh <name> <command...>
#
# Runs a suite. With SYMPHONY_AGAIN=1, which `make check` sets, a suite that
# fails runs a second time, and its name goes into build/again.txt for the last
# lines of `make check`: a machine that stalled for a moment should not hide
# what a change did, and a test that fails now and then should not hide either.
# `go test` keeps the results of the packages that passed, so only the others
# run again. A data race is a failure at once.
set -uo pipefail
record=$(cd "$(dirname "$0")/.." && pwd)/build/again.txt
name=$1
shift
[ "${SYMPHONY_AGAIN:-}" = 1 ] || exec "$@"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" 2>&1 | tee "$log"
status=$?
[ $status -ne 0 ] || exit 0
if grep -q 'WARNING: DATA RACE' "$log"; then
  exit $status
fi
echo "!!! $name FAILED (exit $status). It runs once more; if it passes now, the failure above is still a bug."
mkdir -p "$(dirname "$record")"
echo "$name" >> "$record"
"$@"
