#!/bin/bash
# The body of `make run`: starts a daemon of its own, runs examples/ through gRPC, stops the daemon, and fails if any
# of it went wrong. Needs the programs in build/bin (or $CAISSON_BIN_DIR).
#
# Everything is in one temporary directory that is removed at the end; an installed Caisson is not touched. Only
# caissond itself is started as root.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${CAISSON_BIN_DIR:-$repository/build/bin}
examples=$repository/examples
ready_seconds=30
stop_seconds=30
first_id=1800000000
id_count=4096

say() { printf '\n== %s\n' "$*"; }
die() {
  printf 'run_demo: %s\n' "$*" >&2
  exit 1
}

# What needs root, and nothing else, goes through this.
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || die "caissond must start as root (it makes cgroups, mounts and namespaces), and there is no sudo here; run this as root"
  as_root=(sudo)
fi

for program in caisson caissond caisson-dispatcher; do
  [ -x "$bin/$program" ] || die "$bin/$program is missing; run: make build"
done

directory=
daemon_pid=
cleanup() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$daemon_pid" ] && [ -d "/proc/$daemon_pid" ]; then
    "${as_root[@]}" kill -TERM "$daemon_pid" 2> /dev/null || true
    timeout "$stop_seconds" tail --pid="$daemon_pid" -f /dev/null || "${as_root[@]}" kill -KILL "$daemon_pid" 2> /dev/null || true
  fi
  if [ "$code" -ne 0 ] && [ -n "$directory" ] && [ -s "$directory/caissond.log" ]; then
    printf '\nrun_demo: failed with %s; the end of the log of caissond:\n' "$code" >&2
    tail -n 40 "$directory/caissond.log" >&2
  fi
  if [ -n "$directory" ]; then
    "${as_root[@]}" rm -rf "$directory"
  fi
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs `caisson` and checks its exit code. What it says about it goes to the terminal even if the program's output does not.
exec 3>&1
failures=0
example() {
  local expected=$1 code=0
  shift
  printf '\n$ caisson %s\n' "$*" >&3
  "$bin/caisson" "$@" || code=$?
  if [ "$code" -ne "$expected" ]; then
    printf 'run_demo: exit code %s, expected %s\n' "$code" "$expected" >&2
    failures=$((failures + 1))
  elif [ "$code" -ne 0 ]; then
    printf '(exit code %s, as expected)\n' "$code" >&3
  fi
}

directory=$(mktemp -d /tmp/caisson-demo-XXXXXX)
chmod 755 "$directory"  # the dispatcher's user must reach its socket
export CAISSON_SOCKET=unix:$directory/socket/caisson.sock

if [ "${#as_root[@]}" -ne 0 ]; then
  say "sudo is needed for these: making the user caisson if it is missing, and starting and stopping caissond, which makes cgroups, mounts and namespaces. The examples run as $(id -un)."
fi
"$repository/tools/ensure_user.sh"

# Privileged programs read only files of root that nobody else can write, so they get copies.
"${as_root[@]}" cp -r --no-preserve=all "$repository/profiles" "$directory/profiles"
"${as_root[@]}" chmod -R u=rwX,go=rX "$directory/profiles"
cat > "$directory/config.new" << CONFIG
{
  "schema_version": 1,
  "socket": "$CAISSON_SOCKET",
  "state_dir": "$directory/state",
  "records_dir": "$directory/records",
  "profiles_dir": "$directory/profiles",
  "id_first": $first_id,
  "id_count": $id_count
}
CONFIG
"${as_root[@]}" install -m 644 -o root -g root "$directory/config.new" "$directory/caissond.json"

# Only what is this daemon's own: another Caisson on this machine may be at work meanwhile.
own=(--scope own --below $$ --ids "$first_id-$((first_id + id_count - 1))" --name "$directory")
"${as_root[@]}" "$repository/tools/leakcheck" snapshot "$directory/before" "${own[@]}"

say "Starting caissond on a socket of its own: $CAISSON_SOCKET"
: > "$directory/caissond.log"
if [ "${#as_root[@]}" -eq 0 ]; then
  "$bin/caissond" --config "$directory/caissond.json" 2>> "$directory/caissond.log" &
  daemon_pid=$!
  waited_pid=$daemon_pid
else
  sudo "$bin/caissond" --config "$directory/caissond.json" 2>> "$directory/caissond.log" &
  waited_pid=$!
  daemon_pid=$waited_pid  # sudo passes SIGTERM on
fi
# tail follows the log until the line is there, and gives up when caissond ends.
if ! timeout "$ready_seconds" grep -q -m 1 ready <(tail -n +1 --pid="$waited_pid" -f "$directory/caissond.log"); then
  die "caissond did not become ready within $ready_seconds s; \`caisson doctor\` tells what this host lacks"
fi
own_cgroup=$("${as_root[@]}" head -n 1 "$directory/state/cgroups")
own+=(--name "${own_cgroup##*/}")
"$bin/caisson" version
if [ "${#as_root[@]}" -ne 0 ] && [ ! -w "$directory/socket/caisson.sock" ]; then
  # For this demonstration's private socket only; everywhere else one joins the group caisson.
  sudo chown "$(id -u)" "$directory/socket/caisson.sock"
  sudo chmod o+x "$directory/socket"
fi

say "Profiles"
example 0 profile list

say "Hello"
example 0 run "$examples/hello.py" < /dev/null

say "Two streams over three seconds, standard input sent along, exit code 3 passed through"
example 3 run "$examples/streams.py" <<< "a line from outside"

say "Limits: each ends its run, says so, and the next run is none the worse"
example 124 run --limit memory_bytes=64M "$examples/limits.py" memory < /dev/null
example 124 run --limit cpu_time_ms=500 "$examples/limits.py" time < /dev/null
example 124 run --limit output_bytes=4K --output-overflow kill "$examples/limits.py" output < /dev/null > /dev/null

say "No network: the call is refused inside, and named outside"
example 1 run "$examples/limits.py" network < /dev/null

say "A native program"
cc -O2 -static -o "$directory/hello" "$examples/native/hello.c"
example 0 run --profile native "$directory/hello" world < /dev/null

say "The whole result, for programs"
printf '\n$ caisson run --json hello.py\n'
"$bin/caisson" run --json "$examples/hello.py" < /dev/null | /usr/bin/python3 -m json.tool

if /usr/bin/python3 -c 'import grpc, google.protobuf' 2> /dev/null && [ -x /usr/bin/grpc_python_plugin ]; then
  say "The same over plain gRPC, from Python"
  mkdir "$directory/stubs"
  protoc -I "$repository/proto" -I "$repository/third_party" --python_out="$directory/stubs" --grpc_python_out="$directory/stubs" \
    --plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin caisson/v1/run.proto
  PYTHONPATH=$directory/stubs /usr/bin/python3 "$examples/grpc_client.py" "$CAISSON_SOCKET"
else
  say "Left out: examples/grpc_client.py, which needs python3-grpcio and protobuf-compiler-grpc"
fi

say "What ran"
example 0 ps --all

say "Stopping caissond with SIGTERM"
"${as_root[@]}" kill -TERM "$daemon_pid"
code=0
wait "$waited_pid" || code=$?
daemon_pid=
[ "$code" -eq 0 ] || die "caissond exited with $code"
"${as_root[@]}" "$repository/tools/leakcheck" compare "$directory/before" "${own[@]}" --settle 5 || die "something was left behind"
[ "$failures" -eq 0 ] || die "$failures examples did not end as expected"
say "All examples ended as expected; caissond stopped cleanly and left nothing behind."
printf 'Next: sudo %s/caissond, and %s/caisson run --help. The API is told in docs/api.md.\n' "$bin" "$bin"
