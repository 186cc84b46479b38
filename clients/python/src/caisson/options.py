"""What run(), stream() and interact() take beside the profile and the source: one list for all of them."""

import dataclasses
import enum
import os
import typing
from collections.abc import Mapping, Sequence

Content = str | bytes | os.PathLike[str]
"""Text (sent as UTF-8), bytes, or the path of a file of this machine."""


class OutputOverflow(enum.StrEnum):
    """What happens when a stream has delivered output_bytes: the rest is dropped and counted, or the run ends."""

    TRUNCATE = "truncate"
    KILL = "kill"


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file to put into /box. `executable` None: as the file of this machine is; False for text and bytes."""

    content: Content
    executable: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal instead of three pipes, as interact() takes it. `term` is the variable TERM."""

    rows: int = 24
    columns: int = 80
    term: str = "xterm-256color"


class Options(typing.TypedDict, total=False):
    """Keyword arguments of every call that runs something. All may be left out; None is as if left out.

    A limit that is left out is the profile's default; 0 is invalid; above the profile's ceiling is refused, never clamped.
    """

    files: Mapping[str, Content | File] | Sequence[os.PathLike[str]]
    """Into /box, by their path there; or paths of this machine, each under its own name."""
    main_file: str
    """The program's path in /box. With `source`: the name it gets (else its own name, or the profile's usual one)."""
    args: Sequence[str]
    env: Mapping[str, str]
    stdin: str | bytes
    """All the program will find on its standard input; of interact(), what comes before anything written."""
    outputs: Sequence[str]
    """Files and directories, relative to /box, that come back; "." is all of it."""
    packages: Sequence[str]
    """Libraries the program needs, by the names the profile lists."""
    labels: Mapping[str, str]
    priority: int
    """Among the tenant's own waiting runs, -10 to 10; each step is worth having come 10 s earlier."""
    output_overflow: OutputOverflow
    request_id: str
    """Of create() alone: the same id and request again is the same run. One is made up where it is left out."""
    timeout_seconds: float | None
    """Bounds waiting, compiling and running together, retries included; then the run is ended and DeadlineExceeded
    raised. Without it the limits bound the run, and nothing bounds how long it waits for a place. Of create() it bounds the
    call alone, not the run."""

    wall_time_ms: int | None
    cpu_time_ms: int | None
    memory_bytes: int | None
    pids: int | None
    output_bytes: int | None
    disk_bytes: int | None
    inode_count: int | None
    open_files: int | None
    file_size_bytes: int | None
    stack_bytes: int | None
    cpu_millis: int | None
