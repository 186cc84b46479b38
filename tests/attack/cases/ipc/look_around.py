"""IPC-06: somebody else's secret, wherever one may read."""

import os

from payload import ARGS, say

secret = ARGS[0].encode()
own = str(os.getpid())
say("processes", len([name for name in os.listdir("/proc") if name.isdigit()]))


def holds(path):
    try:
        with open(path, "rb") as file:
            return secret in file.read(1 << 20)
    except OSError:
        return False


found = []
for name in os.listdir("/proc"):
    if name.isdigit() and name != own:
        found += [f"{name}/{file}" for file in ("cmdline", "environ", "comm", "maps") if holds(f"/proc/{name}/{file}")]
say("in_proc", found or "nothing")
found = []
for top in ("/box", "/tmp", "/dev", "/etc"):
    for directory, _, files in os.walk(top):
        found += [f"{directory}/{file}" for file in files
                  if os.path.isfile(f"{directory}/{file}") and not os.path.islink(f"{directory}/{file}") and holds(f"{directory}/{file}")]
say("in_files", found or "nothing")
say("in_environment", "found" if any(secret.decode() in value for value in os.environ.values()) else "nothing")
