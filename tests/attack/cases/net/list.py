"""NET-01: what there is of a network."""

import os
import socket

from payload import attempt, say


def names():
    try:
        return [name for _, name in socket.if_nameindex()]
    except OSError:
        return []


def lines(path, header):
    with open(path, encoding="ascii") as file:
        return file.read().splitlines()[header:]


say("interfaces", " ".join(names()) or "none")
up = []
for line in lines("/proc/self/net/dev", 2):
    fields = line.split()
    if any(int(value) for value in fields[1:]):
        up.append(fields[0])
say("up", " ".join(up) or "none")
say("dev", " ".join(line.split(":")[0].strip() for line in lines("/proc/self/net/dev", 2)))
say("route", lines("/proc/self/net/route", 1) or "none")
say("arp", lines("/proc/self/net/arp", 1) or "none")
say("inet6", os.path.exists("/proc/self/net/if_inet6") and lines("/proc/self/net/if_inet6", 0) or "none")
say("unix", len(lines("/proc/self/net/unix", 1)))
say("tcp", len(lines("/proc/self/net/tcp", 1)))
attempt("proc_net", lambda: os.open("/proc/net/dev", os.O_RDONLY))
attempt("sys_net", lambda: os.open("/sys/class/net", os.O_RDONLY))
