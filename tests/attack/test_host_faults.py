"""The host fails the daemon: no room below its state directory, both processes stopped for a while."""

import errno
import os
import pathlib
import signal
import time

import pytest

from support import processes
from support.client import Client, request
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
WALL_MS = 1000
PAUSE_SECONDS = 2


def test_runs_go_on_while_the_state_directory_is_full(make_daemon):
    daemon = make_daemon(start=False)
    state = daemon.config["state_dir"]
    plain = daemon.command
    # A file system of its own, in a mount namespace of its own: nothing of it is left on the host.
    mount = f'mkdir -p {state} && mount -t tmpfs -o size=256k,mode=0700 state {state} && exec "$0" "$@"'
    daemon.command = lambda *extra: ["unshare", "--mount", "sh", "-c", mount, *plain(*extra)]
    daemon.start()
    filler = pathlib.Path(f"/proc/{daemon.pid}/root{state}/filler")
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError) as full:
        while True:
            file.write(bytes(4096))
    assert full.value.errno == errno.ENOSPC
    client = Client(daemon.address)
    for number in range(5):
        outcome = client.execute(f"open('file', 'w').write('x' * 100_000); print({number})")
        assert (outcome.verdict(), outcome.stdout) == ("COMPLETED", b"%d\n" % number)
    filler.unlink()
    assert client.execute("print('room')").stdout == b"room\n"
    client.close()
    assert daemon.stop() == 0


def numbers(message):
    return {field.name: value for field, value in message.ListFields() if isinstance(value, int)}


def test_after_a_pause_of_both_processes_limits_strike_once_and_no_time_is_absurd(make_daemon):
    daemon = make_daemon()
    client = Client(daemon.address)
    calls = [client.start(request(WAITING, limits={"wall_time_ms": WALL_MS})) for _ in range(3)]
    for call in calls:
        call.until_output(b"here")
    stopped = [daemon.pid, daemon.dispatcher_pid()]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(PAUSE_SECONDS)  # not for something to happen: the pause is what is tested
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    for call in calls:
        outcome = call.finish()
        assert outcome.verdict() == "WALL_TIME_LIMIT"
        assert outcome.kinds().count("finished") == 1
        assert WALL_MS <= outcome.result.limit.observed <= (PAUSE_SECONDS + scaled(10)) * 1000
        times = {**numbers(outcome.result.timings), **numbers(outcome.result.usage)}
        assert all(0 <= value < 3_600_000 for name, value in times.items() if name.endswith("_ms")), times
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(1))
    assert client.execute("print('on')").stdout == b"on\n"
    assert [daemon.pid, daemon.dispatcher_pid()] == stopped
    client.close()
