#!/bin/sh
# Installs the clients of package.json, exactly as locked, once for each lock.
#   fetch.sh DIRECTORY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$1
mkdir -p "$target"
# Tests run side by side, and the first ones may all find it missing.
exec 9>"$target.lock"
flock 9
cmp -s "$here/package-lock.json" "$target/installed" && exit 0
cp "$here/package.json" "$here/package-lock.json" "$target/"
cd "$target"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
cp package-lock.json installed
