#!/bin/bash
# Installs what clients/ needs from npm, exactly as clients/package-lock.json has it. Silent about what is already there;
# needs no network then. No script of any package is run.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "caisson setup: $*"; }

# Node.js from elsewhere than Debian brings an npm of its own, and cannot stand beside Debian's.
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
  tools/setup.sh web
fi

# setup_web.sh [DIRECTORY]: with a package-lock.json; clients/ unless given.
directory=${1:-clients}
digest=$(sha256sum < "$directory/package-lock.json")
stamp=$directory/node_modules/.caisson-lock
if [[ $(cat "$stamp" 2> /dev/null) != "$digest" ]]; then
  say "installing the packages of $directory/package-lock.json from npm"
  npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund --loglevel=error
  echo "$digest" > "$stamp"
fi
