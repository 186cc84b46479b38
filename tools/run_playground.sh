#!/bin/bash
# The body of `make playground`: a daemon and a gateway of their own, and the playground's page, until Ctrl-C.
#
# CAISSON_PLAYGROUND_LISTEN: where to serve it (127.0.0.1:8080; port 0: any).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/own_daemon.sh"
page=$(dirname "$bin")/playground
listen=${CAISSON_PLAYGROUND_LISTEN:-127.0.0.1:8080}

[ -e "$page/index.html" ] || die "$page/index.html is missing; run: make playground-page"
own_daemon_begin "The gateway runs" caissond caisson-dispatcher caisson-gateway
trap 'exit 0' INT TERM  # its ordinary end
say "Starting caissond"
own_daemon_start

user=()
if [ "$(id -u)" -eq 0 ]; then
  # The gateway's own user must reach its page.
  cp -r --no-preserve=all "$page" "$directory/page"
  chmod -R u=rwX,go=rX "$directory/page"
  page=$directory/page
  user=(--user caisson-gateway)
fi
mkfifo "$directory/address"
"$bin/caisson-gateway" --listen "$listen" --socket "$CAISSON_SOCKET" --playground "$page" "${user[@]}" \
  > "$directory/address" 2> "$directory/gateway.log" &
gateway_pid=$!
other_pids+=("$gateway_pid")
if ! read -r address < "$directory/address"; then
  die "caisson-gateway did not start: $(tail -n 1 "$directory/gateway.log")"
fi

say "The playground is at ${address#listening on }/  (Ctrl-C ends it)"
# Waited for in the background, so that a signal is heard at once.
wait "$gateway_pid" || die "caisson-gateway ended: $(tail -n 1 "$directory/gateway.log")"
