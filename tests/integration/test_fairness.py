"""Fairness between tenants, with the real daemon and real Python runs. Serial: it measures time and loads every CPU."""

import json
import os
import subprocess
import sys
import time

import pytest

from support.client import Client
from support.environment import REPOSITORY, scaled
from support.processes import wait_until

pytestmark = [pytest.mark.serial, pytest.mark.long]

CPUS = os.cpu_count()
SPIN = "import time\nwhile time.process_time() < 0.1: pass"


def tenants_of(make_daemon, policies, **config):
    """A daemon with a socket for each tenant of `policies`; {tenant: address}."""
    daemon = make_daemon(start=False, profiles=["python"], **config)
    folder = daemon.directory / "policies"
    folder.mkdir(mode=0o755)
    for name, members in {"default": {}, **policies}.items():
        file = folder / f"{name}.json"
        file.write_text(json.dumps({"schema_version": 1, "tenant": name, "profiles": ["*"], **members}))
        os.chmod(file, 0o644)
    addresses = {name: f"unix:{daemon.directory}/tenants/{name}.sock" for name in policies}
    daemon.config["tenants_dir"] = str(folder)
    daemon.config["listeners"] = [{"socket": address, "tenant": name} for name, address in addresses.items()]
    daemon.start()
    return addresses


# A process of its own: a flood's threads would hold up this one's clock.
FLOOD = """
import json, sys, threading, time
import grpc
from support.client import Client
address, width, seconds, source = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
client, results, end = Client(address), [], time.monotonic() + seconds

def keep_sending():
    while time.monotonic() < end:
        try:
            usage = client.execute(source).result.usage
            results.append((time.monotonic(), usage.cpu_user_ms + usage.cpu_system_ms))
        except grpc.RpcError:
            time.sleep(0.05)  # refused: as clients do, it waits before it comes again

threads = [threading.Thread(target=keep_sending) for _ in range(width)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(results))
"""


class Flood:
    """`width` clients' worth of requests at any time for so many seconds. results(): when each run ended, and its CPU time in ms."""

    def __init__(self, address, width, seconds):
        self._process = subprocess.Popen([sys.executable, "-c", FLOOD, address, str(width), str(seconds), SPIN],
                                         stdout=subprocess.PIPE, text=True,
                                         env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")})

    def results(self):
        output, _ = self._process.communicate(timeout=scaled(300))
        assert self._process.returncode == 0
        return json.loads(output)


def start_delays(address, count):
    """What the daemon measures from a request's arrival to its program's start, of runs one after the other: ([queue], [all
    of it]) in ms, sorted."""
    client = Client(address)
    delays = []
    for _ in range(count):
        timings = client.execute("pass").result.timings
        delays.append([part.ToNanoseconds() / 1e6 for part in (timings.queue, timings.setup, timings.start)])
        time.sleep(0.02)  # a tenant that comes now and then, not one that is always there
    client.close()
    return sorted(queue for queue, _, _ in delays), sorted(sum(parts) for parts in delays)


def has_begun(address, waiting):
    """Once so many of this tenant's runs wait, its flood is a flood."""
    client = Client(address)
    assert wait_until(lambda: client.info().runs_queued >= waiting, scaled(20))
    client.close()


def p99(delays):
    return delays[min(len(delays) - 1, int(len(delays) * 0.99))]


def test_flood_of_one_tenant_hardly_delays_another(make_daemon):
    addresses = tenants_of(make_daemon, {"quiet": {}, "loud": {}}, cpu_budget_millis=1000 * CPUS, max_runs=4 * CPUS)
    start_delays(addresses["quiet"], 10)  # warm
    alone_queue, alone = start_delays(addresses["quiet"], 100)
    flood = Flood(addresses["loud"], 20 * CPUS, scaled(20))
    has_begun(addresses["loud"], 4 * CPUS)
    beside_queue, beside = start_delays(addresses["quiet"], 100)
    print(f"start delays in ms, p99 and median: alone {p99(alone):.1f} {alone[50]:.1f}, beside a flood {p99(beside):.1f} {beside[50]:.1f}; "
          f"of them in the queue {p99(alone_queue):.1f} {alone_queue[50]:.1f}, {p99(beside_queue):.1f} {beside_queue[50]:.1f}")
    assert flood.results(), "the flood got nothing done"
    # What the scheduler decides, at the worst. Below a few milliseconds the clock of a busy machine decides.
    assert p99(beside_queue) <= 2 * max(p99(alone_queue), 10)
    # The rest is for CPUs that others use as well: at the median.
    assert beside[50] <= 2 * max(alone[50], 5)


def test_weights_one_two_four_share_the_cpus_within_a_tenth(make_daemon):
    weights = {"one": 1, "two": 2, "four": 4}
    addresses = tenants_of(make_daemon, {name: {"weight": weight} for name, weight in weights.items()}, max_runs=15)
    # What counts is a while in which all of them are there, from the moment that the last one has more than it gets.
    floods = {name: Flood(addresses[name], 30, scaled(60)) for name in weights}
    for address in addresses.values():
        has_begun(address, 10)
    begin = time.monotonic()
    end = begin + scaled(25)
    used = {name: sum(cpu_ms for ended, cpu_ms in flood.results() if begin <= ended <= end) for name, flood in floods.items()}
    whole = sum(used.values())
    shares = {name: used[name] / whole for name in weights}
    print(f"CPU shares: {shares}, {whole / 1000:.1f} s in all")
    for name, weight in weights.items():
        assert shares[name] == pytest.approx(weight / 7, rel=0.1), shares
