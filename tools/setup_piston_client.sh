#!/bin/bash
# setup_piston_client.sh: installs the client of Piston that tests/gateway runs, as its package-lock.json pins it.
# Silent where that is done, and needs no network then.
set -euo pipefail
cd "$(dirname "$0")/../tests/gateway/piston-client"

# npm writes this file last.
if [[ node_modules/.package-lock.json -nt package-lock.json ]]; then
  exit 0
fi
if ! command -v npm > /dev/null; then
  ../../../tools/as_root.sh "installing packages" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends npm
fi
echo "caisson setup: installing a client of Piston from npm"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null
