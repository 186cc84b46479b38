# Sourced by run_demo.sh and run_playground.sh: a daemon of one's own in one temporary directory, which is removed at the end; an
# installed Caisson is not touched. Only caissond itself is started as root.
#
# own_daemon_begin, own_daemon_start, own_daemon_stop, in this order; $directory, $CAISSON_SOCKET and $bin are there after the first.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${CAISSON_BIN_DIR:-$repository/build/bin}
script=$(basename "$0" .sh)
ready_seconds=30
stop_seconds=30
first_id=1800000000
id_count=4096

say() { printf '\n== %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$script" "$*" >&2
  exit 1
}

directory=
daemon_pid=
other_pids=()  # programs beside the daemon, ended before it
as_root=()     # what needs root, and nothing else, goes through this

end_process() {
  "${as_root[@]}" kill -TERM "$1" 2> /dev/null || true
  timeout "$stop_seconds" tail --pid="$1" -f /dev/null || "${as_root[@]}" kill -KILL "$1" 2> /dev/null || true
}

own_daemon_cleanup() {
  local code=$? pid
  trap - EXIT INT TERM
  for pid in "${other_pids[@]}" $daemon_pid; do
    if [ -d "/proc/$pid" ]; then
      end_process "$pid"
    fi
  done
  if [ "$code" -ne 0 ] && [ "$code" -ne 130 ] && [ "$code" -ne 143 ] && [ -n "$directory" ] && [ -s "$directory/caissond.log" ]; then
    printf '\n%s: failed with %s; the end of the log of caissond:\n' "$script" "$code" >&2
    tail -n 40 "$directory/caissond.log" >&2
  fi
  if [ -n "$directory" ]; then
    "${as_root[@]}" rm -rf "$directory"
  fi
  exit "$code"
}

# own_daemon_begin WHAT-RUNS-AS-YOU PROGRAM...: the PROGRAMs must be built.
own_daemon_begin() {
  local what=$1 program
  shift
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || die "caissond must start as root (it makes cgroups, mounts and namespaces), and there is no sudo here; run this as root"
    as_root=(sudo)
  fi
  for program in "$@"; do
    [ -x "$bin/$program" ] || die "$bin/$program is missing; run: make build"
  done
  trap own_daemon_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  directory=$(mktemp -d /tmp/caisson-demo-XXXXXX)
  chmod 755 "$directory"  # the dispatcher's user must reach its socket
  export CAISSON_SOCKET=unix:$directory/socket/caisson.sock
  if [ "${#as_root[@]}" -ne 0 ]; then
    say "sudo is needed for these: making the user caisson if it is missing, and starting and stopping caissond, which makes cgroups, mounts and namespaces. $what as $(id -un)."
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
}

own_daemon_start() {
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
  if [ "${#as_root[@]}" -ne 0 ] && [ ! -w "$directory/socket/caisson.sock" ]; then
    # For this private socket only; everywhere else one joins the group caisson.
    sudo chown "$(id -u)" "$directory/socket/caisson.sock"
    sudo chmod o+x "$directory/socket"
  fi
}

own_daemon_stop() {
  local code=0
  "${as_root[@]}" kill -TERM "$daemon_pid"
  wait "$waited_pid" || code=$?
  daemon_pid=
  [ "$code" -eq 0 ] || die "caissond exited with $code"
  "${as_root[@]}" "$repository/tools/leakcheck" compare "$directory/before" "${own[@]}" --settle 5 || die "something was left behind"
}
