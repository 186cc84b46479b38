"""HTTP/2 frame by frame over the daemon's socket, with none of a client library's manners (RFC 9113, RFC 7541).

Enough to say anything, legal or not; HPACK is written as literals only, and nothing that comes back is decoded but the frames.
"""

import contextlib
import select
import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
INITIAL_WINDOW_SIZE = 4
CANCEL = 8
NAMES = ("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION")
EXECUTE = "/caisson.v1.RunService/Execute"
INFO = "/caisson.v1.RunService/GetServerInfo"


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """One frame; `length` may lie."""
    return struct.pack(">I", len(payload) if length is None else length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def integer(value, bits, first=0):
    """An HPACK integer with a prefix of `bits` bits."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    value -= most
    out = [first | most]
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


def literal(name, value, first=0x00):
    """A header as a literal: without indexing, or with it (first=0x40)."""
    name, value = (text if isinstance(text, bytes) else text.encode() for text in (name, value))
    return bytes([first]) + integer(len(name), 7) + name + integer(len(value), 7) + value


def indexed(number):
    """A header by its place in the tables; 62 is the one that was added last."""
    return integer(number, 7, 0x80)


def call_headers(path=EXECUTE, extra=b""):
    """The header block of a gRPC call."""
    return b"".join(literal(name, value) for name, value in (
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"), ("te", "trailers"),
        ("content-type", "application/grpc"))) + extra


def settings(**values):
    """A SETTINGS payload: n4=0 sets number 4 to 0."""
    return b"".join(struct.pack(">HI", int(name[1:]), value) for name, value in values.items())


def message(content):
    """A gRPC message as it stands in DATA frames."""
    return struct.pack(">BI", 0, len(content)) + content


def ready(fd, events, timeout):
    """Which of the events (POLLIN, POLLOUT, POLLHUP) there are; select(2) knows no descriptor above 1,023."""
    poll = select.poll()
    poll.register(fd, events)
    return (poll.poll(timeout * 1000) or [(0, 0)])[0][1]


class Connection:
    """One connection; nothing is sent unless asked for, not even the preface or an answer to a ping."""

    def __init__(self, path, preface=True, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # before the timeout: without blocking, a full backlog would be an error
        self.socket.settimeout(timeout)
        self.stream = 1
        self._read = b""
        if preface:
            self.send(PREFACE + frame(SETTINGS))

    def send(self, data):
        self.socket.sendall(data)

    def flood(self, data, seconds, most=None):
        """Sends `data` again and again, reading and dropping whatever comes, until the time is over, `most` times are reached or the
        other side ends it. How often."""
        self.socket.setblocking(False)
        deadline = time.monotonic() + seconds
        sent, rest = 0, memoryview(data)
        try:
            while time.monotonic() < deadline and (most is None or sent < most):
                now = ready(self.socket, select.POLLIN | select.POLLOUT, 0.1)
                if now & select.POLLIN and not self.socket.recv(1 << 20):
                    break
                if now & select.POLLOUT:
                    with contextlib.suppress(BlockingIOError):
                        rest = rest[self.socket.send(rest):]
                    if not rest:
                        sent, rest = sent + 1, memoryview(data)
        except OSError:
            pass
        return sent

    def call(self, path=EXECUTE, flags=END_HEADERS, extra=b""):
        """The headers of a new call; its stream's number."""
        number, self.stream = self.stream, self.stream + 2
        self.send(frame(HEADERS, flags, number, call_headers(path, extra)))
        return number

    def next_frame(self, timeout):
        """(kind, flags, stream, payload); None at the end of the connection; TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            if len(self._read) >= 9:
                length = int.from_bytes(self._read[:3], "big")
                if len(self._read) >= 9 + length:
                    kind, flags, number = struct.unpack(">BBI", self._read[3:9])
                    payload, self._read = self._read[9:9 + length], self._read[9 + length:]
                    return kind, flags, number, payload
            if not ready(self.socket, select.POLLIN, max(0, deadline - time.monotonic())):
                raise TimeoutError
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionError:
                piece = b""
            if not piece:
                return None
            self._read += piece

    def until(self, kind, timeout=30):
        """The next frame of this kind, or None when the connection has ended before."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.next_frame(deadline - time.monotonic())
            if found is None or found[0] == kind:
                return found

    def ended(self, timeout):
        """Whether the other side ends the connection in time."""
        deadline = time.monotonic() + timeout
        try:
            while self.next_frame(deadline - time.monotonic()) is not None:
                pass
        except TimeoutError:
            return False
        return True

    def close(self):
        self.socket.close()
