#!/bin/bash
# The body of `make run`: starts a daemon of its own, runs examples/ through gRPC, stops the daemon, and fails if any
# of it went wrong. Needs the programs in build/bin (or $CAISSON_BIN_DIR).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/own_daemon.sh"
examples=$repository/examples

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

own_daemon_begin "The examples run" caisson caissond caisson-dispatcher

say "Starting caissond on a socket of its own: $CAISSON_SOCKET"
own_daemon_start
"$bin/caisson" version

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
own_daemon_stop
[ "$failures" -eq 0 ] || die "$failures examples did not end as expected"
say "All examples ended as expected; caissond stopped cleanly and left nothing behind."
printf 'Next: sudo %s/caissond, and %s/caisson run --help. The API is told in docs/api.md.\n' "$bin" "$bin"
