#!/usr/bin/python3
"""soak.py: thousands of runs, good and hostile mixed (tests/attack/mixed_load.py), and whether anything grows with their number.

A daemon of its own; after every SAMPLE_EVERY runs all is let end, and counted: memory of both processes, descriptors,
threads, mounts, network namespaces, cgroups (the daemon's directories, and the host's as /proc/cgroups counts them: a
removed one lingers there while a page it first touched does). Least-squares slopes over the last three quarters: memory must grow by less than 1 KiB a
run, everything else not at all. Exit code 1 otherwise, or if a run ended as it should not. Needs root and a build.
"""

import argparse
import collections
import concurrent.futures
import csv
import os
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "attack"), str(ROOT / "tests")]

import mixed_load  # noqa: E402
from fault_injection import Footprint  # noqa: E402
from support import processes  # noqa: E402
from support.client import Client  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.ownership import adopt_orphans  # noqa: E402

CLIENTS = 8
SAMPLE_EVERY = 100
MEMORY = ["caissond_rss_bytes", "dispatcher_rss_bytes"]
MOST_BYTES_A_RUN = 1024
# A count that has grown by less than one thing over all that is measured has not grown.
MOST_GROWTH = 1.0
SETTLE_SECONDS = 15


def host_cgroups():
    """As the kernel counts them, those that are removed but not gone among them; all hierarchies together."""
    lines = pathlib.Path("/proc/cgroups").read_text(encoding="ascii").splitlines()[1:]
    return sum(int(line.split()[2]) for line in lines)


def network_namespaces():
    """Of every process of this machine that can be looked at."""
    found = set()
    for pid in processes.pids():
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            continue
    return len(found)


class Probe:
    """What one sample consists of."""

    def __init__(self, daemon):
        self._daemon = daemon
        self._dispatcher = daemon.dispatcher_pid()
        self._footprint = Footprint(daemon)

    def sample(self, runs):
        left = self._footprint.differs(SETTLE_SECONDS)
        pid, dispatcher = self._daemon.pid, self._dispatcher
        mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
        return {
            "runs": runs,
            "caissond_rss_bytes": processes.resident_bytes(pid),
            "dispatcher_rss_bytes": processes.resident_bytes(dispatcher),
            "caissond_descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "dispatcher_descriptors": len(os.listdir(f"/proc/{dispatcher}/fd")),
            "caissond_threads": processes.thread_count(pid),
            "dispatcher_threads": processes.thread_count(dispatcher),
            "caissond_mounts": len(mounts),
            "run_cgroups": len(self._footprint.runs()),
            "host_cgroups": host_cgroups(),
            "network_namespaces": network_namespaces(),
            "processes_of_runs": len(self._daemon.run_pids()),
        }, left


class Work:
    """Clients that take one number after the other until all are done."""

    def __init__(self, daemon, seed):
        self._clients = [Client(daemon.address) for _ in range(CLIENTS)]
        self._seed = seed
        self._lock = threading.Lock()
        self.ends = collections.Counter()
        self.wrong = []

    def _one(self, client, number):
        name = mixed_load.choose(random.Random(f"{self._seed} {number}"))
        end = mixed_load.run(client, name)
        with self._lock:
            self.ends[end] += 1
            if end not in mixed_load.KINDS[name].ends:
                self.wrong.append((number, name, end))

    def do(self, first, count):
        numbers = iter(range(first, first + count))

        def serve(client):
            while True:
                with self._lock:
                    number = next(numbers, None)
                if number is None:
                    return
                self._one(client, number)

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            for future in [pool.submit(serve, client) for client in self._clients]:
                future.result()

    def close(self):
        for client in self._clients:
            client.close()


def slope(samples, name):
    """Least squares, per run, over the last three quarters of the runs."""
    points = [(sample["runs"], sample[name]) for sample in samples if sample["runs"] * 4 >= samples[-1]["runs"]]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def judge(samples, ignored=()):
    """[(name, slope, most, fine)]. `ignored` are told, and not held to their bound."""
    span = samples[-1]["runs"] * 3 / 4
    rows = []
    for name in samples[0]:
        if name == "runs":
            continue
        most = MOST_BYTES_A_RUN if name in MEMORY else MOST_GROWTH / span
        value = slope(samples, name)
        rows.append((name, value, most, value < most or name in ignored))
    return rows


def soak(runs, seed):
    """(samples, work): everything that was counted, and how the runs ended."""
    samples = []
    with Daemon(ready_sandboxes=0) as daemon:
        work = Work(daemon, seed)
        work.do(-SAMPLE_EVERY, SAMPLE_EVERY)  # what is opened once and kept is open before the first sample
        work.ends.clear()
        probe = Probe(daemon)
        done, begin = 0, time.monotonic()
        while done < runs:
            count = min(SAMPLE_EVERY, runs - done)
            work.do(done, count)
            done += count
            sample, left = probe.sample(done)
            samples.append(sample)
            if left:
                work.wrong.append((done, "left", left))
            if done % (10 * SAMPLE_EVERY) == 0:
                print(f"{done} runs, {time.monotonic() - begin:.0f} s: {sample}", flush=True)
        work.close()
    return samples, work


def write_plot(samples, rows, path, title):
    import matplotlib  # only where a plot is wanted; pylint: disable=import-outside-toplevel
    matplotlib.use("Agg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
    figure, axes = pyplot.subplots(4, 3, figsize=(13, 11), sharex=True)
    runs = [sample["runs"] for sample in samples]
    for axis, (name, value, _, _) in zip(axes.flat, rows):
        scale = 1 / 1024 if name in MEMORY else 1
        axis.plot(runs, [sample[name] * scale for sample in samples], linewidth=1)
        unit = "B" if name in MEMORY else ""
        axis.set_title(f"{name.replace('_bytes', ', KiB')}\n{value:+.5f}{unit} a run", fontsize=9)
        axis.set_ylim(bottom=0)
        axis.axvspan(runs[-1] / 4, runs[-1], alpha=0.06)
    for axis in axes.flat[len(rows):]:
        axis.axis("off")
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=80, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", default="soak", help="which run is of which kind (default: soak)")
    parser.add_argument("--plot", type=pathlib.Path, help="write a PNG; needs python3-matplotlib")
    parser.add_argument("--csv", type=pathlib.Path, help="write every sample")
    parser.add_argument("--busy-host", action="store_true", help="others start and end cgroups and network namespaces of their own on this "
                        "machine meanwhile: tell what the host has of them, and hold only what is the daemon's own to its bound")
    options = parser.parse_args()
    if options.runs < 8 * SAMPLE_EVERY:
        parser.error(f"--runs must be at least {8 * SAMPLE_EVERY}: a slope needs samples")
    if os.geteuid() != 0:
        parser.error("needs root: caissond makes cgroups, mounts and namespaces")
    adopt_orphans()
    begin = time.monotonic()
    samples, work = soak(options.runs, options.seed)
    rows = judge(samples, ("host_cgroups", "network_namespaces") if options.busy_host else ())
    print(f"{options.runs} runs in {time.monotonic() - begin:.0f} s: {dict(work.ends)}")
    for name, value, most, fine in rows:
        print(f"{'fine ' if fine else 'GROWS'}  {name:<24} {value:+.6f} a run, bound {most:.6f}; {samples[0][name]} first, {samples[-1][name]} last")
    for entry in work.wrong[:20]:
        print(f"WRONG  {entry}")
    if options.csv:
        with open(options.csv, "w", newline="", encoding="ascii") as file:
            writer = csv.DictWriter(file, samples[0])
            writer.writeheader()
            writer.writerows(samples)
    if options.plot:
        write_plot(samples, rows, options.plot, f"{options.runs} runs, good and hostile mixed, {CLIENTS} clients, Linux {os.uname().release}")
    return 0 if all(row[3] for row in rows) and not work.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
