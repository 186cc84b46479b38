"""A conversation with a program: the call Interact."""

import queue

import grpc

from support.client import Call, Refusal, request
from support.environment import scaled


class Interaction(Call):
    """An Interact call: send() messages, read events as with Execute."""

    def __init__(self, client, timeout=60):
        self.api = client.api.run
        self._messages = queue.Queue()
        self._unread = b""
        super().__init__(client.stub.Interact(iter(self._messages.get, None), timeout=scaled(timeout)))

    def send(self, **message):
        self._messages.put(self.api.InteractRequest(**message))
        return self

    def open(self, source=None, terminal=None, **fields):
        opened = self.api.InteractRequest.Open(request=request(source, **fields))
        if terminal is not None:
            opened.terminal.CopyFrom(self.api.InteractRequest.Terminal(**terminal))
        return self.send(open=opened)

    def signal(self, name):
        return self.send(signal=self.api.InteractRequest.Signal(name=name))

    def eof(self):
        return self.send(eof=self.api.InteractRequest.Eof())

    def half_close(self):
        self._messages.put(None)
        return self

    def expect(self, text):
        """Reads stdout up to and including `text`; what comes after it is left for the next one."""
        while text not in self._unread:
            event = self.until("output")
            if event.output.stream == self.api.STREAM_STDOUT:
                self._unread += event.output.data
        read, _, self._unread = self._unread.partition(text)
        return read + text

    def refused(self):
        try:
            outcome = self.finish()
        except grpc.RpcError as error:
            assert "accepted" not in [event.WhichOneof("event") for event in self.events]
            return Refusal.of(error)
        raise AssertionError(f"not refused: {outcome.events}")
