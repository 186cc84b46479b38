"""Clients that abuse HTTP/2 (floods.py): the dispatcher stays, its memory is bounded, and another client is served as usual."""

import contextlib
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import threading

import pytest

from floods import FLOODS
from raw_http2 import Connection
from support import processes
from support.client import Client, request
from support.environment import scaled
from support.tokens import Tokens

# One process has them all, so that no two floods meet; they wait more than they work, and others go on meanwhile.
pytestmark = [pytest.mark.early, pytest.mark.slow, pytest.mark.xdist_group("floods")]

HERE = pathlib.Path(__file__).parent
MIB = 1 << 20
SECONDS = 1
# 32 KiB of empty frames take 1.6 s at the rate at which headers pass.
SECONDS_OF = {"empty_continuations": 2.5}
MOST_GROWTH = 64 * MIB
# Calls at once have a bound in all; each costs some 25 KiB. So have connections.
MOST_GROWTH_OF = {"many_calls": 300 * MIB, "idle": 160 * MIB}
SAMPLES = 9
MOST_CONNECTIONS = 4096  # docs/specification.md
PROFILES = ["python"]
# How many connections of a flood the daemon ends: exactly, or None where it may do either.
ENDED = {"continuations": 1, "empty_continuations": 1, "endless_value": 1, "lying_length": 1, "too_many_calls": 1, "ping": 1, "settings": 1,
         "another_protocol": 100, "reset": 0, "reset_with_request": 0, "half_requests": 0, "window_zero": 0}


def rollup(pid, field="Rss"):
    """Bytes, as /proc/PID/smaps_rollup counts them."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {field} of {pid}")


def start_delay(client):
    """Seconds from sending a request to `started`."""
    outcome = client.execute("pass")
    assert outcome.verdict() == "COMPLETED"
    return next(at for event, at in zip(outcome.events, outcome.times) if event.WhichOneof("event") == "started") - outcome.started_at


class Watch:
    """A client beside a flood: its start delays, and the dispatcher's memory."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.client = Client(daemon.address)
        start_delay(self.client)
        self.usual = statistics.median(start_delay(self.client) for _ in range(SAMPLES))
        self.dispatcher = daemon.dispatcher_pid()
        self.before = self.peak = rollup(self.dispatcher)
        self.delays = []

    def look(self):
        self.delays.append(start_delay(self.client))
        self.peak = max(self.peak, rollup(self.dispatcher))

    def verdict(self, name):
        delay = statistics.median(self.delays)
        print(f"\n{name}: start delay {self.usual * 1000:.0f} ms before, {delay * 1000:.0f} ms beside it ({len(self.delays)} runs); "
              f"the dispatcher {self.before // MIB} MiB before, {self.peak // MIB} at most")
        assert self.daemon.dispatcher_pid() == self.dispatcher, "".join(self.daemon.log[-20:])
        assert delay <= 2 * self.usual + scaled(0.1)
        assert self.peak - self.before <= MOST_GROWTH_OF.get(name, MOST_GROWTH)
        newcomer = Client(self.daemon.address)
        start_delay(newcomer)
        newcomer.close()
        self.client.close()


def beside(watch, daemon, name):
    """The flood's own report; meanwhile the client goes on."""
    with subprocess.Popen([sys.executable, str(HERE / "floods.py"), name, str(daemon.socket_path), str(SECONDS_OF.get(name, SECONDS))],
                          stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "ready\n"
        while program.poll() is None or len(watch.delays) < SAMPLES:
            watch.look()
        return json.loads(program.stdout.read())


# The last test is about idle connections.
@pytest.mark.parametrize("name", [name for name in FLOODS if name != "idle"])
def test_client_that_abuses_http2_costs_bounded_memory_and_nobody_else_much_time(make_daemon, name):
    daemon = make_daemon(profiles=PROFILES)
    watch = Watch(daemon)
    report = beside(watch, daemon, name)
    print(report)
    watch.verdict(name)
    assert report["sent"] > 0 or report["ended"] > 0
    if name in ENDED:
        assert report["ended"] == ENDED[name]
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(5))


@pytest.mark.serial
def test_connections_never_take_the_descriptors_of_runs_and_the_listener_survives(make_daemon):
    """Once gRPC itself met EMFILE at accept, it never accepted again."""
    daemon = make_daemon(start=False, max_runs=32, profiles=PROFILES)
    plain = daemon.command
    daemon.command = lambda *extra: ["prlimit", "--nofile=4200:4200", *plain(*extra)]
    daemon.start()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    previous = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = []
    try:
        watch = Watch(daemon)
        for _ in range(5000):
            connections.append(Connection(daemon.socket_path, preface=False))
        for _ in range(SAMPLES):
            watch.look()
        watch.verdict("descriptors")
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, previous)
    dispatcher = daemon.dispatcher_pid()
    assert processes.wait_until(lambda: len(list(pathlib.Path(f"/proc/{dispatcher}/fd").iterdir())) < 100, scaled(10))


FIELDS = {"files": b"\x1a\x00", "arguments": b"\x2a\x00", "variables": b"\x32\x00", "unknown ones": b"\x78\x01", "a group's": b"\x7b\x7c"}


@pytest.mark.parametrize("name", FIELDS)
def test_message_of_millions_of_fields_is_refused_before_it_is_parsed(make_daemon, name):
    """Parsed, two bytes would be eighty."""
    daemon = make_daemon(profiles=PROFILES)
    watch = Watch(daemon)
    refusals = []
    other = Client(daemon.address)
    asking = threading.Thread(target=lambda: refusals.append(other.raw_refused(FIELDS[name] * 7_500_000)))
    asking.start()
    while asking.is_alive():
        watch.peak = max(watch.peak, rollup(watch.dispatcher))
    watch.look()
    other.close()
    assert (refusals[0].reason, refusals[0].fields) == ("INVALID_REQUEST", ["ExecuteRequest"])
    assert watch.peak - watch.before < 100 * MIB
    watch.verdict(name)


@pytest.mark.parametrize("method", ["GetRun", "ListRuns", "CancelRun", "ListProfiles", "GetServerInfo"])
def test_fields_that_nobody_knows_are_refused_by_every_method_before_they_are_parsed(make_daemon, method):
    """A request of gRPC's own bound, 17 MiB: once they were kept one by one, 140 MiB of them."""
    daemon = make_daemon(profiles=PROFILES)
    watch = Watch(daemon)
    refusals = []
    other = Client(daemon.address)
    asking = threading.Thread(target=lambda: refusals.append(other.raw_refused(FIELDS["unknown ones"] * 8_500_000, method)))
    asking.start()
    while asking.is_alive():
        watch.peak = max(watch.peak, rollup(watch.dispatcher))
    watch.look()
    other.close()
    assert (refusals[0].reason, refusals[0].metadata) == ("REQUEST_TOO_LARGE", {"limit_bytes": "65536"})
    assert watch.peak - watch.before < 60 * MIB
    watch.verdict(method)


def test_connections_beyond_the_bound_cost_the_daemon_the_oldest_unused_ones_only(make_daemon):
    daemon = make_daemon(profiles=PROFILES)
    used = Client(daemon.address)
    start_delay(used)
    watch = Watch(daemon)
    report = beside(watch, daemon, "idle")
    assert report["sent"] > MOST_CONNECTIONS
    assert start_delay(used) > 0  # idle for longest of all, but it has had a call
    watch.verdict("idle")
    used.close()
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(5))


def test_strangers_without_a_token_end_no_call_of_those_who_have_one(make_daemon):
    """Health is told to anybody; 8,192 calls may be open, and beyond them some connection has to go."""
    daemon = make_daemon(start=False, profiles=PROFILES)
    tokens = Tokens(daemon)
    alpha = tokens.add("default")
    tokens.write()
    daemon.start()
    mine = tokens.client(alpha)
    calls = [mine.start(request("print('here', flush=True)\nimport time\ntime.sleep(60)", limits={"wall_time_ms": 60_000})) for _ in range(20)]
    names = [call.until("accepted").accepted.name for call in calls]
    for call in calls:
        call.until("output")
    with contextlib.ExitStack() as stack:
        for _ in range(700):  # 14 each, fewer than the one connection above has
            stranger = stack.enter_context(contextlib.closing(Connection(tokens.address.removeprefix("unix:"))))
            with contextlib.suppress(ConnectionError):
                for _ in range(14):
                    stranger.call("/grpc.health.v1.Health/Watch")
        assert processes.wait_until(lambda: any("it had the most open calls" in line for line in daemon.log), scaled(20))
        for call, name in zip(calls, names):
            mine.unary("CancelRun", mine.api.run.CancelRunRequest(name=name))
            assert call.finish().verdict() == "CANCELED"
    tokens.close()
