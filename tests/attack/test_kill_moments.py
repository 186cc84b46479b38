"""kill -9 of any process at any moment under load: no process of a run lives a second later, others go on, a restart sweeps.

The moments are random; the seed is printed, and CAISSON_KILL_SEED repeats it."""

import os
import pathlib
import random
import signal
import threading
import time

import grpc
import pytest

import mixed_load
from fault_injection import Footprint
from support import leakcheck, processes
from support.client import Client
from support.environment import scaled

SECONDS_TO_LIVE = 1
VICTIMS = ["caissond", "dispatcher", "init", "stub or program"]
CLIENTS = 4
LONGEST_WAIT = 0.3
# What a kill may make of a run. Everything else is a finding.
KILLED = {"SERVICE_FAILED", "SANDBOX_SETUP_FAILED", "SIGNALED", "UNAVAILABLE", "CANCELLED", "UNKNOWN", "INTERNAL"}


class Load:
    """Clients that start one run after the other, of every kind, until they are told to stop."""

    def __init__(self, daemon, seed):
        self._daemon = daemon
        self._stop = threading.Event()
        self.outcomes = []
        self._threads = [threading.Thread(target=self._one, args=(random.Random(f"{seed} {number}"),)) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(scaled(60))
            assert not thread.is_alive(), "a client waits for ever"

    def _one(self, chance):
        client = Client(self._daemon.address)
        while not self._stop.is_set():
            name = chance.choice(mixed_load.NAMES)
            self.outcomes.append((name, mixed_load.run(client, name)))
            if self.outcomes[-1][1] == "UNAVAILABLE":
                self._stop.wait(0.02)
        client.close()


def start_time(pid):
    """Which process of that number it is; None if there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if stat[0] in "ZX" else stat[19]


def below(ancestor):
    """All descendants of a process, as they are now."""
    parents = {pid: processes.status_field(pid, "PPid") for pid in processes.pids()}
    found, todo = [], [ancestor]
    while todo:
        parent = str(todo.pop())
        mine = [pid for pid, its_parent in parents.items() if its_parent == parent]
        found += mine
        todo += mine
    return found


def inits(daemon):
    """From its first instruction on, when it still is root."""
    return [pid for pid in processes.children(daemon.pid) if processes.is_init(pid)]


def choose(daemon, victim, chance):
    if victim == "caissond":
        return daemon.pid
    if victim == "dispatcher":
        return daemon.dispatcher_pid()
    found = inits(daemon) if victim == "init" else [pid for init in inits(daemon) for pid in below(init)]
    return chance.choice(found) if found else None


def kill_one(daemon, victim, chance):
    """{pid: which process of that number} of all that has to end with it; None if there was none, or it was gone already."""
    pid = choose(daemon, victim, chance)
    if pid is None:
        return None
    doomed = [pid]
    if victim == "dispatcher":
        # Where a program runs. What is being built may be for nobody yet, and then it stays.
        sandboxes = [[init, *below(init)] for init in inits(daemon)]
        doomed += [one for sandbox in sandboxes if not all(processes.is_init(one) for one in sandbox) for one in sandbox]
    elif victim != "stub or program":
        doomed += below(pid)
    alive = {one: start_time(one) for one in doomed}
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return alive


def strike(daemon, victim, chance):
    """Kills one, and waits for the end of all that must not outlive it."""
    alive = processes.wait_until(lambda: kill_one(daemon, victim, chance), scaled(20), interval=0.001)
    assert alive, f"no {victim} to kill"
    if victim == "caissond":
        daemon.kill9()
        assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(SECONDS_TO_LIVE)), daemon.run_pids()
    assert processes.wait_until(lambda: all(start_time(one) is None or start_time(one) != its for one, its in alive.items()),
                                scaled(SECONDS_TO_LIVE)), f"outlived the {victim}"


def serves(daemon):
    client = Client(daemon.address)

    def one():
        try:
            return client.execute("print('on')", timeout=20).stdout == b"on\n"
        except grpc.RpcError:
            return False

    try:
        return processes.wait_until(one, scaled(20), interval=0.05)
    finally:
        client.close()


def check_outcomes(outcomes, victim):
    """No run ends for a reason that is neither its own nor the kill; the kill of one sandbox's process is felt by no other."""
    killed = [(name, end) for name, end in outcomes if end not in mixed_load.KINDS[name].ends]
    assert all(end in KILLED for _, end in killed), killed
    if victim in ("init", "stub or program"):
        assert len(killed) <= 1, killed


def one_moment(daemon, footprint, victim, chance, seed):
    """The footprint to compare with next time."""
    with Load(daemon, seed) as load:
        time.sleep(chance.random() * LONGEST_WAIT)  # not for something to happen: the moment is what is tested
        strike(daemon, victim, chance)
    check_outcomes(load.outcomes, victim)
    if victim != "caissond":
        assert serves(daemon)
        return footprint
    left = set(footprint.runs().items())
    daemon.start()
    assert not left & set(footprint.runs().items()), "not swept"
    assert serves(daemon)
    return Footprint(daemon, rests(daemon))


def rests(daemon):
    """Whether nothing is there without runs. How many sandboxes wait is demand's to say."""
    return daemon.config["ready_sandboxes"] == 0


def moments(daemon, count):
    seed = os.environ.get("CAISSON_KILL_SEED") or str(random.randrange(1 << 32))
    print(f"CAISSON_KILL_SEED={seed}")
    chance = random.Random(seed)
    assert serves(daemon)
    footprint = Footprint(daemon, rests(daemon))
    for number in range(count):
        victim = VICTIMS[number % len(VICTIMS)]
        footprint = one_moment(daemon, footprint, victim, chance, f"{seed} {number}")
        if rests(daemon):
            assert not footprint.differs(), f"after moment {number}, a {victim}: {footprint.differs()}"


@pytest.mark.parametrize("ready_sandboxes", [0, 8])
def test_kill_9_of_any_process_at_any_moment_leaves_nothing_and_others_go_on(make_daemon, ready_sandboxes):
    with leakcheck.nothing_left():
        daemon = make_daemon(ready_sandboxes=ready_sandboxes)
        moments(daemon, 12)
        assert daemon.stop() == 0
        daemon.remove_files()


@pytest.mark.long
@pytest.mark.parametrize("ready_sandboxes", [0, 8])
def test_two_hundred_moments_leave_nothing(make_daemon, ready_sandboxes):
    with leakcheck.nothing_left():
        daemon = make_daemon(ready_sandboxes=ready_sandboxes)
        moments(daemon, 100)
        assert daemon.stop() == 0
        daemon.remove_files()
