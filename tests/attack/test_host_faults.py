"""The host fails the daemon: no room below its state directory, no descriptors, no process numbers; one process or both stopped for a while."""

import contextlib
import errno
import os
import pathlib
import resource
import signal
import time

import grpc
import pytest

from fault_injection import Footprint, stage_in, stopped
from support import processes
from support.client import Client, request
from support.environment import roomy, scaled
from support.ownership import DIRECTORY_PREFIX

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
WALL_MS = roomy(1000)
PAUSE_SECONDS = 2 * WALL_MS / 1000


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


def test_a_dispatcher_that_stands_still_does_not_keep_limits_from_striking(make_daemon):
    """caissond alone decides when a run is over; its client hears of it when there is somebody to tell it."""
    daemon = make_daemon(ready_sandboxes=0)
    client = Client(daemon.address)
    calls = [client.start(request(WAITING, limits={"wall_time_ms": WALL_MS})) for _ in range(3)]
    for call in calls:
        call.until_output(b"here")
    dispatcher = daemon.dispatcher_pid()
    with stopped(dispatcher):
        assert processes.wait_until(lambda: daemon.run_pids() == [], WALL_MS / 1000 + scaled(2))
    assert [call.finish().verdict() for call in calls] == ["WALL_TIME_LIMIT"] * 3
    assert client.execute("print('on')").stdout == b"on\n"
    assert daemon.dispatcher_pid() == dispatcher
    client.close()


def outcome(daemon):
    """(verdict or status, message, stdout) of one run that needs a sandbox of its own."""
    client = Client(daemon.address)
    try:
        result = client.execute("print('ran')", timeout=20)
        return result.verdict(), result.result.message, result.stdout
    except grpc.RpcError as error:
        return error.code().name, error.details(), b""
    finally:
        client.close()


def test_without_descriptors_a_run_is_refused_with_its_stage_and_the_next_one_runs(make_daemon):
    daemon = make_daemon(ready_sandboxes=0)
    assert outcome(daemon)[0] == "COMPLETED"
    footprint = Footprint(daemon)
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
    seen = set()
    for room in range(0, 40, 2):
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used + room, limits[1]))
        verdict, message, stdout = outcome(daemon)
        if verdict == "COMPLETED":
            break  # all that caissond needs: building is another process's
        assert (verdict, stdout) == ("SANDBOX_SETUP_FAILED", b"") and stage_in(message), (room, verdict, message)
        seen.add(stage_in(message))
    assert len(seen) > 1, seen  # with more room it gets further
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)
    assert outcome(daemon) == ("COMPLETED", "The program exited with code 0.", b"ran\n")
    assert not footprint.differs(), footprint.differs()


@contextlib.contextmanager
def a_group_of_its_own(daemon, controller):
    """A cgroup that caissond is started in, so that what the host has can run out for it alone."""
    version_1 = pathlib.Path("/sys/fs/cgroup", controller)
    # Where this process is: on some hosts nobody may make groups at the root.
    own = next(line.split(":", 2)[2] for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
               if controller in line.split(":", 2)[1].split(",") or (not version_1.exists() and line.startswith("0::")))
    group = (version_1 if version_1.exists() else pathlib.Path("/sys/fs/cgroup")) / own.lstrip("/") / f"{DIRECTORY_PREFIX}{controller}"
    group.mkdir()
    plain = daemon.command
    daemon.command = lambda *extra: ["sh", "-c", f'echo 0 > {group}/cgroup.procs && exec "$0" "$@"', *plain(*extra)]
    try:
        yield group
    finally:
        daemon.stop()
        assert processes.wait_until(lambda: not group.exists() or remove(group), scaled(10)), f"{group} is in use"


def remove(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def test_without_process_numbers_a_run_is_refused_with_its_stage_and_the_next_one_runs(make_daemon):
    daemon = make_daemon(start=False, ready_sandboxes=0)
    with a_group_of_its_own(daemon, "pids") as group:
        daemon.start()
        assert outcome(daemon)[0] == "COMPLETED"
        footprint = Footprint(daemon)
        current = int((group / "pids.current").read_text(encoding="ascii"))
        (group / "pids.max").write_text(str(current), encoding="ascii")
        verdict, message, stdout = outcome(daemon)
        assert (verdict, stdout) == ("SANDBOX_SETUP_FAILED", b""), message
        assert stage_in(message) in ("UserNamespace", "Clone"), message
        (group / "pids.max").write_text("max", encoding="ascii")
        assert processes.wait_until(lambda: outcome(daemon)[0] == "COMPLETED", scaled(10))
        assert not footprint.differs(), footprint.differs()
