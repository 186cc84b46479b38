"""Makes the messages of a run of what the caller gave."""

import dataclasses
import itertools
import os
import pathlib
import secrets
import time
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence

from caisson.errors import DeadlineExceeded, FieldViolation, InvalidRequest, RequestTooLarge
from caisson.info import Limits
from caisson.options import Content, File, Options, OutputOverflow, Terminal
from caisson.v1 import run_pb2

MAX_REQUEST_BYTES = 16 * 1024 * 1024
MAX_FILES_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
LIMITS = tuple(field.name for field in dataclasses.fields(Limits))
OVERFLOWS = {OutputOverflow.TRUNCATE: run_pb2.OUTPUT_OVERFLOW_TRUNCATE, OutputOverflow.KILL: run_pb2.OUTPUT_OVERFLOW_KILL}


class Deadline:
    """When a call has to be over; None: never."""

    def __init__(self, timeout_seconds: float | None) -> None:
        self._end = None if timeout_seconds is None else time.monotonic() + timeout_seconds

    def left(self) -> float | None:
        """Seconds; more than 0. DeadlineExceeded when there are none."""
        seconds = None if self._end is None else self._end - time.monotonic()
        if seconds is not None and seconds <= 0:
            raise DeadlineExceeded("the time for the call is over")
        return seconds

    def allows(self, seconds: float) -> bool:
        """Whether there is more time than that."""
        return self._end is None or seconds < self._end - time.monotonic()


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run that is ready to be asked for: in one message, or, when `open` is there, over Interact."""

    request: run_pb2.ExecuteRequest
    open: run_pb2.InteractRequest | None
    to_follow: tuple[run_pb2.InputFile, ...]
    timeout_seconds: float | None

    def opening(self) -> Iterator[run_pb2.InteractRequest]:
        """The messages of Interact up to the run's submission."""
        assert self.open is not None
        yield self.open
        for file in self.to_follow:
            for offset in range(0, len(file.content) or 1, CHUNK_BYTES):
                yield run_pb2.InteractRequest(file=run_pb2.InteractRequest.FileChunk(
                    path=file.path, data=file.content[offset:offset + CHUNK_BYTES], executable=file.executable,
                    last=offset + CHUNK_BYTES >= len(file.content)))


def needs_usual_name(source: Content | None, options: Options) -> bool:
    """Whether the source's name is the profile's to say."""
    return isinstance(source, (str, bytes)) and not options.get("main_file")


def _read(content: Content, left_bytes: int) -> tuple[bytes, bool]:
    """(content, whether the file of this machine is executable); at most `left_bytes`."""
    size = 0
    if isinstance(content, (bytes, bytearray, memoryview)):
        data, executable = bytes(content), False
    elif isinstance(content, str):
        data, executable = content.encode(), False
    elif isinstance(content, os.PathLike):
        with open(content, "rb") as file:
            found = os.fstat(file.fileno())
            executable = bool(found.st_mode & 0o100)
            size = found.st_size
            data = file.read(left_bytes + 1) if size <= left_bytes else b""
    else:
        raise TypeError(f"a file's content is text, bytes or a path, not {type(content).__name__}")
    if max(size, len(data)) > left_bytes:
        raise RequestTooLarge(f"the files have more than {MAX_FILES_BYTES} bytes together", code="RESOURCE_EXHAUSTED",
                              reason="REQUEST_TOO_LARGE", metadata={"limit_bytes": str(MAX_FILES_BYTES)})
    return data, executable


def _named(files: Mapping[str, Content | File] | Sequence[os.PathLike[str]]) -> Iterator[tuple[str, File]]:
    if isinstance(files, Mapping):
        for path, given in files.items():
            yield path, given if isinstance(given, File) else File(given)
        return
    if isinstance(files, (str, bytes, os.PathLike)):
        raise TypeError("files is a mapping of paths in /box, or a list of paths of this machine")
    for local in files:
        if not isinstance(local, os.PathLike):
            raise TypeError(f"a list of files has pathlib.Paths, not {type(local).__name__}; for text and bytes give a mapping")
        yield pathlib.Path(local).name, File(local)


def _files(source: Content | None, main_file: str | None, options: Options) -> Iterator[run_pb2.InputFile]:
    given = _named(options.get("files") or {})
    if source is not None:
        given = itertools.chain([(main_file or "", File(source))], given)
    left_bytes = MAX_FILES_BYTES
    for path, file in given:
        content, executable = _read(file.content, left_bytes)
        left_bytes -= len(content)
        yield run_pb2.InputFile(path=path, content=content,
                                executable=executable if file.executable is None else file.executable)


def _limits(options: Mapping[str, object]) -> run_pb2.Limits:
    limits = run_pb2.Limits()
    violations = []
    for name in LIMITS:
        value = options.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is a whole number, not {type(value).__name__}")
        if not 0 < value < 2**64:
            violations.append(FieldViolation(f"limits.{name}", f"{value} is not from 1 to 2**64 - 1"))
        else:
            setattr(limits, name, value)
    if violations:
        raise InvalidRequest("limits are invalid", code="INVALID_ARGUMENT", reason="INVALID_REQUEST", violations=tuple(violations))
    return limits


def _texts(name: str, values: Iterable[str] | None) -> list[str]:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{name} is a list of texts, not one text")
    return list(values or ())


def prepare_create(profile: str, source: Content | None, usual_name: str | None, options: Options) -> Plan:
    """The plan of a run that is nobody's call, under a request_id, so that asking for it can be repeated."""
    plan = prepare(profile, source, usual_name, options)
    if plan.open is not None:
        raise RequestTooLarge(f"a run that outlives its call has at most {MAX_REQUEST_BYTES} bytes in its request", code="RESOURCE_EXHAUSTED",
                              reason="REQUEST_TOO_LARGE", metadata={"limit_bytes": str(MAX_REQUEST_BYTES)})
    plan.request.request_id = plan.request.request_id or secrets.token_hex(16)
    return plan


def _main_name(source: Content | None, usual_name: str | None, options: Options) -> str | None:
    name = options.get("main_file")
    if not name and isinstance(source, os.PathLike):
        return pathlib.Path(source).name
    return name or usual_name


def prepare(profile: str, source: Content | None, usual_name: str | None, options: Options, *,
            interactive: bool = False, terminal: Terminal | None = None) -> Plan:
    """The plan of a run. Reads the files of this machine that the caller named."""
    unknown = options.keys() - Options.__annotations__.keys()
    if unknown:
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    main_file = _main_name(source, usual_name, options)
    stdin = options.get("stdin") or b""
    overflow = options.get("output_overflow")
    request = run_pb2.ExecuteRequest(
        profile=profile, main_file=main_file or "", args=_texts("args", options.get("args")), env=options.get("env") or {},
        stdin=stdin.encode() if isinstance(stdin, str) else stdin, limits=_limits(typing.cast(Mapping[str, object], options)),
        output_paths=_texts("outputs", options.get("outputs")), packages=_texts("packages", options.get("packages")),
        labels=options.get("labels") or {}, priority=options.get("priority") or 0, request_id=options.get("request_id") or "",
        output_overflow=OVERFLOWS[OutputOverflow(overflow)] if overflow else run_pb2.OUTPUT_OVERFLOW_UNSPECIFIED)
    files = tuple(_files(source, main_file, options))
    size = request.ByteSize() + sum(file.ByteSize() + 8 for file in files)  # and tag and length of each
    large = size > MAX_REQUEST_BYTES
    if not large:
        request.files.extend(files)
    opened = None
    if interactive or large:
        opened = run_pb2.InteractRequest(open=run_pb2.InteractRequest.Open(request=request, files_to_follow=len(files) if large else 0))
        if terminal is not None:
            opened.open.terminal.rows, opened.open.terminal.columns = terminal.rows, terminal.columns
            opened.open.terminal.term = terminal.term
    return Plan(request, opened, files if large else (), options.get("timeout_seconds"))
