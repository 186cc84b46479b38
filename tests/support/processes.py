"""Processes seen from outside, by what the kernel says."""

import os
import pathlib
import select
import time


def status_field(pid, field):
    """The value of a line of /proc/PID/status, or None if there is no such process."""
    try:
        # A process may call itself anything, half a character too.
        text = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    for line in text.splitlines():
        if line.startswith(field + ":"):
            return line.split(":", 1)[1].strip()
    return None


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children(pid):
    """Direct children, of any of the process's threads."""
    found = []
    for other in pids():
        if status_field(other, "PPid") == str(pid):
            found.append(other)
    return found


def with_uid_in(first, count):
    """Live (not zombie) processes one of whose uids is in [first, first + count)."""
    found = []
    for pid in pids():
        uids = status_field(pid, "Uid")
        state = status_field(pid, "State")
        if uids is None or state is None or state.startswith(("Z", "X")):
            continue
        if any(first <= int(uid) < first + count for uid in uids.split()):
            found.append(pid)
    return found


def is_init(pid):
    """Whether the process still is caisson-init: PID 1 of a sandbox, or a stub that has not executed its program."""
    try:
        return "caisson-init" in os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return False


def thread_count(pid):
    return int(status_field(pid, "Threads"))


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    return int(status_field(pid, "VmRSS").split()[0]) * 1024


def wait_dead(pid, timeout):
    """Waits for a process that is not a child of ours. True if it is dead in time."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], timeout)[0])
    finally:
        os.close(fd)


def wait_until(condition, timeout, interval=0.02):
    """Polls a condition of the outside world that has no descriptor to wait for; returns its last value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() >= deadline:
            return value
        time.sleep(interval)
