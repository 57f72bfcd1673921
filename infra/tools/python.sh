#!/usr/bin/env bash
# Runs a program of the pinned Python tools: python.sh <program> <arguments>...
# Without Python it says so and succeeds, unless SYMPHONY_REQUIRE_ALL is 1.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.cache/infra-tools
pins=$root/infra/tools/requirements.txt

without() {
  echo "SKIPPED, and not checked: $1" >&2
  [ "${SYMPHONY_REQUIRE_ALL:-}" = 1 ] && exit 1
  exit 0
}

if ! cmp -s "$pins" "$venv/installed"; then
  command -v python3 >/dev/null || without "python3 is not installed (cfn-lint and the mock deployment want it)"
  rm -rf "$venv"
  python3 -m venv "$venv" >/dev/null 2>&1 || without "python3 has no venv (Debian: apt-get install python3-venv)"
  echo "· installing cfn-lint and moto" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pins" || without "pip could not install $pins"
  cp "$pins" "$venv/installed"
fi
program=$1
shift
exec "$venv/bin/$program" "$@"
