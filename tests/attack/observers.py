"""What is looked at from outside: things of the host that a payload is told of and must not reach (HOST), what a run in
progress looks like (EXAMINE), and what must be as before after every case (Surroundings)."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import re
import socket
import tempfile
import threading
import time

from support import processes, protos
from support.environment import scaled

SYSV_KEY = 0x42000000 + os.getpid()  # this test process's own
MOST_GROWTH_BYTES = 48 << 20
MOST_LOG_LINES = 20
MOST_ORPHANS = 16_384
MOST_TCP_PAGES = 32_768
MOST_CONNECTION_SECONDS = 0.9  # less than one lost packet costs
MOST_SHOWN = 200  # of a file that came back
MOST_LOG_BYTES = 8192


class Harmed(Exception):
    """Something of the host's has been reached."""


@contextlib.contextmanager
def abstract_socket(_daemon):
    """A listener in the host's network namespace, with an abstract name."""
    name = f"caisson-attack-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + name)
        listener.listen()
        listener.setblocking(False)
        yield {"abstract_socket": name}
        with contextlib.suppress(BlockingIOError):
            listener.accept()
            raise Harmed("somebody connected to the host's abstract socket")


@contextlib.contextmanager
def loopback_listener(_daemon):
    """A TCP listener on the host's 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield {"loopback_port": listener.getsockname()[1]}
        with contextlib.suppress(BlockingIOError):
            listener.accept()
            raise Harmed("somebody connected to the host's loopback interface")


@contextlib.contextmanager
def path_socket(_daemon):
    """A Unix socket in the host's /run that anybody may connect to."""
    with tempfile.TemporaryDirectory(prefix="caisson-attack-", dir="/run") as directory:
        os.chmod(directory, 0o755)
        path = f"{directory}/socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o666)
            listener.listen()
            listener.setblocking(False)
            yield {"path_socket": path}
            with contextlib.suppress(BlockingIOError):
                listener.accept()
                raise Harmed("somebody connected to a socket of the host's")


@contextlib.contextmanager
def sysv_segment(_daemon):
    """A System V segment of the host's that anybody may attach to."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(SYSV_KEY, 4096, 0o1666)
    if segment < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    try:
        yield {"sysv_key": SYSV_KEY}
    finally:
        libc.shmctl(segment, 0, None)


@contextlib.contextmanager
def canary(_daemon):
    """A directory and a file of the host's that anybody may write; nothing in them may change."""
    with tempfile.TemporaryDirectory(prefix="caisson-attack-", dir="/run") as directory:
        os.chmod(directory, 0o777)
        path = pathlib.Path(directory, "canary")
        path.write_text("untouched")
        os.chmod(path, 0o666)
        before = (os.stat(path), sorted(os.listdir(directory)))
        yield {"canary": path, "canary_directory": directory}
        after = (os.stat(path), sorted(os.listdir(directory)))
        if path.read_text() != "untouched" or after[1] != before[1]:
            raise Harmed(f"{directory} has changed: {after[1]}, {path.read_text()!r}")
        for field in ("st_uid", "st_gid", "st_mode", "st_mtime_ns", "st_ino", "st_nlink"):
            if getattr(before[0], field) != getattr(after[0], field):
                raise Harmed(f"{field} of {path} has changed")


@contextlib.contextmanager
def shared_memory_mark(_daemon):
    """A file in the host's /dev/shm that anybody may read."""
    with tempfile.NamedTemporaryFile(prefix="caisson-attack-", dir="/dev/shm") as mark:
        os.chmod(mark.name, 0o644)
        yield {"shared_memory_mark": mark.name}


@contextlib.contextmanager
def host_process(_daemon):
    """A process of the host's that anybody could end, were it not for uids and namespaces: this one."""
    yield {"host_pid": os.getpid()}


@contextlib.contextmanager
def flat_memory(daemon):
    """caissond and the dispatcher hold no more than before, but for a little."""
    pids = {"caissond": daemon.pid, "the dispatcher": daemon.dispatcher_pid()}
    before = {name: processes.resident_bytes(pid) for name, pid in pids.items()}
    yield {}
    for name, pid in pids.items():
        grown = processes.resident_bytes(pid) - before[name]
        if grown > MOST_GROWTH_BYTES:
            raise Harmed(f"{name} holds {grown >> 20} MiB more than before")


def tcp_counters():
    """What the kernel holds for TCP on the whole host: sockets without a descriptor, pages of memory."""
    line = re.search(r"^TCP: .*$", pathlib.Path("/proc/net/sockstat").read_text(encoding="ascii"), re.MULTILINE)[0].split()
    return {name: int(line[line.index(name) + 1]) for name in ("orphan", "mem")}


@contextlib.contextmanager
def network_of_the_host(_daemon):
    """The host's own connections go on meanwhile, and its counts for TCP stay far from their bounds."""
    before, most, worst, stop = tcp_counters(), {"orphan": 0, "mem": 0}, [0.0], threading.Event()

    def watch():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            while not stop.wait(0.01):
                started = time.monotonic()
                with socket.create_connection(listener.getsockname(), timeout=scaled(10)) as one, listener.accept()[0] as other:
                    one.sendall(b"x")
                    other.recv(1)
                worst[0] = max(worst[0], time.monotonic() - started)
                for name, value in tcp_counters().items():
                    most[name] = max(most[name], value - before[name])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield {}
    finally:
        stop.set()
        watcher.join()
    if most["orphan"] > MOST_ORPHANS or most["mem"] > MOST_TCP_PAGES:
        raise Harmed(f"at most {most['orphan']} orphans and {most['mem']} pages of TCP memory more than before")
    if worst[0] > scaled(MOST_CONNECTION_SECONDS):
        raise Harmed(f"a connection of the host's took {worst[0]:.1f} s")
    if not processes.wait_until(lambda: tcp_counters()["orphan"] <= before["orphan"] + 64, scaled(5)):
        raise Harmed(f"{tcp_counters()} is left")


@contextlib.contextmanager
def short_log(daemon):
    """The daemon's log grows by a few lines at most."""
    before = len(daemon.log)
    yield {}
    lines = daemon.log[before:]
    if len(lines) > MOST_LOG_LINES or sum(map(len, lines)) > MOST_LOG_BYTES:
        raise Harmed(f"the log grew by {len(lines)} lines: {lines[:2]}")


HOST = {f.__name__: f for f in (abstract_socket, loopback_listener, path_socket, sysv_segment, canary, shared_memory_mark,
                                host_process, flat_memory, short_log, network_of_the_host)}


def payload_pids(daemon):
    """Processes of runs but for their init, oldest first."""
    return [pid for pid in daemon.run_pids() if not processes.is_init(pid)]


def box_owner(daemon):
    """Who owns what the run made, seen by the host."""
    pid = payload_pids(daemon)[0]
    owners = {os.stat(f"/proc/{pid}/root{path}").st_uid for path in ("/box/mine", "/tmp/mine", "/dev/shm/mine")}
    first, count = daemon.id_first, daemon.config["id_count"]
    ours = all(first <= owner < first + count for owner in owners)
    uid = int(processes.status_field(pid, "Uid").split()[0])
    return {"owner": "an id of the run's" if ours and owners == {uid} else f"{owners}"}


def cgroup_places(daemon):
    """Is every process of the run still in the run's own cgroups?"""
    places = set()
    for pid in payload_pids(daemon):
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory", "pids", "cpu", "cpu,cpuacct", "cpuacct"):
                places.add(bool(re.search(r"/caisson-[0-9a-f]{16}/.*/payload$", path)) or path == "/" or controllers == "")
    return {"cgroups": "the run's own" if places == {True} else f"{places}"}


def impersonator(daemon):
    """Is a process that calls itself by our names still taken for what it is?"""
    names = sorted({processes.status_field(pid, "Name") for pid in payload_pids(daemon)})
    dispatcher = daemon.dispatcher_pid()
    ours = dispatcher is not None and dispatcher not in daemon.run_pids()
    return {"names": " ".join(names), "dispatcher": "the daemon's own" if ours else "the payload"}


EXAMINE = {f.__name__: f for f in (box_owner, cgroup_places, impersonator)}


def only_y(outcome):
    """Nothing but the letter y."""
    return " ".join(sorted({chr(byte) for byte in set(outcome.stdout)}))


def every_byte(outcome):
    """All byte values in their order, 4096 times."""
    return "as written" if outcome.stdout == bytes(range(256)) * 4096 else "something else"


def euros(outcome):
    """Euro signs, perhaps cut."""
    whole = len(outcome.stdout) // 3
    return f"{whole} and {len(outcome.stdout) - 3 * whole} bytes" if outcome.stdout == ("€" * (whole + 1)).encode()[:len(outcome.stdout)] else "something else"


STDOUT = {f.__name__: f for f in (only_y, every_byte, euros)}


def returned_files(outcome):
    """{"outputs": {path: content}, "refused": {path: reason}} as the client got them."""
    content = {}
    for event in outcome.events:
        if event.WhichOneof("event") == "output_file":
            piece = event.output_file
            content[piece.path] = content.get(piece.path, b"") + piece.data
    told = {}
    for file in outcome.result.outputs:
        text = content[file.path]
        assert len(text) == file.size_bytes and file.digest == "sha256:" + hashlib.sha256(text).hexdigest(), file
        told[file.path] = text[:MOST_SHOWN].decode(errors="replace") + (" (executable)" if file.executable else "")
    reasons = protos.load().run.RefusedOutput.Reason
    return {"outputs": told, "refused": {refused.path: reasons.Name(refused.reason) for refused in outcome.result.refused_outputs}}


def result_facts(outcome):
    """Fields of the result that an expectation may name under `result`."""
    result = outcome.result
    files = returned_files(outcome)
    return {
        "files": files, "outputs": len(files["outputs"]), "refused_outputs": len(files["refused"]),
        "refused_outputs_unlisted": result.refused_outputs_unlisted, "outputs_incomplete": result.outputs_incomplete,
        "refusal_reasons": " ".join(sorted(set(files["refused"].values()))),
        "killed": ",".join(sorted(d.name for d in result.denials if d.killed)),
        "stdout_bytes": result.stdout.bytes, "stdout_truncated": result.stdout.truncated,
        "stdout_delivered": len(outcome.stdout), "stderr_delivered": len(outcome.stderr),
        "stderr_bytes": result.stderr.bytes, "stderr_truncated": result.stderr.truncated,
        "cpu_ms": result.usage.cpu_user_ms + result.usage.cpu_system_ms,
        "message": result.message, "finals": outcome.kinds().count("finished"),
    }


class Surroundings:
    """What no case may change: the host's name, files and limits; the daemon, its dispatcher, its log; nobody survives."""

    WATCHED = ("/usr", "/usr/bin", "/usr/lib", "/etc", "/etc/passwd", "/etc/shadow", "/etc/ld.so.cache")
    BROKEN = ("broke the control protocol", "is not permitted in the sandbox's state", "protocol violation")

    def __init__(self, daemon):
        self._daemon = daemon

    def _state(self):
        files = {}
        for path in self.WATCHED:
            info = os.stat(path)
            files[path] = (info.st_mtime_ns, info.st_uid, info.st_gid, info.st_mode, info.st_size)
        namespaces = pathlib.Path("/proc/sys/user/max_user_namespaces").read_text(encoding="ascii")
        return {"the host's name": os.uname().nodename, "the host's files": files, "max_user_namespaces": namespaces,
                "the test's network": os.readlink("/proc/self/ns/net"), "caissond": self._daemon.pid,
                "the dispatcher": self._daemon.dispatcher_pid()}

    def __enter__(self):
        self._log_lines = len(self._daemon.log)
        self._before = self._state()
        return self

    def harm(self):
        """Complaints, after the case's last run has ended."""
        complaints = []
        if self._daemon.process.poll() is not None:
            return [f"caissond has ended with {self._daemon.process.returncode}"]
        if processes.wait_until(lambda: not self._daemon.run_pids(), scaled(1), 0.01) is False:
            complaints.append(f"alive a second later: {self._daemon.run_pids()}")
        after = self._state()
        complaints += [f"{what} has changed" for what, value in self._before.items() if after[what] != value]
        for line in self._daemon.log[self._log_lines:]:
            if any(words in line for words in self.BROKEN):
                complaints.append(f"the log says: {line.strip()}")
            if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line.rstrip("\n")):
                complaints.append(f"control characters in the log: {line!r}")
        return complaints

    def __exit__(self, *_):
        return False
