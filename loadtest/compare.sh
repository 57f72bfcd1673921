#!/usr/bin/env bash
# Symphony and y-websocket, one after the other on this machine, with the same
# generator: the reference profile at 8,000 users and the saturation of 2,000.
# Results go to build/load. Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/load
for target in symphony y-websocket; do
  echo "=== $target: 8,000 users in 2,000 rooms"
  build/loadtest --target "$target" --users 8000 --duration 30s --settle 5s --churn 0.05 --allow-loss \
    --json "build/load/reference-$target.json" --report "build/load/reference-$target.html" ${LOAD_ARGS:-}
done
for target in symphony y-websocket; do
  echo "=== $target: saturation of 2,000 users in 500 rooms"
  build/loadtest --target "$target" --users 2000 --presence-every 0 --edit-every 1s --saturate 250ms --step 4s --growth 1.15 --duration 90s --allow-loss --drain 30s \
    --json "build/load/saturation-$target.json" --report "build/load/saturation-$target.html" ${LOAD_ARGS:-}
done
