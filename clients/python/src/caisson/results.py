"""What a run came to: plain, frozen values. None where the kernel or the service did not tell; never 0 for unknown."""

import dataclasses
import enum
import os
import pathlib

from caisson import _outputs
from caisson.errors import RunFailed


class Verdict(enum.StrEnum):
    """How a run ended. UNKNOWN stands for one of a newer server's: it did not complete."""

    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"  # it exited by itself, whatever the code
    SIGNALED = "SIGNALED"
    WALL_TIME_LIMIT = "WALL_TIME_LIMIT"
    CPU_TIME_LIMIT = "CPU_TIME_LIMIT"
    MEMORY_LIMIT = "MEMORY_LIMIT"
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    SYSCALL_VIOLATION = "SYSCALL_VIOLATION"
    CANCELED = "CANCELED"
    COMPILE_FAILED = "COMPILE_FAILED"
    SANDBOX_SETUP_FAILED = "SANDBOX_SETUP_FAILED"
    SERVICE_FAILED = "SERVICE_FAILED"


class Actor(enum.StrEnum):
    """Who decided the end."""

    UNKNOWN = "UNKNOWN"
    PROGRAM = "PROGRAM"
    KERNEL = "KERNEL"
    SUPERVISOR = "SUPERVISOR"
    CLIENT = "CLIENT"
    OPERATOR = "OPERATOR"
    SERVICE = "SERVICE"


class IsolationSource(enum.StrEnum):
    """Where a fact about the isolation comes from: read from the kernel, tried from inside, or given to the kernel."""

    UNKNOWN = "UNKNOWN"
    KERNEL_READ = "KERNEL_READ"
    PROBE = "PROBE"
    LOADED = "LOADED"


class RefusalReason(enum.StrEnum):
    """Why a file did not come back."""

    UNKNOWN = "UNKNOWN"
    NOT_FOUND = "NOT_FOUND"
    LINK = "LINK"
    HARD_LINK = "HARD_LINK"
    NOT_A_FILE = "NOT_A_FILE"
    SPARSE = "SPARSE"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY = "TOO_MANY"
    TOO_DEEP = "TOO_DEEP"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    READ_FAILED = "READ_FAILED"
    INVALID_NAME = "INVALID_NAME"


@dataclasses.dataclass(frozen=True, slots=True)
class LimitHit:
    """The limit that ended a run: `limit` and `observed` in the unit that `name` ends with."""

    name: str
    limit: int
    observed: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a program used, by the kernel's count."""

    wall_time_ms: int | None = None
    cpu_user_ms: int | None = None
    cpu_system_ms: int | None = None
    memory_peak_bytes: int | None = None
    memory_anonymous_bytes: int | None = None
    memory_file_bytes: int | None = None
    oom_kills: int | None = None
    pids_peak: int | None = None
    forks_denied: int | None = None
    voluntary_context_switches: int | None = None
    involuntary_context_switches: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Where a run's time went. `run_seconds` is the program's own: exec to the end of its main process."""

    queue_seconds: float | None = None
    setup_seconds: float | None = None
    start_seconds: float | None = None
    run_seconds: float | None = None
    teardown_seconds: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A refused system call, or the same one `count` times. `args` are the first refusal's; pointers mean nothing."""

    name: str
    count: int
    args: tuple[int, ...]
    decoded_args: tuple[str, ...]  # "AF_INET": what was wanted, in words
    explanation: str
    killed: bool
    step: str


@dataclasses.dataclass(frozen=True, slots=True)
class IsolationFact:
    """One property of the sandbox, and how it is known. docs/api.md lists them."""

    name: str
    value: str
    source: IsolationSource


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The isolation that was in force."""

    tier: str
    facts: tuple[IsolationFact, ...]
    accepted_degradations: tuple[str, ...]
    learning: bool
    root: str

    def fact(self, name: str) -> str | None:
        """The value of a fact, None if the server does not tell it."""
        return next((fact.value for fact in self.facts if fact.name == name), None)


@dataclasses.dataclass(frozen=True, slots=True)
class StreamCount:
    """Of one stream: what the program wrote, what was delivered, and whether that is less."""

    bytes: int
    delivered_bytes: int
    truncated: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one step, "compile" or "run", came to. `diagnostics`: what a compiler wrote, its first 64 KiB."""

    step: str
    verdict: Verdict
    exit_code: int | None
    signal: int | None
    usage: Usage
    timings: Timings
    diagnostics: str
    limit: LimitHit | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFile:
    """A file that came back, without its content. `digest` is "sha256:" and 64 hex digits."""

    path: str
    size_bytes: int
    digest: str
    executable: bool


@dataclasses.dataclass(frozen=True, slots=True)
class RefusedOutput:
    """A path that did not come back. `path` is a hostile program's word: print it, never open it."""

    path: str
    reason: RefusalReason
    message: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ObservedCall:
    """Of a learning run: a system call it made."""

    step: str
    name: str
    count: int
    args: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """What the tenant's policy said when it let the run in: the log has the same id. `rule` is empty where no policy speaks of it."""

    id: str
    rule: str
    policy_digest: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result as the service keeps it: everything but the bytes that the program wrote."""

    verdict: Verdict
    exit_code: int | None  # when it exited
    signal: int | None  # when a signal ended it
    message: str  # one sentence for people; may change
    ended_by: Actor
    limit: LimitHit | None
    usage: Usage
    steps: tuple[StepResult, ...]
    timings: Timings
    isolation: Isolation | None = dataclasses.field(repr=False)
    denials: tuple[Denial, ...]
    stdout_count: StreamCount | None  # None when the program was never let go
    stderr_count: StreamCount | None
    collected: tuple[CollectedFile, ...]
    refused_outputs: tuple[RefusedOutput, ...]
    refused_outputs_unlisted: int
    outputs_incomplete: bool
    observed_calls: tuple[ObservedCall, ...] = dataclasses.field(repr=False)
    observed_calls_unlisted: int
    decision: PolicyDecision | None = dataclasses.field(repr=False)

    @property
    def ok(self) -> bool:
        """It exited by itself, with 0."""
        return self.verdict is Verdict.COMPLETED and self.exit_code == 0

    @property
    def diagnostics(self) -> str:
        """What the compiler wrote; empty where there was no compile step."""
        return "".join(step.diagnostics for step in self.steps)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A file that came back. Its path and content are a hostile program's: write it with save_to()."""

    path: str  # relative to /box
    content: bytes = dataclasses.field(repr=False)
    executable: bool

    @property
    def text(self) -> str:
        """The content as UTF-8, with U+FFFD for what is not."""
        return self.content.decode(errors="replace")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result(RunResult):
    """What run() returns: the result, and all that the program wrote."""

    name: str  # "runs/" and 32 hex digits
    stdout: bytes
    stderr: bytes
    outputs: tuple[OutputFile, ...]  # those that are complete

    @property
    def stdout_text(self) -> str:
        """Standard output as UTF-8, with U+FFFD for what is not."""
        return self.stdout.decode(errors="replace")

    @property
    def stderr_text(self) -> str:
        """Standard error as UTF-8, with U+FFFD for what is not."""
        return self.stderr.decode(errors="replace")

    def output(self, path: str) -> OutputFile:
        """The file of this path; KeyError if it did not come back."""
        for file in self.outputs:
            if file.path == path:
                return file
        raise KeyError(path)

    def check(self) -> "Result":
        """This result if it is `ok`; otherwise raises RunFailed, which has it as `result`."""
        if not self.ok:
            raise RunFailed(self)
        return self

    def save_to(self, directory: str | os.PathLike[str], *, overwrite: bool = False) -> list[pathlib.Path]:
        """Writes `outputs` below `directory`, which is made if its parent exists. Returns their paths.

        Nothing is written outside of it, whatever the program called its files: no link on the way is followed, and a
        path that leads elsewhere is a ValueError before anything is written. FileExistsError if a file is there already,
        unless `overwrite`, which replaces files and links (never what a link points to) and no directory. Each file
        appears whole or not at all; those before a failure stay. An executable file is written executable.
        """
        return _outputs.save(((file.path, file.content, file.executable) for file in self.outputs), directory, overwrite)
