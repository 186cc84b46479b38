"""Processes seen from outside, by what the kernel says."""

import contextlib
import os
import re
import select
import time


UIDS = re.compile(rb"^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$", re.MULTILINE)
MOST_STATUS_BYTES = 1 << 16


def _status(pid):
    """/proc/PID/status, or b"" if there is no such process. In one read: tests look at every process of the host many times a second."""
    try:
        fd = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    try:
        return os.read(fd, MOST_STATUS_BYTES)
    except ProcessLookupError:
        return b""
    finally:
        os.close(fd)


def _field(status, field):
    for line in status.splitlines():
        if line.startswith(field.encode() + b":"):
            # A process may call itself anything, half a character too.
            return line.split(b":", 1)[1].strip().decode(errors="replace")
    return None


def status_field(pid, field):
    """The value of a line of /proc/PID/status, or None if there is no such process."""
    return _field(_status(pid), field)


def _names(directory):
    try:
        return os.listdir(directory)
    except (FileNotFoundError, ProcessLookupError):
        return []


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _children_now(pid):
    found = []
    for task in _names(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as listed:
            found += [int(child) for child in listed.read().split()]
    return found


def children(pid):
    """Direct children, of any of the process's threads. The kernel may leave one out of a list while another ends (proc(5)): looked at until two looks agree."""
    found = _children_now(pid)
    while (again := _children_now(pid)) != found:
        found = again
    return found


def parents_with_uid_in(first, count):
    """{pid: parent's pid} of live (not zombie) processes one of whose uids is in [first, first + count)."""
    found = {}
    for pid in pids():
        status = _status(pid)
        uids = UIDS.search(status)
        if uids is None or not any(first <= int(uid) < first + count for uid in uids.groups()):
            continue
        if not _field(status, "State").startswith(("Z", "X")):
            found[pid] = int(_field(status, "PPid"))
    return found


def builder_of(caissond):
    """The process beside a caissond that builds its sandboxes."""
    return next(pid for pid in children(caissond) if status_field(pid, "Name") == "caissond-build")


def with_uid_in(first, count):
    """Their pids."""
    return list(parents_with_uid_in(first, count))


def executable(pid):
    """The path of what it executes; empty once it is dead."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def is_init(pid):
    """Whether the process still is caisson-init: PID 1 of a sandbox, or a stub that has not executed its program."""
    return "caisson-init" in executable(pid)


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
