"""Many runs at once: they load the machine, so each has it for itself."""

import statistics
import threading
import time

import pytest

from support import processes
from support.client import Client, request
from support.environment import scaled

MIB = 1024 * 1024
pytestmark = pytest.mark.serial

CLIENTS = 64
# Each lasts longer than the starts of all CLIENTS together.
SILENT = "import time\ntime.sleep(1.5)"
# A megabyte a second, in pieces of 64 KiB.
TALKING = """
import os, time
block = b"x" * 65536
begin = time.monotonic()
for n in range(24):
    os.write(1, block)
    time.sleep(max(0, begin + (n + 1) / 16 - time.monotonic()))
"""
IDLE = "print('here', flush=True)\nimport time\ntime.sleep(290)"


def start_delays(daemon, source):
    """Seconds from sending the request to `started`, of CLIENTS clients at once; every run must complete."""
    clients = [Client(daemon.address) for _ in range(CLIENTS)]
    delays, failures = [], []
    barrier = threading.Barrier(CLIENTS)

    def one(client):
        barrier.wait()
        try:
            outcome = client.execute(source, limits={"memory_bytes": 32 * MIB, "output_bytes": 8 * MIB, "wall_time_ms": 60_000})
            started = next(at for event, at in zip(outcome.events, outcome.times) if event.WhichOneof("event") == "started")
            delays.append(started - outcome.started_at)
            if outcome.verdict() != "COMPLETED":
                failures.append(outcome.verdict())
        except Exception as error:  # pylint: disable=broad-except
            failures.append(repr(error))

    threads = [threading.Thread(target=one, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert failures == []
    return delays


def p99(values):
    return statistics.quantiles(values, n=100)[98]


@pytest.mark.slow
def test_output_of_64_clients_does_not_delay_starts(make_daemon):
    daemon = make_daemon(max_runs=2 * CLIENTS, memory_budget_bytes=8 * 1024 * MIB)
    Client(daemon.address).execute("pass")
    # Rounds alternate, so that a busy moment of the machine hits both kinds.
    silent, talking = [], []
    for _ in range(3):
        silent += start_delays(daemon, SILENT)
        talking += start_delays(daemon, TALKING)
    print(f"\np99 of start delay: silent {p99(silent) * 1000:.0f} ms, talking {p99(talking) * 1000:.0f} ms")
    assert p99(talking) <= 1.5 * p99(silent)


@pytest.mark.slow
@pytest.mark.parametrize("open_runs", [250, pytest.param(1000, marks=pytest.mark.long)])
def test_open_runs_cost_bounded_threads_and_memory(make_daemon, open_runs):
    daemon = make_daemon(max_runs=open_runs, memory_budget_bytes=20 * 1024 * MIB)
    client = Client(daemon.address)
    client.execute("pass")
    dispatcher = daemon.dispatcher_pid()
    threads_before = processes.thread_count(dispatcher)
    resident_before = {pid: processes.resident_bytes(pid) for pid in (dispatcher, daemon.pid)}
    calls = []
    begin = time.monotonic()
    for _ in range(open_runs):
        calls.append(client.start(request(IDLE, limits={"memory_bytes": 16 * MIB, "wall_time_ms": 300_000, "pids": 4}), timeout=None))
    for call in calls:
        call.until_output(b"here")
    elapsed = time.monotonic() - begin
    assert client.info().runs_active == open_runs
    per_run = {pid: (processes.resident_bytes(pid) - before) / open_runs for pid, before in resident_before.items()}
    threads = processes.thread_count(dispatcher)
    inside = sum(processes.resident_bytes(pid) for pid in daemon.run_pids()) / open_runs
    print(f"\n{open_runs} open runs after {elapsed:.1f} s; threads of the dispatcher: {threads_before} before, {threads} now; "
          f"resident for each run: dispatcher {per_run[dispatcher] / 1024:.0f} KiB, caissond {per_run[daemon.pid] / 1024:.0f} KiB, "
          f"its own processes {inside / 1024:.0f} KiB")
    assert threads <= threads_before + 16 and threads <= 64
    assert per_run[dispatcher] < 512 * 1024
    assert per_run[daemon.pid] < 128 * 1024
    for call in calls:
        call.cancel()
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(30))
    assert processes.wait_until(lambda: client.info().runs_active == 0, scaled(30))


def test_hundred_runs_in_a_row_on_sixteen_clients_all_complete(client, daemon):
    del client
    failures = []

    def many():
        connection = Client(daemon.address)
        for number in range(6):
            outcome = connection.execute(f"print({number})", limits={"memory_bytes": 32 * MIB})
            if (outcome.verdict(), outcome.stdout) != ("COMPLETED", b"%d\n" % number):
                failures.append(outcome.events[-1])
        connection.close()

    threads = [threading.Thread(target=many) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_more_runs_than_places_wait_and_all_complete(make_daemon):
    daemon = make_daemon(max_runs=2)
    client = Client(daemon.address)
    calls = [client.start(request("print('done')")) for _ in range(12)]
    outcomes = [call.finish() for call in calls]
    assert [outcome.stdout for outcome in outcomes] == [b"done\n"] * 12
    assert any("queued" in outcome.kinds() for outcome in outcomes)


def test_large_run_waits_for_memory_and_is_not_starved(make_daemon):
    daemon = make_daemon(memory_budget_bytes=512 * MIB)
    client = Client(daemon.address)
    small = client.start(request("print('here', flush=True)\nimport time\ntime.sleep(1)", limits={"memory_bytes": 256 * MIB}))
    small.until_output(b"here")
    large = client.start(request("print('large')", limits={"memory_bytes": 512 * MIB}))
    large.until("queued")
    later = client.start(request("print('later')", limits={"memory_bytes": 64 * MIB}))
    later_outcome, large_outcome = later.finish(), large.finish()
    assert large_outcome.stdout == b"large\n" and later_outcome.stdout == b"later\n"
    started = {name: next(at for event, at in zip(o.events, o.times) if event.WhichOneof("event") == "started")
               for name, o in (("large", large_outcome), ("later", later_outcome))}
    assert small.finish().verdict() == "COMPLETED"
    assert started["large"] <= started["later"] + scaled(0.5)
