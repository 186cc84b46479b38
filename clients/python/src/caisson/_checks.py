"""Holds a run's events to what docs/api.md promises, so that nobody works with half a file or output that has gaps."""

import dataclasses
import hashlib
from typing import Any

from caisson import events
from caisson._outputs import is_contained
from caisson.errors import ProtocolError
from caisson.results import RunResult

MAX_FILES = 1024
MAX_FILE_BYTES = 256 * 1024 * 1024


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProtocolError(f"the server sent {otherwise}, which no Caisson server does")


@dataclasses.dataclass(slots=True)
class _FileState:
    size_bytes: int
    executable: bool
    received_bytes: int = 0
    digest: Any = dataclasses.field(default_factory=hashlib.sha256)


class EventChecks:
    """One stream of events: of a run of this call, with the outputs it asked for; or of one that is followed (None), which goes on
    where `received` says."""

    def __init__(self, asked_for: list[str] | None, received: dict[tuple[type[events.Output], str], int] | None = None) -> None:
        self._asked_for = asked_for
        self._sequence = 0
        self._stage = "waiting" if asked_for is not None else "accepted"
        self._followed = asked_for is None
        self._received = dict(received or {})
        self._files: dict[str, _FileState] = {}
        self._current = ""

    @property
    def received(self) -> dict[tuple[type[events.Output], str], int]:
        """How many bytes of each step's streams there are."""
        return self._received

    def sequence(self, number: int) -> None:
        """Every event has one, those of unknown kinds too."""
        _require(number == self._sequence + 1, f"event {number} after event {self._sequence}")
        self._sequence = number
        _require(self._stage != "finished", "an event after the result")

    def accept(self, event: events.Event) -> None:
        """Raises ProtocolError where the event has no place."""
        early = isinstance(event, (events.Queued, events.Accepted))
        _require(self._followed or early == (self._stage == "waiting"),
                 f"{type(event).__name__} {'after' if early else 'before'} the run was accepted")
        match event:
            case events.Accepted():
                _require(bool(event.name), "an acceptance without a name")
                self._stage = "accepted"
            case events.Output():
                self._output(event)
            case events.OutputPiece():
                self._stage = "files"
                self._piece(event)
            case events.Finished():
                self._stage = "finished"
                self._result(event.result)

    def _output(self, event: events.Output) -> None:
        _require(event.step in ("compile", "run"), f"output of a step called {event.step!r}")
        _require(self._stage != "files", "output after files")
        key = (type(event), event.step)
        due = self._received.get(key, 0)
        _require(event.offset == due, f"{type(event).__name__} from byte {event.offset} on where byte {due} was due")
        self._received[key] = due + len(event.data)

    def _was_asked_for(self, path: str) -> bool:
        return self._asked_for is None or any(asked == "." or path == asked or path.startswith(f"{asked}/") for asked in self._asked_for)

    def _piece(self, piece: events.OutputPiece) -> None:
        if piece.path != self._current or piece.path not in self._files:
            self._begin(piece)
        file = self._files[piece.path]
        _require(piece.offset == file.received_bytes, f"byte {piece.offset} of {piece.path!r} where byte {file.received_bytes} was due")
        _require((piece.size_bytes, piece.executable) == (file.size_bytes, file.executable), f"two sizes or modes of {piece.path!r}")
        file.received_bytes += len(piece.data)
        _require(file.received_bytes <= file.size_bytes, f"more of {piece.path!r} than its size")
        _require(bool(piece.data) or file.size_bytes == 0, f"an empty piece of {piece.path!r}")
        file.digest.update(piece.data)

    def _begin(self, piece: events.OutputPiece) -> None:
        _require(is_contained(piece.path), f"a file whose path leads elsewhere: {piece.path!r}")
        _require(self._was_asked_for(piece.path), f"a file nobody asked for: {piece.path!r}")
        _require(piece.path not in self._files, f"the file {piece.path!r} a second time")
        _require(len(self._files) < MAX_FILES, "too many files")
        self._files[piece.path] = _FileState(piece.size_bytes, piece.executable)
        self._current = piece.path
        _require(sum(file.size_bytes for file in self._files.values()) <= MAX_FILE_BYTES, "too large files")

    def _result(self, result: RunResult) -> None:
        for kind, count in ((events.Stdout, result.stdout_count), (events.Stderr, result.stderr_count)):
            received = self._received.get((kind, "run"), 0)
            _require(count is None or count.delivered_bytes == received,
                     f"{received} bytes of {kind.__name__}, but by its own word another number")
        for listed in result.collected:
            file = self._files.get(listed.path)
            _require(file is not None, f"a list of files with {listed.path!r}, which never came")
            assert file is not None
            _require(file.received_bytes == listed.size_bytes == file.size_bytes, f"a part of {listed.path!r} as the whole")
            _require(f"sha256:{file.digest.hexdigest()}" == listed.digest, f"content of {listed.path!r} with another digest")
        explained = {refused.path for refused in result.refused_outputs}
        for path, file in self._files.items():
            _require(file.received_bytes == file.size_bytes or path in explained or result.outputs_incomplete
                     or result.refused_outputs_unlisted > 0, f"a part of {path!r} and no word about the rest")
