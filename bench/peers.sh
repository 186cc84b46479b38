#!/bin/bash
# The body of `make bench-peers`: other sandboxes of Debian's, each with its nearest equal of what Caisson does to `true`,
# measured by their command lines in the same rounds as Caisson's call and the bare process. Needs root.
#
# peers.sh [OPTION...]   options go on to caisson-bench, for example --json FILE
#
# What they leave out is in docs/benchmarks.md. A peer whose command does not run `true` here is left out, and said.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ "$(id -u)" -ne 0 ]; then
  exec "$repository/tools/as_root.sh" "starting other sandboxes" "$repository/bench/peers.sh" "$@"
fi
scratch=$(mktemp -d /tmp/caisson-peers-XXXXXX)
trap 'rm -rf "$scratch"' EXIT

bubblewrap="/usr/bin/bwrap --unshare-all --die-with-parent --new-session --ro-bind /usr /usr --symlink usr/bin /bin \
  --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --cap-drop ALL /usr/bin/true"

# A bundle with the namespaces, mounts and limits of its own kind; cgroups off, since crun refuses hybrid hosts.
mkdir -p "$scratch/bundle/rootfs"/{usr,proc,dev,tmp}
for link in bin lib lib64; do
  ln -s "usr/$link" "$scratch/bundle/rootfs/$link"
done
/usr/bin/python3 - "$scratch/bundle/config.json" << 'PYTHON'
import json
import sys

NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")
json.dump({
    "ociVersion": "1.0.0",
    "process": {"cwd": "/", "args": ["/usr/bin/true"], "env": ["PATH=/usr/bin"], "user": {"uid": 65534, "gid": 65534}, "noNewPrivileges": True,
                "capabilities": {}},
    "root": {"path": "rootfs", "readonly": True},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]},
               {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}],
    "linux": {"namespaces": [{"type": kind} for kind in NAMESPACES]},
}, open(sys.argv[1], "w", encoding="utf-8"))
PYTHON
# A container's name serves once at a time, and rounds come one after the other.
crun="/usr/bin/crun --cgroup-manager=disabled --root $scratch/state run --bundle $scratch/bundle caisson-bench-peer"

arguments=()
for peer in bubblewrap crun; do
  # The words of a command; none of them has blanks or quotes.
  read -r -d '' -a words <<< "${!peer}" || true
  if "${words[@]}" > "$scratch/said" 2>&1; then
    arguments+=(--peer "$peer=${words[*]}")
  else
    printf 'bench/peers.sh: %s is left out: %s\n' "$peer" "$(head -c 300 "$scratch/said")" >&2
  fi
done
"$repository/bench/run.sh" "${arguments[@]}" "$@"
