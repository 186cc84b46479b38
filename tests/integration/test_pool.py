"""Sandboxes built ahead: never used before, never used again, as many as demand asks for, and gone when it ends."""

import os
import signal
import threading

import pytest

from support import leakcheck, processes
from support.client import Client
from support.environment import scaled

READY_WITHIN = 10
# Leaves something at every place that a program can write to, and says what it found there.
MARKS = """
import os
places = ["/box/mark", "/tmp/mark", "/dev/shm/mark"]
print([place for place in places if os.path.exists(place)], sorted(os.listdir("/box")), len([p for p in os.listdir("/proc") if p.isdigit()]))
for place in places:
    open(place, "w").write("used")
"""

# What is looked at now and then: a quick program may end before the first look.
SAMPLED = ("memory_anonymous_bytes", "memory_file_bytes")


@pytest.fixture(autouse=True)
def every_test_leaves_nothing(privileged):  # pylint: disable=unused-argument
    """Set up before make_daemon, so it compares after those daemons are gone."""
    with leakcheck.nothing_left():
        yield


@pytest.fixture
def pooled(every_test_leaves_nothing, make_daemon):  # pylint: disable=unused-argument,redefined-outer-name
    """A daemon that builds ahead, with a client of its own."""
    daemon = make_daemon(ready_sandboxes=8)
    client = Client(daemon.address)
    yield daemon, client
    client.close()


def wait_for_waiting(daemon, count):
    """Until at least `count` sandboxes wait: an init and a stub each."""
    assert processes.wait_until(lambda: len(daemon.waiting_pids()) >= 2 * count, scaled(READY_WITHIN)), daemon.waiting_pids()


def test_first_run_builds_its_own_and_leaves_one_waiting(pooled):
    daemon, client = pooled
    assert daemon.waiting_pids() == set(), "nothing is built before anybody asks"
    assert client.execute("print('one')").stdout == b"one\n"
    wait_for_waiting(daemon, 1)


def test_sandbox_that_was_built_ahead_serves_the_next_run(pooled):
    daemon, client = pooled
    client.execute("pass")
    wait_for_waiting(daemon, 1)
    init = {uid_of(pid) for pid in daemon.waiting_pids()}
    outcome = client.execute("print('two')")
    assert outcome.stdout == b"two\n"
    assert {int(outcome.facts()["uid"].value), int(outcome.facts()["init_uid"].value)} == init
    assert outcome.result.timings.setup.ToMicroseconds() < outcome.result.timings.run.ToMicroseconds()


def uid_of(pid):
    return int(processes.status_field(pid, "Uid").split()[0])


def test_no_sandbox_serves_twice(pooled):
    daemon, client = pooled
    uids = []
    for _ in range(40):
        outcome = client.execute(MARKS)
        assert outcome.stdout == b"[] ['main.py'] 1\n"
        uids.append(outcome.facts()["uid"].value)
    wait_for_waiting(daemon, 1)
    inits = [line for line in daemon.log if "broke the control protocol" in line]
    assert inits == []


def test_demand_raises_the_number_up_to_the_bound(pooled):
    daemon, client = pooled

    def many():
        own = Client(daemon.address)
        for _ in range(6):
            assert own.execute("pass").verdict() == "COMPLETED"
        own.close()

    threads = [threading.Thread(target=many) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.execute("pass")
    wait_for_waiting(daemon, 2)  # many misses have doubled the number more than once
    assert len(daemon.waiting_pids()) <= 2 * 8


@pytest.mark.early
@pytest.mark.slow
def test_without_demand_none_is_left(pooled):
    daemon, client = pooled
    client.execute("pass")
    wait_for_waiting(daemon, 1)
    assert processes.wait_until(lambda: daemon.waiting_pids() == set(), scaled(45))
    assert client.execute("print('again')").stdout == b"again\n"


def test_sandboxes_killed_while_they_wait_harm_nobody(pooled):
    daemon, client = pooled
    for _ in range(3):
        client.execute("pass")
        wait_for_waiting(daemon, 1)
        waiting = daemon.waiting_pids()
        for pid in waiting:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it went with its init
        assert all(processes.wait_dead(pid, scaled(5)) for pid in waiting)
        assert client.execute("print('well')").stdout == b"well\n"


def test_other_sizes_are_built_on_demand(pooled):
    daemon, client = pooled
    client.execute("pass")
    wait_for_waiting(daemon, 1)
    before = daemon.waiting_pids()
    outcome = client.execute("import os; s = os.statvfs('/box'); print(s.f_blocks * s.f_frsize)", limits={"disk_bytes": 1 << 20})
    assert int(outcome.stdout) <= 1 << 20
    assert daemon.waiting_pids() == before


def test_limits_of_the_run_hold_in_a_sandbox_built_before_they_were_known(pooled):
    daemon, client = pooled
    client.execute("pass")
    wait_for_waiting(daemon, 1)
    outcome = client.execute("x = bytearray(10 ** 9)", limits={"memory_bytes": 32 << 20})
    assert outcome.verdict() == "MEMORY_LIMIT"
    assert outcome.facts()["cgroup_memory_bytes"].value == str(32 << 20)


def test_result_is_the_same_with_and_without(every_test_leaves_nothing, make_daemon):  # pylint: disable=unused-argument
    source = "import os, sys\nprint(os.getpid(), os.getcwd(), sorted(os.environ))\nsys.exit(7)"
    seen = []
    for ready in (8, 0):
        daemon = make_daemon(ready_sandboxes=ready)
        client = Client(daemon.address)
        client.execute("pass")
        if ready:
            wait_for_waiting(daemon, 1)
        outcome = client.execute(source)
        facts = {name: fact.value for name, fact in outcome.facts().items() if name not in ("uid", "gid", "init_uid")}
        usage = [field.name for field, _ in outcome.result.usage.ListFields() if field.name not in SAMPLED]
        seen.append((outcome.stdout, outcome.result.exit_code, outcome.verdict(), facts, usage, set(outcome.kinds())))
        assert daemon.waiting_pids() == set() or ready
        client.close()
    assert seen[0] == seen[1]


def test_new_dispatcher_finds_those_that_wait(pooled):
    daemon, client = pooled
    client.execute("pass")
    wait_for_waiting(daemon, 1)
    waiting = daemon.waiting_pids()
    old = daemon.dispatcher_pid()
    os.kill(old, signal.SIGKILL)
    assert processes.wait_until(lambda: daemon.dispatcher_pid() not in (None, old), scaled(10))
    assert processes.wait_until(daemon.socket_path.exists, scaled(10))
    assert daemon.waiting_pids() == waiting, "they belong to no run, so they do not end with the dispatcher's runs"
    fresh = Client(daemon.address)
    assert processes.wait_until(lambda: serves(fresh), scaled(10))
    fresh.close()


def serves(client):
    try:
        return client.execute("print(1)").stdout == b"1\n"
    except Exception:  # pylint: disable=broad-exception-caught  # not listening yet
        return False


def test_kill_of_the_supervisor_ends_those_that_wait(pooled):
    daemon, client = pooled
    client.execute("pass")
    wait_for_waiting(daemon, 1)
    waiting = daemon.waiting_pids()
    daemon.kill9()
    assert all(processes.wait_dead(pid, scaled(1)) for pid in waiting)
    daemon.start()  # sweeps the cgroups
