"""What a client may say to a running program, as messages. Wrong ones would cancel the run, so they are errors here."""

import signal
from collections.abc import Iterator

from caisson._request import Plan
from caisson.v1 import run_pb2

STDIN_BYTES = 64 * 1024
SIGNALS = ("HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "TSTP", "WINCH")
MAX_SIDE = 1000


class Input:
    """The sending side of one interactive run."""

    def __init__(self, plan: Plan) -> None:
        self._terminal = plan.open is not None and plan.open.open.HasField("terminal")
        self._open = True

    def stdin(self, data: bytes) -> Iterator[run_pb2.InteractRequest]:
        """Standard input, in pieces that fit."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"standard input is bytes, not {type(data).__name__}")
        if not self._open:
            raise ValueError("standard input is closed")
        view = bytes(data)
        return (run_pb2.InteractRequest(stdin=view[offset:offset + STDIN_BYTES]) for offset in range(0, len(view), STDIN_BYTES))

    def eof(self) -> Iterator[run_pb2.InteractRequest]:
        """The end of standard input; nothing the second time."""
        if self._open:
            self._open = False
            yield run_pb2.InteractRequest(eof=run_pb2.InteractRequest.Eof())

    def signal(self, which: str | signal.Signals) -> Iterator[run_pb2.InteractRequest]:
        """ "INT", "SIGINT" or signal.SIGINT."""
        name = (which.name if isinstance(which, signal.Signals) else which).removeprefix("SIG")
        if name not in SIGNALS:
            raise ValueError(f"{which!r} cannot be sent; {', '.join(SIGNALS)} can")
        return iter([run_pb2.InteractRequest(signal=run_pb2.InteractRequest.Signal(name=name))])

    def resize(self, rows: int, columns: int) -> Iterator[run_pb2.InteractRequest]:
        """A terminal's new size."""
        if not self._terminal:
            raise ValueError("a run without a terminal has no size")
        if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE):
            raise ValueError(f"rows and columns are from 1 to {MAX_SIDE}")
        return iter([run_pb2.InteractRequest(resize=run_pb2.InteractRequest.Resize(rows=rows, columns=columns))])
