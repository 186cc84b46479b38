#!/bin/bash
# The body of `make bench`: starts a daemon of its own, measures it with caisson-bench, stops it. Needs the programs
# in build/bin (or $CAISSON_BIN_DIR), and root for caissond and for looking at its processes' memory.
#
# run.sh [OPTION...]   with options, one caisson-bench with these; without, speed and then 16 sleeping runs
#
# Everything is in one temporary directory that is removed at the end; an installed Caisson is not touched.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${CAISSON_BIN_DIR:-$repository/build/bin}
bench=${CAISSON_BENCH:-$bin/caisson-bench}
ready_seconds=30
stop_seconds=30

die() {
  printf 'bench/run.sh: %s\n' "$*" >&2
  exit 1
}

if [ "$(id -u)" -ne 0 ]; then
  exec "$repository/tools/as_root.sh" "starting a daemon to measure" "$repository/bench/run.sh" "$@"
fi
for program in "$bin/caissond" "$bin/caisson-dispatcher" "$bin/caisson-gateway" "$bench"; do
  [ -x "$program" ] || die "$program is missing; run: make bench"
done

directory=
daemon_pid=
gateway_pid=
cleanup() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$gateway_pid" ] && [ -d "/proc/$gateway_pid" ]; then
    kill -TERM "$gateway_pid" 2> /dev/null || true
    timeout "$stop_seconds" tail --pid="$gateway_pid" -f /dev/null || kill -KILL "$gateway_pid" 2> /dev/null || true
  fi
  if [ -n "$daemon_pid" ] && [ -d "/proc/$daemon_pid" ]; then
    kill -TERM "$daemon_pid" 2> /dev/null || true
    timeout "$stop_seconds" tail --pid="$daemon_pid" -f /dev/null || kill -KILL "$daemon_pid" 2> /dev/null || true
  fi
  if [ "$code" -ne 0 ] && [ -n "$directory" ] && [ -s "$directory/caissond.log" ]; then
    printf 'bench/run.sh: failed with %s; the end of the log of caissond:\n' "$code" >&2
    tail -n 20 "$directory/caissond.log" >&2
  fi
  if [ -n "$directory" ]; then
    rm -rf "$directory"
  fi
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$repository/tools/ensure_user.sh"
# Below /run: a socket's path must be short, and the dispatcher's user must be able to reach it.
directory=$(mktemp -d /run/caisson-bench-XXXXXX)
chmod 755 "$directory"
# Privileged programs read only files of root that nobody else can write, so they get copies.
cp -r --no-preserve=all "$repository/profiles" "$directory/profiles"
chmod -R u=rwX,go=rX "$directory/profiles"
cat > "$directory/caissond.json" << CONFIG
{
  "schema_version": 1,
  "socket": "unix:$directory/socket/caisson.sock",
  "state_dir": "$directory/state",
  "records_dir": "$directory/records",
  "profiles_dir": "$directory/profiles",
  "id_first": 1820000000,
  "id_count": 4096
}
CONFIG
chmod 644 "$directory/caissond.json"

: > "$directory/caissond.log"
"$bin/caissond" --config "$directory/caissond.json" 2>> "$directory/caissond.log" &
daemon_pid=$!
# tail follows the log until the line is there, and gives up when caissond ends.
if ! timeout "$ready_seconds" grep -q -m 1 ready <(tail -n +1 --pid="$daemon_pid" -f "$directory/caissond.log"); then
  die "caissond did not become ready within $ready_seconds s"
fi

mkfifo "$directory/address"
"$bin/caisson-gateway" --user caisson-gateway --listen 127.0.0.1:0 --log-level warning \
  --socket "unix:$directory/socket/caisson.sock" > "$directory/address" &
gateway_pid=$!
read -r listening < "$directory/address" || die "caisson-gateway did not start"

commit=$(git -C "$repository" describe --always --dirty --abbrev=12 2> /dev/null || echo unknown)
measure() {
  "$bench" --socket "unix:$directory/socket/caisson.sock" --daemon-pid "$daemon_pid" --gateway-port "${listening##*:}" --commit "$commit" "$@"
}
if [ "$#" -gt 0 ]; then
  measure "$@"
else
  measure
  echo
  measure --idle 16
fi

kill -TERM "$gateway_pid"
wait "$gateway_pid" || die "caisson-gateway exited with $?"
gateway_pid=
kill -TERM "$daemon_pid"
code=0
wait "$daemon_pid" || code=$?
daemon_pid=
[ "$code" -eq 0 ] || die "caissond exited with $code"
