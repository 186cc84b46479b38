"""Runs that outlive their calls, as tests use them: create, follow from where one is, wait for the end."""

import time

import grpc

from support import protos
from support.environment import scaled

STREAMS = ("stdout", "stderr")


class Followed:
    """What one or more FollowRun calls of the same run have delivered, and how far each stream has come."""

    def __init__(self, client, name):
        self._client = client
        self.name = name
        self.bytes = {(step, stream): bytearray() for step in ("compile", "run") for stream in STREAMS}
        self.files = {}
        self.events = []  # of the last call
        self.result = None

    @property
    def stdout(self):
        return bytes(self.bytes["run", "stdout"])

    @property
    def stderr(self):
        return bytes(self.bytes["run", "stderr"])

    def request(self):
        run = protos.load().run
        message = run.FollowRunRequest(name=self.name)
        for (step, stream), have in self.bytes.items():
            if have:
                message.offsets.add(stream=run.Stream.Value(f"STREAM_{stream.upper()}"), offset=len(have), step=step)
        return message

    def take(self, event):
        """Adds an event's bytes; none may be missing, none may come twice."""
        self.events.append(event)
        assert event.sequence == len(self.events)
        kind = event.WhichOneof("event")
        if kind == "output":
            output = event.output
            stream = protos.load().run.Stream.Name(output.stream).removeprefix("STREAM_").lower()
            have = self.bytes[output.step, stream]
            assert output.offset == len(have), f"{output.step} {stream}: {output.offset} after {len(have)} bytes"
            assert 0 < len(output.data) <= 64 * 1024
            have += output.data
        elif kind == "output_file":
            piece = event.output_file
            have = self.files.setdefault(piece.path, bytearray())
            if piece.offset == 0:
                have.clear()  # each call sends the files anew
            assert piece.offset == len(have)
            have += piece.data
        elif kind == "finished":
            self.result = event.finished

    def call(self, timeout=60):
        self.events = []
        return self._client.stub.FollowRun(self.request(), timeout=scaled(timeout))

    def follow(self, timeout=60):
        """To the end of the run."""
        for event in self.call(timeout):
            self.take(event)
        assert self.result is not None, self.events[-2:]
        return self

    def follow_until(self, stop):
        """Until `stop()` says so, then the call is cut off. True: the run has ended before."""
        call = self.call()
        try:
            for event in call:
                self.take(event)
                if self.result is not None:
                    return True
                if stop():
                    break
        finally:
            call.cancel()
        return False


def create(client, message, timeout=60):
    return client.stub.CreateRun(message, timeout=scaled(timeout))


def get(client, name):
    return client.stub.GetRun(protos.load().run.GetRunRequest(name=name), timeout=scaled(60))


def listed(client, filter_text="", page_size=0):
    """Every page."""
    run, token, runs = protos.load().run, "", []
    while True:
        page = client.stub.ListRuns(run.ListRunsRequest(filter=filter_text, page_size=page_size, page_token=token),
                                    timeout=scaled(60))
        runs += page.runs
        token = page.next_page_token
        if not token:
            return runs


def wait_finished(client, name, timeout=60):
    """The run once it has ended, across restarts of the service."""
    end = time.monotonic() + scaled(timeout)
    while time.monotonic() < end:
        try:
            run = get(client, name)
            if run.state == protos.load().run.Run.FINISHED:
                return run
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        time.sleep(0.02)
    raise AssertionError(f"{name} did not end")
