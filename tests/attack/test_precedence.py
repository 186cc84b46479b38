"""A caissond that its operator lets go before everybody else runs programs that go before nobody."""

import ctypes
import os
import pathlib

import pytest

from support import processes
from support.client import Client, request
from support.daemon import Daemon
from support.environment import scaled

IOPRIO_GET, IOPRIO_WHO_PROCESS, IOPRIO_CLASS_SHIFT = 252, 1, 13
REAL_TIME_CLASS = 1
LEAST_NICENESS = -20
OOM_SCORE = "100"
WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


class PrecedingDaemon(Daemon):
    """Started as `choom`, `chrt`, `nice` and `ionice` start it, each of which becomes the next."""

    def command(self, *extra):
        # nice counts from where the tests are. chrt sets the niceness as well, so it comes first.
        return ["choom", "-n", OOM_SCORE, "--", "chrt", "--rr", "5", "nice", "-n", "-40", "ionice", "-c", str(REAL_TIME_CLASS),
                "-n", "0", *super().command(*extra)]


def precedence(pid):
    """What the kernel says of a process: its policy, niceness, class of input and output, place before the OOM killer."""
    priority = ctypes.CDLL(None, use_errno=True).syscall(IOPRIO_GET, IOPRIO_WHO_PROCESS, pid)
    assert priority >= 0, os.strerror(ctypes.get_errno())
    # The 19th field of stat(5) is the niceness, of real-time tasks too; the second is a name in brackets.
    niceness = int(pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[16])
    return (os.sched_getscheduler(pid), niceness, priority >> IOPRIO_CLASS_SHIFT,
            pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii").strip())


@pytest.mark.parametrize("ready_sandboxes", [0, 1])
def test_programs_go_before_nobody(ready_sandboxes):
    with PrecedingDaemon(ready_sandboxes=ready_sandboxes) as daemon:
        assert precedence(daemon.pid) == (os.SCHED_RR, LEAST_NICENESS, REAL_TIME_CLASS, OOM_SCORE)
        client = Client(daemon.address)
        if ready_sandboxes:
            client.execute("pass")  # demand says how many there are
            assert processes.wait_until(daemon.waiting_pids, scaled(10))
        call = client.start(request(WAITING))
        call.until_output(b"here")
        seen = {pid: precedence(pid) for pid in daemon.run_pids()}
        call.cancel()
        client.close()
        assert len(seen) >= 2 and set(seen.values()) == {(os.SCHED_OTHER, 0, 0, "1000")}, seen
