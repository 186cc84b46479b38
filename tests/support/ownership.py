"""What belongs to this test process and to nobody else: id ranges, names, orphans.

Several test processes run at once: pytest-xdist's workers, and other people's on the same machine. Each knows its
own daemons' things by these marks and looks at nothing else.
"""

import ctypes
import errno
import fcntl
import os
import pathlib
import random

ID_COUNT = 8192  # for each daemon: two ids a run
# Above the ids that systemd gives to containers and above caissond's own default, below 2^31.
FIRST_ID = 1_901_000_000
SLOTS = 29_000
LOCKS = pathlib.Path("/run/lock/caisson-test-ids")

PR_SET_CHILD_SUBREAPER = 36

# Directories of this process's daemons are /run/<this>…
DIRECTORY_PREFIX = f"caisson-test-{os.getpid()}-"


class Marks:
    """Every id range and name this process has used; they only grow, so an old leak stays an old leak."""

    def __init__(self):
        self.id_ranges = []
        self.names = {f"/{DIRECTORY_PREFIX}"}
        self.aside = []  # running daemons whose sandboxes come and go, and that have a look of their own at what they left
        self._locks = None
        self._next_slot = random.randrange(SLOTS)

    def take_ids(self):
        """The first of ID_COUNT ids that no live test process on this machine has. Held by a byte of a lock file, until
        this process ends, however it ends."""
        if self._locks is None:
            LOCKS.parent.mkdir(parents=True, exist_ok=True)
            self._locks = os.open(LOCKS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        for _ in range(SLOTS):
            slot, self._next_slot = self._next_slot, (self._next_slot + 1) % SLOTS
            first = FIRST_ID + slot * ID_COUNT
            if (first, first + ID_COUNT - 1) in self.id_ranges:
                continue  # the kernel would grant a process its own lock again
            try:
                fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    continue
                raise
            self.id_ranges.append((first, first + ID_COUNT - 1))
            return first
        raise RuntimeError(f"all {SLOTS} id ranges are taken: {LOCKS}")

    def add_instance(self, state_dir):
        self.names.add(instance_name(state_dir))


marks = Marks()


def instance_name(state_dir):
    """The name of the cgroups of the caissond with this state directory (src/orchestrator/instance_lock.cc)."""
    value = 0xCBF29CE484222325
    for byte in os.fsencode(str(state_dir)):
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return f"caisson-{value:016x}"


def adopt_orphans():
    """From now on whatever loses its parent below this process becomes its child, and is found there by leakcheck."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
