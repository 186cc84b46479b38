"""One system call of a sandbox's making fails, and what comes of it. fault_tracer.c does the failing, on the released programs.

An experiment is one run, with one call of one process made to fail. Afterwards the daemon must be as it was.
"""

import collections
import contextlib
import dataclasses
import functools
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import grpc

from payloads import system_calls
from support import processes
from support.client import Client
from support.environment import REPOSITORY, scaled
from support.ownership import instance_name

SOURCE = pathlib.Path(__file__).with_name("fault_tracer.c")
STAGES_HEADER = REPOSITORY / "src" / "sandbox" / "setup_stage.h"
ROLES = ("caissond", "builder", "child", "init", "stub")
# Facts of the isolation that no two runs share.
RUNS_OWN = {"uid", "gid", "init_uid"}


@functools.lru_cache(maxsize=None)
def stages():
    """{text: name} of src/sandbox/setup_stage.h, longest text first, without `none`."""
    found = re.findall(r'^\s*X\((\w+), \d+, "([^"]+)"\)', STAGES_HEADER.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) > 40, f"{STAGES_HEADER} has changed its form"
    return {text: name for name, text in sorted(found, key=lambda pair: -len(pair[1])) if name != "None"}


def stage_in(message):
    """The name of the stage that a result's message speaks of, or None."""
    return next((name for text, name in stages().items() if text in message), None)


@functools.lru_cache(maxsize=None)
def call_names():
    return {number: name for name, number in system_calls().items()}


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens at the `ordinal`-th system call of a role, or at the `ordinal`-th of those named `only`."""

    role: str
    ordinal: int
    action: str = "error"
    value: int = 0
    only: str | None = None

    def __str__(self):
        what = f"errno {self.value}" if self.action == "error" else self.action
        return f"{self.only or 'call'} {self.ordinal} of {self.role}: {what}"


@dataclasses.dataclass
class Effect:
    """What an experiment came to. `call` is the name of the call that was hit, None if the run ended before it."""

    fault: Fault
    call: str | None
    program_ran: bool
    verdict: str
    message: str
    stdout: bytes
    isolation: dict

    @property
    def stage(self):
        return stage_in(self.message)

    def __str__(self):
        ran = "the program ran" if self.program_ran else "nothing ran"
        return f"{self.fault} ({self.call}): {self.verdict}, {ran}, stage {self.stage}: {self.message} {self.stdout[:80]!r}"


@functools.lru_cache(maxsize=None)
def compiled(directory):
    program = pathlib.Path(directory, "fault_tracer")
    subprocess.run(["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", program, SOURCE], check=True)
    return program


class Tracer:
    """fault_tracer at work on one caissond. Use as a context manager."""

    def __init__(self, pid):
        self._pid = pid
        self._directory = None
        self._process = None

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="caisson-fault-tracer-")
        self._process = subprocess.Popen([compiled(self._directory.name), str(self._pid), str(processes.builder_of(self._pid))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, bufsize=1)
        assert self._process.stdout.readline() == "seized\n"
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        code = self._process.wait(scaled(10))
        self._process.stdout.close()
        self._directory.cleanup()
        assert code == 0, f"fault_tracer ended with {code}"

    def arm(self, fault):
        number = -1 if fault.only is None else system_calls()[fault.only]
        self._say(f"arm {fault.role} {number} {fault.ordinal} {fault.action} {fault.value}", "armed")

    def trace(self):
        self._say("trace", "armed")

    def disarm(self):
        """What it has told since it was armed, each line as a list of words."""
        return self._say("disarm", "disarmed")

    def _say(self, line, answer):
        """What it has told before its answer, each line as a list of words."""
        self._process.stdin.write(line + "\n")
        told = []
        while (words := self._process.stdout.readline().split()) != [answer]:
            assert words, "fault_tracer has ended"
            told.append(words)
        return told


class Footprint:
    """What a daemon without runs has: processes, cgroups, mounts, descriptors, threads. Taken when it is made."""

    def __init__(self, daemon, at_rest=True):
        self._daemon = daemon
        name = instance_name(daemon.config["state_dir"])
        # os.walk, unlike rglob, does not mind what others remove meanwhile.
        self._places = [pathlib.Path(folder, name) for folder, below, _ in os.walk("/sys/fs/cgroup") if name in below]
        assert self._places, "no cgroup of this daemon"
        # What the last run held may go a moment after its end was told.
        looks = [self._look()]

        def quiet():
            looks.append(self._look())
            holds_a_run = any("/run-N/" in target for target in looks[-1]["descriptors"])
            return looks[-1] == looks[-2] and not looks[-1]["cgroups"] and not holds_a_run

        assert not at_rest or processes.wait_until(quiet, scaled(10), interval=0.1), f"the daemon never rests: {looks[-2:]}"
        self._before = looks[-1]

    def runs(self):
        """{cgroup of a run: its inode}, over all hierarchies."""
        found = {}
        for place in self._places:
            for entry in os.scandir(place) if place.exists() else ():
                if entry.name.startswith("run-"):
                    found[entry.path] = entry.inode()
        return found

    def _look(self):
        pid = self._daemon.pid
        targets = []
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                targets.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{pid}/fd/{name}")))
        mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
        return {"processes of runs": self._daemon.run_pids(), "children": len(processes.children(pid)), "cgroups": sorted(self.runs()),
                "mounts": len(mounts), "descriptors": collections.Counter(targets), "threads": processes.thread_count(pid)}

    def differs(self, seconds=10):
        """Waits until all is as it was; {what: (before, now)} if it never is."""
        differs = {}

        def same():
            now = self._look()
            differs.clear()
            differs.update({key: (value, now[key]) for key, value in self._before.items() if now[key] != value})
            if "descriptors" in differs:
                before, after = differs["descriptors"]
                differs["descriptors"] = {"gone": dict(before - after), "left": dict(after - before)}
            return not differs

        processes.wait_until(same, scaled(seconds))
        return differs


class Bench:
    """A daemon whose sandboxes' making is made to fail, again and again."""

    def __init__(self, daemon, start):
        """`start(client)` begins the run that is made to fail, and gives its Call."""
        self.daemon = daemon
        self._start = start
        self._client = Client(daemon.address)
        self.usual = self._run()
        assert self.usual[0] == "COMPLETED", self.usual
        self.footprint = Footprint(daemon)

    def close(self):
        self._client.close()

    def _run(self):
        """(verdict, message, stdout, isolation); a refused call's status is the verdict."""
        try:
            outcome = self._start(self._client).finish()
        except grpc.RpcError as error:
            return error.code().name, error.details(), b"", {}
        facts = {name: (fact.value, fact.source) for name, fact in outcome.facts().items() if name not in RUNS_OWN}
        return outcome.verdict(), outcome.result.message, outcome.stdout, facts

    def serves(self):
        """Whether an ordinary run goes as it should; a dispatcher may have to be started first."""
        return processes.wait_until(lambda: self._run()[0] == "COMPLETED", scaled(20), interval=0.05)

    def experiment(self, tracer, fault):
        tracer.disarm()  # what it has told of other runs
        tracer.arm(fault)
        verdict, message, stdout, isolation = self._run()
        told = tracer.disarm()
        fired = [line for line in told if line[0] == "fired"]
        call = call_names().get(int(fired[0][3]), fired[0][3]) if fired else None
        return Effect(fault, call, ["exec", "stub"] in told, verdict, message, stdout, isolation)

    def calls(self, tracer):
        """{role: [names of its calls, in order]} of a run that nothing disturbs."""
        tracer.trace()
        verdict, message, _, _ = self._run()
        assert verdict == "COMPLETED", message
        found = {role: [] for role in ROLES}
        for line in tracer.disarm():
            if line[0] == "call":
                found[line[1]].append(call_names().get(int(line[3]), line[3]))
        return found


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
