#!/bin/sh
# Copies what a service runs from a built workspace into one that has only its packages installed.
# Usage: collect-output.sh BUILT TARGET SERVICE
set -eu
built=$1 target=$2 service=$3

cd "$built"
cp -r --parents packages/*/dist "services/$service/dist" "$target"
# Lua scripts are read from src, beside the TypeScript that calls them.
find packages "services/$service" -path '*/node_modules' -prune -o -path '*/src/*' -name '*.lua' -print |
  while read -r script; do cp --parents "$script" "$target"; done
find "$target/packages" "$target/services" -name '*.tsbuildinfo' -not -path '*/node_modules/*' -delete
