#!/usr/bin/python3
"""host_cost.py [--runs N] [--json]: what runs cost the host while they wait, for docs/sizing.md.

Starts a daemon of its own, takes the numbers without a run and with N runs of a Python program that sleeps, and prints the
difference by N. Needs root and a build. Programs' own memory is left out: what a program uses is its `memory_bytes`.
"""

import argparse
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from support import processes  # noqa: E402
from support.client import Client, request  # noqa: E402
from support.daemon import Daemon  # noqa: E402

MIB = 1024 * 1024
IDLE = "print('here', flush=True)\nimport time\ntime.sleep(280)"


def pss_bytes(pid):
    """Its share of memory: shared pages are split among those who share them."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no Pss of {pid}")


def kernel_bytes():
    """Memory of the kernel's own that grows with processes, namespaces, mounts and cgroups."""
    fields = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    return sum(int(fields[name].split()[0]) * 1024 for name in ("Slab", "PageTables", "KernelStack", "Percpu") if name in fields)


def take(daemon):
    dispatcher = daemon.dispatcher_pid()
    inside = daemon.run_pids()
    inits = [pid for pid in inside if processes.is_init(pid)]
    return {
        "caissond: memory, bytes": pss_bytes(daemon.pid),
        "caissond: descriptors": len(os.listdir(f"/proc/{daemon.pid}/fd")),
        "dispatcher: memory, bytes": pss_bytes(dispatcher),
        "dispatcher: descriptors": len(os.listdir(f"/proc/{dispatcher}/fd")),
        "dispatcher: threads": processes.thread_count(dispatcher),
        "init: memory, bytes": sum(pss_bytes(pid) for pid in inits),
        "processes": len(inside),
        "kernel: memory, bytes": kernel_bytes(),
    }


def measure(runs):
    """(without a run, with `runs`)"""
    config = {"max_runs": runs, "memory_budget_bytes": runs * 64 * MIB, "ready_sandboxes": 0}
    with Daemon(config=config) as daemon:
        client = Client(daemon.address)
        assert client.execute("print(1)").stdout == b"1\n"  # what is made once is made
        assert daemon.runs_are_gone()  # its init too, which may end after its result has come
        before = take(daemon)
        limits = {"memory_bytes": 32 * MIB, "wall_time_ms": 300_000}
        calls = [client.start(request(IDLE, limits=limits), timeout=None) for _ in range(runs)]
        for call in calls:
            call.until_output(b"here")
        during = take(daemon)
        for call in calls:
            call.cancel()
        client.close()
        return before, during


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    before, during = measure(arguments.runs)
    rows = {name: {"without": before[name], "each_run": (during[name] - before[name]) / arguments.runs} for name in before}
    if arguments.json:
        print(json.dumps({"runs": arguments.runs, "rows": rows}, indent=2))
        return
    print("| what | without a run | for each run |\n| --- | --- | --- |")
    for name, row in rows.items():
        is_bytes = name.endswith("bytes")
        without, each = ((f"{value / 1024:,.0f} KiB" if is_bytes else f"{value:g}") for value in row.values())
        print(f"| {name.removesuffix(', bytes')} | {'–' if name.startswith('kernel') else without} | {each} |")


if __name__ == "__main__":
    main()
