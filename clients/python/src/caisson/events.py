"""What happens in a run, in order: Queued*, Accepted, then of each step Started, Stdout, Stderr, Denied and StepFinished; the
collected files; Finished, once and last. Between the two streams no order is promised. New kinds of events of a newer server
are left out."""

import dataclasses

from caisson.results import Denial, Isolation, RunResult, Verdict


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Any event."""

    sequence: int = dataclasses.field(repr=False)  # 1, 2, 3, ... as the server counts them


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Queued(Event):
    """The run waits for a place; position 1 is next."""

    position: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """The run was admitted under this name. From here on there is a result."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """A sandbox stands, locked, and the program is about to be let go."""

    isolation: Isolation


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Output(Event):
    """Stdout or Stderr: bytes as the program wrote them, cut anywhere. Each step's streams begin at offset 0."""

    data: bytes
    offset: int
    step: str  # "compile" or "run"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stdout(Output):
    """A piece of standard output; of a terminal's output, too."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stderr(Output):
    """A piece of standard error."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Denied(Event):
    """The first refusal of a system call in a step; counts are in the result."""

    denial: Denial


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step that was started ended."""

    step: str
    verdict: Verdict
    exit_code: int | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OutputPiece(Event):
    """A piece of a file that comes back: one file after the other, each from offset 0 on. It is complete when its pieces add
    up to `size_bytes`. The path is a hostile program's, checked to lead nowhere out of a directory."""

    path: str
    data: bytes
    offset: int
    size_bytes: int
    executable: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """The end."""

    result: RunResult
