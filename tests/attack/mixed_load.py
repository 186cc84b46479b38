"""Runs of every kind, good and hostile mixed: what is sent, and how each may end. For tests that need a load rather than one attempt."""

import dataclasses
import functools
import pathlib

import grpc

from support.client import request
from support.native import compile_c

SOURCE = pathlib.Path(__file__).with_suffix(".c")
MIB = 1 << 20
LIMITS = {"wall_time_ms": 20_000, "cpu_time_ms": 10_000, "memory_bytes": 32 * MIB, "pids": 32}
# Lasts until its limit.
SHORT_MS = 300


@dataclasses.dataclass(frozen=True)
class Kind:
    """One of mixed_load.c's programs, or a source of another profile."""

    ends: set
    weight: int = 1
    profile: str = "native"
    source: str = ""
    limits: dict = dataclasses.field(default_factory=dict)
    output_paths: tuple = ()


COMPLETED = {"COMPLETED"}
KINDS = {
    "hello": Kind(COMPLETED, weight=60),
    "python": Kind(COMPLETED, weight=6, profile="python", source="print(sum(range(1000)))", limits={"memory_bytes": 64 * MIB}),
    "bash": Kind(COMPLETED, weight=6, profile="bash", source="for i in 1 2 3; do echo $i; done"),
    "outputs": Kind(COMPLETED, weight=4, output_paths=("out",)),
    "talks": Kind(COMPLETED, weight=2),
    "forks": Kind(COMPLETED, weight=2),
    "orphans": Kind(COMPLETED, weight=2),
    "eats": Kind({"MEMORY_LIMIT"}, weight=2),
    "spins": Kind({"CPU_TIME_LIMIT"}, limits={"cpu_time_ms": 50}),
    "sleeps": Kind({"WALL_TIME_LIMIT"}, weight=2, limits={"wall_time_ms": SHORT_MS}),
    "fills": Kind(COMPLETED | {"MEMORY_LIMIT"}, limits={"disk_bytes": 8 * MIB}),
    "many_files": Kind(COMPLETED, weight=2),
    "descriptors": Kind(COMPLETED, weight=2),
    "locks": Kind(COMPLETED),
    "refused": Kind(COMPLETED, weight=2),
    "forbidden": Kind({"SYSCALL_VIOLATION"}, weight=2),
    "kills": Kind({"COMPLETED", "SIGNALED"}, weight=2),
    "crashes": Kind({"SIGNALED"}, weight=2),
}
NAMES = sorted(KINDS)


def choose(chance):
    return chance.choices(NAMES, [KINDS[name].weight for name in NAMES])[0]


@functools.lru_cache(maxsize=None)
def program():
    return compile_c(SOURCE.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=None)
def message(name):
    kind = KINDS[name]
    main = {"native": "main", "python": "main.py", "bash": "main.sh"}[kind.profile]
    content = kind.source or program()
    return request(profile=kind.profile, files={main: content}, main_file=main, args=[name], limits=LIMITS | kind.limits,
                   output_paths=kind.output_paths)


def run(client, name):
    """How one run ended: its verdict, or the status of the call if it was refused."""
    try:
        return client.send(message(name)).verdict()
    except grpc.RpcError as error:
        return error.code().name
