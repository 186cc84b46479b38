"""Runs one case against a daemon and says whether it held, with evidence. The tests and the report both use it."""

import contextlib
import dataclasses
import time

import grpc

import observers
from catalogue import WIDE
from expectations import judge, said
from payloads import expand, files_of
from support import protos
from support.client import Client
from support.environment import scaled

NEIGHBOUR_SECONDS = 10
READY = b"ready "
MOST_DENIALS = 5  # in the evidence


@dataclasses.dataclass
class Finding:
    """What came out of a case."""

    id: str
    complaints: list                     # inside: not what is expected
    harm: list                           # outside: something changed
    evidence: list                       # [run, what it showed]
    seconds: float = 0.0

    @property
    def held(self):
        return not self.complaints and not self.harm


def input_of(run, values):
    """Standard input: a text, or after @bytes: a number of bytes."""
    if run.stdin.startswith("@bytes:"):
        return b"x" * int(run.stdin.removeprefix("@bytes:"))
    return expand(run.stdin, values).encode()


def request_of(run, values):
    """The ExecuteRequest of a run."""
    message = protos.load().run.ExecuteRequest(profile=run.profile, stdin=input_of(run, values), **run.request)
    message.main_file, files = files_of(run)
    for path, (content, executable) in files.items():
        message.files.add(path=path, content=content, executable=executable)
    message.args.extend(expand(argument, values) for argument in run.args)
    for name, value in run.env.items():
        message.env[name] = expand(value, values)
    for name, value in run.limits.items():
        setattr(message.limits, name, value)
    return message


class CaseRun:
    """One case's work on one daemon."""

    def __init__(self, case, daemon, client):
        self.case, self.daemon, self.client = case, daemon, client
        self.finding = Finding(case.id, [], [], [])

    def run(self):
        started = time.monotonic()
        with observers.Surroundings(self.daemon) as surroundings:
            try:
                with contextlib.ExitStack() as host:
                    values = {"daemon_socket": self.daemon.socket_path, "state_dir": self.daemon.config["state_dir"]}
                    for name in self.case.host:
                        values.update(host.enter_context(observers.HOST[name](self.daemon)))
                    self._runs(values)
            except observers.Harmed as harmed:
                self.finding.harm.append(str(harmed))
            except grpc.RpcError as error:
                self.finding.complaints.append(f"the call failed: {error.code().name}: {error.details()}")
            self.finding.harm += surroundings.harm()
        self.finding.seconds = time.monotonic() - started
        return self.finding

    def _runs(self, values):
        staying = []
        neighbour = self._start_neighbour() if self.case.neighbour else None
        try:
            for run in self.case.runs:
                call = self.client.start(request_of(run, values))
                if run.stays:
                    call.until_output(READY)
                    staying.append((run, call))
                else:
                    self._finish(run, call, values)
        finally:
            for run, call in staying:
                self._end(run, call, {})
        if neighbour is not None:
            self._check_neighbour(neighbour)

    def _finish(self, run, call, values):
        """Reads to the end; before that, where the case says so, looks at the run from outside and cancels it."""
        examined = {}
        if run.examine:
            call.until_output(READY)
            examined = observers.EXAMINE[run.examine](self.daemon)
            self._end(run, call, examined)
        else:
            self._judge(run, call.finish(), examined, values)

    def _end(self, run, call, examined):
        name = next(e.accepted.name for e in call.events if e.WhichOneof("event") == "accepted")
        api = protos.load().run
        self.client.unary("CancelRun", api.CancelRunRequest(name=name))
        self._judge(run, call.finish(), examined, {})

    def _judge(self, run, outcome, examined, _values):
        lines = {} if run.scalar else said(outcome.stdout)
        lines.pop("ready", None)
        facts = observers.result_facts(outcome)
        if run.scalar:
            facts["stdout_is"] = observers.STDOUT[run.scalar](outcome)
        complaints = judge(run.expect, outcome, facts, lines, examined)
        if run.expect.within_ms is not None:
            began = next(t for e, t in zip(outcome.events, outcome.times) if e.WhichOneof("event") == "started")
            took_ms = (outcome.times[-1] - began) * 1000
            if took_ms > scaled(run.expect.within_ms):
                complaints.append(f"took {took_ms:.0f} ms, more than {run.expect.within_ms}")
        if run.profile.startswith(("python", "wide-python")) and outcome.stderr and complaints:
            complaints.append(f"stderr: {outcome.stderr.decode(errors='replace')[-300:]}")
        where = " ".join(filter(None, [run.name, "(filter wide open)" if run.setting == WIDE else ""]))
        self.finding.complaints += [f"{where}: {text}" if where else text for text in complaints]
        self.finding.evidence.append([where, evidence(run.expect, outcome, facts, lines, examined)])

    def _start_neighbour(self):
        message = protos.load().run.ExecuteRequest(profile="native", main_file="program")
        message.files.add(path="program", content=files_of(NEIGHBOUR)[1]["program"][0], executable=True)
        return time.monotonic(), self.client.start(message)

    def _check_neighbour(self, neighbour):
        """The run beside the bomb, and one after it."""
        started, call = neighbour
        for outcome in (call.finish(), self._start_neighbour()[1].finish()):
            if outcome.verdict() != "COMPLETED" or outcome.stdout != b"beat 1\nbeat 2\nbeat 3\n":
                self.finding.harm.append(f"the neighbour: {outcome.verdict()} {outcome.stdout!r} {outcome.result.message}")
        _ = started


@dataclasses.dataclass(frozen=True)
class _Neighbour:
    payload: str = "lib/neighbour.c"
    profile: str = "native"
    files: dict = dataclasses.field(default_factory=dict)


NEIGHBOUR = _Neighbour()


def evidence(expect, outcome, facts, lines, examined):
    """One short sentence about what a run showed."""
    result = outcome.result
    verdict = outcome.verdict()
    if verdict == "SIGNALED":
        verdict += f" {result.signal}"
    elif verdict == "COMPLETED" and result.exit_code != 0:
        verdict += f" {result.exit_code}"
    elif facts["killed"]:
        verdict += f" by {facts['killed']}"
    if result.HasField("limit"):
        verdict += f" {result.limit.name} {result.limit.observed} of {result.limit.limit}"
    told = {**lines, **{f"outside, {name}": value for name, value in examined.items()}}
    told.update({name: getattr(result.usage, name) for name in expect.usage if result.usage.HasField(name)})
    told.update({name: facts[name] for name in expect.result})
    if expect.outputs != ["*"]:
        told.update({f"returned {path}": text or "nothing" for path, text in facts["files"]["outputs"].items()})
        told.update({f"not returned {path}": reason for path, reason in facts["files"]["refused"].items()})
    by_value = {}
    for name, value in told.items():
        by_value.setdefault(str(value), []).append(name)
    words = [f"{', '.join(names)}: {value}" for value, names in by_value.items()]
    denials = [f"{name} ×{count}" for name, count in outcome.denials().items() if name != facts["killed"]]
    if len(denials) > MOST_DENIALS:
        denials[MOST_DENIALS:] = [f"{len(denials) - MOST_DENIALS} other calls"]
    return "; ".join(filter(None, [verdict, "; ".join(words), f"refused {', '.join(denials)}" if denials else ""]))


def run_case(case, daemon, client=None):
    """The Finding of one case."""
    own = client or Client(daemon.address)
    try:
        return CaseRun(case, daemon, own).run()
    finally:
        if client is None:
            own.close()
