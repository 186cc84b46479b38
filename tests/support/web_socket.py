"""A client of the gateway's WebSockets (python3-websocket's), and frames as no client of good manners sends them."""

import contextlib
import json
import os
import struct

import websocket

from support.environment import scaled
from support.gateway import python_run

SUBPROTOCOL = "caisson.run-interact.v1"
HANDSHAKE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
             "Sec-WebSocket-Protocol": SUBPROTOCOL}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, payload=b"", *, fin=True, masked=True, reserved=0, length=None):
    """One frame, or the beginning of one that announces `length` bytes."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


class Talk:
    """One WebSocket. Events that were read stay in `events`, (name, data); `code` is the close code."""

    def __init__(self, gateway, path="/v1/runs:interact", subprotocols=(SUBPROTOCOL,), **options):
        self.connection = websocket.create_connection(f"ws://127.0.0.1:{gateway.port}{path}", timeout=scaled(60), suppress_origin="origin" not in options,
                                                      subprotocols=list(subprotocols) or None, **options)
        self.events = []
        self.code = None
        self.reason = ""

    def send(self, **message):
        self.connection.send(json.dumps(message))
        return self

    def send_bytes(self, data):
        self.connection.send_binary(data)
        return self

    def send_raw(self, data):
        self.connection.sock.sendall(data)
        return self

    def open(self, source, terminal=None, **fields):
        opening = {"request": python_run(source, **fields)}
        return self.send(open=opening if terminal is None else {**opening, "terminal": terminal})

    def receive(self):
        """The next message, parsed; None at the closing frame."""
        while True:
            opcode, data = self.connection.recv_data(control_frame=True)
            if opcode == CLOSE:
                self.code = struct.unpack("!H", data[:2])[0] if data else 1005
                self.reason = data[2:].decode()
                return None
            if opcode == TEXT:
                return json.loads(data)

    def event(self):
        message = self.receive()
        if message is not None:
            assert set(message) == {"event", "data"}
            self.events.append((message["event"], message["data"]))
        return message and self.events[-1]

    def until(self, name):
        """The data of the next event of that name."""
        while event := self.event():
            if event[0] == name:
                return event[1]
        raise AssertionError(f"no {name} before close {self.code}: {self.events}")

    def text(self):
        return "".join(data.get("text", "") for name, data in self.events if name == "output")

    def until_output(self, text):
        """Reads until the output so far has `text`."""
        while text not in self.text():
            assert self.event(), f"closed with {self.code}: {self.events}"
        return self

    def finish(self):
        """Reads to the close; the events."""
        while self.event():
            pass
        return self.events

    def problem(self):
        """The problem with which it ends."""
        [error] = [data for name, data in self.finish() if name == "error"]
        assert self.events[-1][0] == "error"
        return error

    def result(self):
        self.finish()
        return dict(self.events)["finished"]

    def close(self):
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self.connection.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
