#!/usr/bin/env bash
# Says clearly what is missing: scripts/need.sh go|node|java
set -euo pipefail
cd "$(dirname "$0")/.."

older() { # older A B: is version A older than B?
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

case "${1:?go, node or java}" in
go)
  want=$(awk '$1 == "go" {print $2; exit}' go.mod)
  command -v "${GO:-go}" >/dev/null || { echo "Go is not installed. Symphony needs Go $want or newer: https://go.dev/dl" >&2; exit 1; }
  have=$("${GO:-go}" env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
  # With GOTOOLCHAIN=auto an older Go fetches the right one itself.
  if older "$have" "$want" && [ "$("${GO:-go}" env GOTOOLCHAIN)" = local ]; then
    echo "Go $have is too old. Symphony needs Go $want or newer: https://go.dev/dl" >&2; exit 1
  fi
  ;;
node)
  command -v node >/dev/null || { echo "Node.js is not installed. Symphony needs Node 20 or newer: https://nodejs.org" >&2; exit 1; }
  have=$(node --version | sed 's/^v//')
  if older "$have" 20.19.0; then echo "Node $have is too old. Symphony needs Node 20.19 or newer: https://nodejs.org" >&2; exit 1; fi
  command -v npm >/dev/null || { echo "npm is not installed (it comes with Node.js: https://nodejs.org)" >&2; exit 1; }
  ;;
java)
  command -v java >/dev/null || { echo "Java is not installed. DynamoDB Local needs Java 17 or newer." >&2; exit 1; }
  ;;
*) echo "need.sh: unknown tool $1" >&2; exit 2 ;;
esac
