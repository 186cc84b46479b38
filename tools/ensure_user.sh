#!/bin/bash
# Creates the system users `caisson`, as which the dispatcher runs, `caisson-gateway`, as which the gateway runs, and
# `caisson-tls`, as which TLS is served, if they are missing. The second is in the group caisson, whose members may open
# the daemon's socket; the third only gets to sockets that are given to it.
set -euo pipefail

as_root=$(dirname "$0")/as_root.sh
no_login=(--system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin)

# ensure NAME WHAT-FOR [USERADD-OPTION]...
ensure() {
  local name=$1 what=$2
  shift 2
  if getent passwd "$name" > /dev/null; then
    return
  fi
  echo "caisson setup: creating the system user $name (no home, no login), as which $what runs"
  local group=(--user-group)
  if getent group "$name" > /dev/null; then
    group=(--gid "$name")
  fi
  "$as_root" "creating the user $name" /usr/sbin/useradd "${no_login[@]}" "${group[@]}" "$@" "$name"
}

ensure caisson caisson-dispatcher
ensure caisson-gateway caisson-gateway --groups caisson
ensure caisson-tls caisson-tls
