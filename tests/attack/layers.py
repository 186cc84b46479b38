"""The attempts: one for each layer that a mutation build can leave out.

An attempt is a Python program that prints what it got, an errno name or a value. `held` is what it must print in a
released build; `through` says whether its answer shows that the layer is gone; `fact` is the field of the isolation
report that must change with it, unless the report is made before the layer is applied. Every attempt is harmless when it gets through: the other layers still hold.
"""

import dataclasses
import os
from typing import Callable

PREAMBLE = """
import ctypes, errno, os, socket, stat, sys
libc = ctypes.CDLL(None, use_errno=True)

def attempt(call):
    try:
        result = call()
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(result, flush=True)

def raw(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return result
"""


@dataclasses.dataclass(frozen=True)
class Attempt:
    layer: str
    what: str                         # what it tries, and who must stop it
    source: str
    held: Callable[[str], bool]       # of its output, in the released build
    through: Callable[[str], bool]    # of its output, in the mutation build
    fact: str | None = None
    fact_held: Callable[[str], bool] = lambda value: True
    profile: str = "python"
    limits: dict = dataclasses.field(default_factory=dict)
    verdict_held: str = "COMPLETED"
    verdict_through: str = "COMPLETED"

    @property
    def program(self):
        return PREAMBLE + self.source


def _is(text):
    return lambda output: output.strip() == text


def _host_namespace(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


HOST_NAME = os.uname().nodename
SEGMENT_KEY = 0x43000000 + os.getpid()  # this test process's own

ATTEMPTS = [
    Attempt(
        "syscall_filter", "opens an Internet socket; the filter allows AF_UNIX only",
        "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).fileno() > 2)",
        held=_is("EAFNOSUPPORT"), through=_is("True"), fact="seccomp_mode", fact_held=_is("2")),
    Attempt(
        "landlock", "reads a file that modes and mounts let everybody read; Landlock does not know it",
        "attempt(lambda: open('/.caisson-landlock-probe').read() == '')",
        held=_is("EACCES"), through=_is("True"), fact="landlock_enforced", fact_held=lambda v: v in ("1", "true")),
    Attempt(
        "capability_drop", "gives a file of its own away, which needs CAP_CHOWN",
        "open('given', 'w').close(); attempt(lambda: os.chown('given', 1, 1))",
        held=_is("EPERM"), through=_is("None"), fact="cap_effective", fact_held=lambda v: int(v, 16) == 0),
    Attempt(
        "user_namespace_ban", "makes a user namespace under a filter that would allow it; the namespace's own limit is 0",
        "attempt(lambda: raw(272, 0x10000000))",
        held=_is("ENOSPC"), through=_is("0"), fact="max_user_namespaces", fact_held=_is("0"), profile="lenient"),
    Attempt(
        "network_namespace", "counts the interfaces it can see",
        "attempt(lambda: sum(':' in line for line in open('/proc/self/net/dev')))",
        held=_is("1"), through=lambda output: int(output) > 1, fact="namespaces",
        fact_held=lambda v: "network" in v.split(",")),
    Attempt(
        "ipc_namespace", "attaches to a System V segment of the host, under a filter that would allow it",
        f"attempt(lambda: raw(29, {SEGMENT_KEY}, 0, 0) >= 0)",
        held=_is("ENOENT"), through=_is("True"), fact="namespaces", fact_held=lambda v: "ipc" in v.split(","),
        profile="lenient"),
    Attempt(
        "uts_namespace", "asks for the host's name",
        "attempt(lambda: os.uname().nodename)",
        held=_is("caisson"), through=_is(HOST_NAME), fact="namespaces", fact_held=lambda v: "uts" in v.split(",")),
    Attempt(
        "cgroup_namespace", "looks for the daemon's cgroup in its own /proc",
        "attempt(lambda: 'caisson-' in open('/proc/self/cgroup').read())",
        held=_is("False"), through=_is("True"), fact="namespaces", fact_held=lambda v: "cgroup" in v.split(",")),
    Attempt(
        "read_only_root", "makes a directory in /usr: the mount says no before any mode does",
        "attempt(lambda: os.mkdir('/usr/caisson-attack'))",
        held=_is("EROFS"), through=_is("EACCES"), fact="mounts", fact_held=lambda v: "root_read_only" in v),
    Attempt(
        "restricted_proc", "reads what /proc tells about the host",
        "attempt(lambda: 'MemTotal' in open('/proc/meminfo').read())",
        held=_is("ENOENT"), through=_is("True"), fact="mounts", fact_held=lambda v: "proc_restricted" in v),
    Attempt(
        "pids_limit", "forks 200 times under a limit of 32",
        """
made = []
try:
    for _ in range(200):
        pid = os.fork()
        if pid == 0:
            import time
            time.sleep(30)
            os._exit(0)
        made.append(pid)
except OSError as error:
    made.append(errno.errorcode[error.errno])
print(made[-1] if isinstance(made[-1], str) else len(made), flush=True)
os._exit(0)
""",
        held=_is("EAGAIN"), through=_is("200"), fact="cgroup_pids", fact_held=_is("32"), limits={"pids": 32}),
    Attempt(
        "memory_limit", "writes to 128 MiB under a limit of 48 MiB",
        "block = bytearray(128 << 20)\nfor i in range(0, len(block), 4096):\n    block[i] = 1\nprint('had it', flush=True)",
        held=_is(""), through=_is("had it"), fact="cgroup_memory_bytes", fact_held=_is(str(48 << 20)),
        limits={"memory_bytes": 48 << 20}, verdict_held="MEMORY_LIMIT"),
    Attempt(
        "no_new_privs", "asks whether an exec could give it more than it has; set-uid programs are still of no use to it, "
        "since their owners do not exist inside and every mount is nosuid",
        "attempt(lambda: [line.split()[1] for line in open('/proc/self/status') if line.startswith('NoNewPrivs')][0])",
        held=_is("1"), through=_is("0"), fact="no_new_privs", fact_held=_is("1")),
    Attempt(
        "own_descriptors", "looks for init's line to caissond, where init has it",
        "attempt(lambda: stat.S_ISSOCK(os.fstat(3).st_mode))",
        held=_is("EBADF"), through=_is("True")),
    Attempt(
        "user_namespace", "asks who owns /usr: nobody whom it could name, where root does not exist",
        "attempt(lambda: os.stat('/usr').st_uid)",
        held=_is("65534"), through=_is("0"), fact="namespaces", fact_held=lambda v: "user" in v.split(",")),
]

# Layers that the rest of the set-up stands on. Without one nothing runs, and this is who refuses.
NOTHING_RUNS_WITHOUT = {
    "pid_namespace": "caissond, which does not find the stub below the init of a pid namespace",
    "pivoted_root": "the stub, which does not find the work directory",
}

# What `caissond --check` of each mutation build says of itself: which check fails, and with which words (a pattern).
CHECK_SAYS = {
    "syscall_filter": ("sandbox", "seccomp_mode is 0"),
    "landlock": ("sandbox", "landlock_enforced is 0"),
    "capability_drop": ("sandbox", "cap_inheritable is"),
    "user_namespace_ban": ("user_namespace_ban", "a user namespace could be made"),
    "network_namespace": ("sandbox", "namespaces lacks network"),
    "ipc_namespace": ("sandbox", "namespaces lacks ipc"),
    "uts_namespace": ("sandbox", "namespaces lacks uts"),
    "cgroup_namespace": ("sandbox", "namespaces lacks cgroup"),
    "read_only_root": ("sandbox", "mounts lacks root_read_only"),
    "restricted_proc": ("sandbox", "mounts lacks proc_restricted"),
    "pids_limit": ("sandbox", "the limit of processes is not in force"),
    "memory_limit": ("sandbox", "the memory limit is not in force"),
    "no_new_privs": ("sandbox", "no_new_privs is 0"),
    "own_descriptors": ("sandbox", "has descriptor 3 open"),
    "user_namespace": ("sandbox", "uid_map_inside is 0"),
    "pid_namespace": ("sandbox", "not the init of a pid namespace"),
    "pivoted_root": ("sandbox", "work directory|lock init"),  # the stub, or init: who looks for /box first
}
