#!/bin/bash
# Creates the system user `caisson`, as which the dispatcher runs, if it is missing.
set -euo pipefail

if getent passwd caisson > /dev/null; then
  exit 0
fi
echo "caisson setup: creating the system user caisson (no home, no login), as which caisson-dispatcher runs"
group=()
if getent group caisson > /dev/null; then
  group=(--gid caisson)
else
  group=(--user-group)
fi
exec "$(dirname "$0")/as_root.sh" "creating the user caisson" \
  /usr/sbin/useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "${group[@]}" caisson
