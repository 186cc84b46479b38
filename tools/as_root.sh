#!/bin/bash
# as_root.sh REASON COMMAND [ARG...]: runs one command as root: directly, or with sudo after saying what and why.
# Variables named in CAISSON_KEEP_ENV (space-separated) and all CAISSON_* ones are passed on.
set -euo pipefail

reason=$1
shift
if [[ $EUID -eq 0 ]]; then
  exec "$@"
fi
if ! command -v sudo > /dev/null; then
  echo "caisson: $reason needs root, and there is no sudo here. As root, run:" >&2
  printf '  ' >&2
  printf '%q ' "$@" >&2
  echo >&2
  exit 77
fi
kept=()
for name in $(compgen -e CAISSON_ || true) ${CAISSON_KEEP_ENV:-}; do
  kept+=("$name=${!name-}")
done
echo "caisson: $reason needs root: using sudo for: $*"
exec sudo env "${kept[@]}" "$@"
