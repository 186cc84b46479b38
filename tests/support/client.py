"""Calls to a daemon, with the details of refusals and the time at which each event arrived."""

import collections
import dataclasses
import time

import grpc

from support import protos
from support.environment import scaled

DEFAULT_TIMEOUT = 60
MAX_MESSAGE_BYTES = 64 * 1024 * 1024


@dataclasses.dataclass
class Outcome:
    """Everything one Execute call delivered. `times[i]` is when events[i] arrived, on the monotonic clock."""

    events: list
    times: list
    started_at: float

    @property
    def result(self):
        last = self.events[-1]
        assert last.WhichOneof("event") == "finished", f"the stream ended with {last}"
        return last.finished

    @property
    def name(self):
        return next(e.accepted.name for e in self.events if e.WhichOneof("event") == "accepted")

    @property
    def isolation(self):
        return next(e.started.isolation for e in self.events if e.WhichOneof("event") == "started")

    def facts(self):
        return {fact.name: fact for fact in self.result.isolation.facts}

    def kinds(self):
        return [event.WhichOneof("event") for event in self.events]

    def stream(self, number):
        return b"".join(e.output.data for e in self.events
                        if e.WhichOneof("event") == "output" and e.output.stream == number)

    @property
    def stdout(self):
        return self.stream(protos.load().run.STREAM_STDOUT)

    @property
    def stderr(self):
        return self.stream(protos.load().run.STREAM_STDERR)

    def denials(self, step=None):
        """{name: count} of the result: of one step, or of all together."""
        counts = collections.Counter()
        for denial in self.result.denials:
            assert denial.step in ("compile", "run"), denial
            if step in (None, denial.step):
                counts[denial.name] += denial.count
        return dict(counts)

    def verdict(self):
        return protos.load().run.Verdict.Name(self.result.verdict)


@dataclasses.dataclass
class Refusal:
    """A gRPC status with its google.rpc details."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict
    fields: list  # BadRequest: the violated fields, in order
    retry_ms: int | None

    @staticmethod
    def of(error):
        api = protos.load()
        refusal = Refusal(error.code(), error.details(), "", {}, [], None)
        for key, value in error.trailing_metadata() or ():
            if key != "grpc-status-details-bin":
                continue
            for detail in api.status.Status.FromString(value).details:
                info = api.error_details.ErrorInfo()
                bad_request = api.error_details.BadRequest()
                retry = api.error_details.RetryInfo()
                if detail.Unpack(info):
                    assert info.domain == "caisson.dev"
                    refusal.reason = info.reason
                    refusal.metadata = dict(info.metadata)
                elif detail.Unpack(bad_request):
                    refusal.fields = [violation.field for violation in bad_request.field_violations]
                elif detail.Unpack(retry):
                    refusal.retry_ms = retry.retry_delay.ToMilliseconds()
        return refusal


def request(source=None, profile="python", *, files=None, main_file=None, limits=None, **fields):
    """An ExecuteRequest. `source` becomes main.py (python) or the program `main` (everything else)."""
    run = protos.load().run
    message = run.ExecuteRequest(profile=profile, **fields)
    if source is not None:
        name = "main.py" if profile == "python" else "main"
        content = source.encode() if isinstance(source, str) else source
        message.files.add(path=name, content=content, executable=profile != "python")
        message.main_file = name
    for path, content in (files or {}).items():
        message.files.add(path=path, content=content.encode() if isinstance(content, str) else content)
    if main_file is not None:
        message.main_file = main_file
    for name, value in (limits or {}).items():
        setattr(message.limits, name, value)
    return message


class Call:
    """An Execute call in flight. Iterate it for events; finish() reads to the end."""

    def __init__(self, call):
        self._call = call
        self.events = []
        self.times = []
        self.started_at = time.monotonic()

    def next(self):
        event = next(self._call)
        self.times.append(time.monotonic())
        self.events.append(event)
        return event

    def until(self, kind):
        """Reads events up to and including the first of `kind`."""
        while True:
            try:
                event = self.next()
            except StopIteration:
                raise AssertionError(f"the stream ended without {kind}; its end: {self.events[-3:]}") from None
            if event.WhichOneof("event") == kind:
                return event

    def until_output(self, text):
        """Reads until stdout has contained `text`."""
        run = protos.load().run
        seen = b""
        while text not in seen:
            event = self.until("output")
            if event.output.stream == run.STREAM_STDOUT:
                seen += event.output.data
        return seen

    def finish(self):
        try:
            while True:
                self.next()
        except StopIteration:
            return Outcome(self.events, self.times, self.started_at)

    def cancel(self):
        self._call.cancel()


class Client:
    """One channel to a daemon."""

    def __init__(self, address):
        self.api = protos.load()
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.use_local_subchannel_pool", 1),
        ])
        self.stub = self.api.run_grpc.RunServiceStub(self.channel)

    def close(self):
        self.channel.close()

    def start(self, message, timeout=DEFAULT_TIMEOUT):
        return Call(self.stub.Execute(message, timeout=scaled(timeout) if timeout else None))

    def send(self, message, timeout=DEFAULT_TIMEOUT):
        return self.start(message, timeout).finish()

    def execute(self, source=None, profile="python", timeout=DEFAULT_TIMEOUT, **fields):
        return self.send(request(source, profile, **fields), timeout)

    def refused(self, message, timeout=DEFAULT_TIMEOUT):
        """The Refusal of a request that must be refused before it is accepted."""
        call = self.start(message, timeout)
        try:
            outcome = call.finish()
        except grpc.RpcError as error:
            assert "accepted" not in [e.WhichOneof("event") for e in call.events], "refused after it was accepted"
            return Refusal.of(error)
        raise AssertionError(f"not refused: {outcome.events}")

    def raw_refused(self, payload, method="Execute"):
        """The same for bytes that no stub would produce."""
        kind = self.channel.unary_stream if method == "Execute" else self.channel.unary_unary
        call = kind(f"/caisson.v1.RunService/{method}", request_serializer=None, response_deserializer=None)
        try:
            events = list(call(payload, timeout=scaled(DEFAULT_TIMEOUT)))
        except grpc.RpcError as error:
            return Refusal.of(error)
        raise AssertionError(f"not refused: {events}")

    def unary(self, method, message):
        """(response, None) or (None, Refusal)."""
        try:
            return getattr(self.stub, method)(message, timeout=scaled(DEFAULT_TIMEOUT)), None
        except grpc.RpcError as error:
            return None, Refusal.of(error)

    def info(self):
        return self.stub.GetServerInfo(self.api.run.GetServerInfoRequest(), timeout=scaled(10))

    def live_runs(self):
        runs = self.stub.ListRuns(self.api.run.ListRunsRequest(page_size=1000), timeout=scaled(10)).runs
        return [run for run in runs if run.state != self.api.run.Run.FINISHED]
