"""What happens in a run's call, without the call: used by the synchronous and by the asyncio client alike."""

import dataclasses
import random
from typing import Any

import grpc

from caisson import _convert, _refusal, events
from caisson._checks import EventChecks
from caisson._request import Deadline, Plan
from caisson.errors import CaissonError, Canceled, ProtocolError, Refused, RunLost, Unavailable
from caisson.results import OutputFile, Result, RunResult
from caisson.v1 import run_pb2


# Codes of a call that broke, where the service gives no reason; CANCELLED: it cut off who took nothing for too long.
BROKEN = ("UNAVAILABLE", "CANCELLED", "UNKNOWN", "INTERNAL")


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is tried again where that is safe, since nothing of the program ran: when nobody was reached, so that nothing
    was sent, and when the service refused it and named a delay to wait, or said that it is not available.

    `attempts` counts the first one; 1 never tries again. A service that wants a longer delay than `max_delay_seconds` is
    not waited for. A run that was accepted is never repeated.
    """

    attempts: int = 3
    max_delay_seconds: float = 5.0
    first_delay_seconds: float = 0.2  # doubled each time, up to max_delay_seconds, where the service does not say

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.max_delay_seconds < 0 or self.first_delay_seconds < 0:
            raise ValueError("attempts is at least 1, and no delay is negative")

    def delay(self, attempt: int, error: CaissonError, deadline: Deadline, *, repeatable: bool = False) -> float | None:
        """Seconds until the next attempt after the `attempt`th (1, 2, ...) failed so; None: there is none."""
        if not isinstance(error, Refused) or attempt >= self.attempts:
            return None
        never_ran = error.retry_after is not None or (isinstance(error, Unavailable) and not error.may_have_run)
        if not never_ran and not (repeatable and not error.reason and error.code in BROKEN):
            return None
        seconds = error.retry_after
        if seconds is None:
            seconds = min(self.first_delay_seconds * 2 ** min(attempt - 1, 30), self.max_delay_seconds)
        elif seconds > self.max_delay_seconds:
            return None
        seconds *= 1 + random.random() / 4  # those who were refused together do not come back together
        return seconds if deadline.allows(seconds) else None


class Attempts:
    """The attempts of one call. Nothing has happened before one succeeds, or, `repeatable`, it does no harm to repeat it."""

    def __init__(self, address: str, retry: Retry, timeout_seconds: float | None, *, repeatable: bool = False) -> None:
        self.deadline = Deadline(timeout_seconds)
        self._repeatable = repeatable
        self._address = address
        self._retry = retry
        self._made = 0

    def failed(self, error: grpc.RpcError) -> float:
        """Seconds until the call may be made again; otherwise raises what the error means."""
        self._made += 1
        refused = _refusal.refused(error, self._address)
        delay = self._retry.delay(self._made, refused, self.deadline, repeatable=self._repeatable)
        if delay is None:
            raise refused from error
        return delay

    def forget(self) -> None:
        """It went on, so what failed before counts no more."""
        self._made = 0


class Progress:
    """A run from its first attempt to its result."""

    def __init__(self, plan: Plan, address: str, retry: Retry) -> None:
        self.plan = plan
        self.name: str | None = None
        self.result: RunResult | None = None
        self._attempts = Attempts(address, retry, plan.timeout_seconds)
        self._checks = self._new_checks()

    @property
    def deadline(self) -> Deadline:
        """Of all attempts together."""
        return self._attempts.deadline

    def _new_checks(self) -> EventChecks:
        return EventChecks(list(self.plan.request.output_paths))

    def accept(self, message: run_pb2.RunEvent) -> events.Event | None:
        """The event, None for a kind that this client does not know. ProtocolError where it has no place."""
        self._checks.sequence(message.sequence)
        event = _convert.event(message)
        if event is None:
            return None
        self._checks.accept(event)
        if isinstance(event, events.Accepted):
            self.name = event.name
        elif isinstance(event, events.Finished):
            self.result = event.result
        return event

    def failed(self, error: grpc.RpcError) -> float:
        """Seconds until the call may be made again; otherwise raises what the error means."""
        if self.name is not None:
            raise _refusal.lost(error, self.name) from error
        delay = self._attempts.failed(error)
        self._checks = self._new_checks()
        return delay

    def closed(self) -> CaissonError:
        """What to say to whoever reads on after the call was ended from here."""
        if self.name is None:
            return Canceled("the call was ended before the run was accepted", code="CANCELLED")
        return RunLost(f"the call of {self.name} was ended", self.name)

    def ended(self) -> None:
        """The call ended well: there must be a result."""
        if self.result is None:
            raise ProtocolError("the server ended the call without a result, which no Caisson server does")


class Following(Progress):
    """A run of create(), followed. A call that breaks goes on where it broke, and what comes a second time is left out."""

    def __init__(self, name: str, timeout_seconds: float | None, address: str, retry: Retry) -> None:  # pylint: disable=super-init-not-called
        self.name = name
        self.result = None
        self._attempts = Attempts(address, retry, timeout_seconds, repeatable=True)
        self._checks = EventChecks(None)
        self._others = 0  # events that are neither output nor files: in this call
        self._others_given = 0  # and to the caller, in all calls
        self._files_given: dict[str, int] = {}

    def request(self) -> run_pb2.FollowRunRequest:
        """From where it is now."""
        request = run_pb2.FollowRunRequest(name=self.name)
        for (kind, step), offset in self._checks.received.items():
            request.offsets.add(stream=run_pb2.STREAM_STDOUT if kind is events.Stdout else run_pb2.STREAM_STDERR, offset=offset, step=step)
        return request

    def accept(self, message: run_pb2.RunEvent) -> events.Event | None:
        """The event, None for one that came before or that this client does not know."""
        event = super().accept(message)
        self._attempts.forget()
        if isinstance(event, events.OutputPiece):
            return self._new_part(event)
        if event is None or isinstance(event, events.Output):
            return event
        self._others += 1
        if self._others <= self._others_given:
            return None
        self._others_given = self._others
        return event

    def _new_part(self, piece: events.OutputPiece) -> events.OutputPiece | None:
        given = self._files_given.get(piece.path)
        end = piece.offset + len(piece.data)
        if given is not None and end <= given:
            return None
        self._files_given[piece.path] = end
        skipped = max(0, (given or 0) - piece.offset)
        return dataclasses.replace(piece, data=piece.data[skipped:], offset=piece.offset + skipped)

    def failed(self, error: grpc.RpcError) -> float:
        """Seconds until the call may be made again; otherwise raises what the error means."""
        delay = self._attempts.failed(error)
        self._checks = EventChecks(None, self._checks.received)
        self._others = 0
        return delay

    def closed(self) -> CaissonError:
        """The run goes on; this is said of following it."""
        return Canceled(f"{self.name} is followed no more", code="CANCELLED")


class Gathering:
    """Everything a run brings, for run()."""

    def __init__(self) -> None:
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._files: dict[str, tuple[bytearray, bool]] = {}

    def add(self, event: events.Event) -> None:
        """Takes the content out of an event. A compiler's output is in the result already."""
        match event:
            case events.Stdout(step="run"):
                self._stdout += event.data
            case events.Stderr(step="run"):
                self._stderr += event.data
            case events.OutputPiece():
                self._files.setdefault(event.path, (bytearray(), event.executable))[0].extend(event.data)

    def result(self, name: str | None, result: RunResult | None) -> Result:
        """At the end."""
        assert name is not None and result is not None
        outputs = tuple(OutputFile(path=listed.path, content=bytes(self._files[listed.path][0]), executable=listed.executable)
                        for listed in result.collected)
        return _convert.result(result, name=name, stdout=bytes(self._stdout), stderr=bytes(self._stderr), outputs=outputs)


class Page:
    """Goes through the pages of a list, without the calls, up to `most` entries."""

    MAX_PAGES = 10_000  # a server cannot keep us for ever

    def __init__(self, request: Any, field: str, most: int) -> None:
        self.request = request
        self.entries: list[Any] = []
        self._field = field
        self._most = most
        self._pages = 0

    def add(self, response: Any) -> bool:
        """Takes a page; whether another one is wanted, for which `request` is ready."""
        self._pages += 1
        if self._pages > self.MAX_PAGES:
            raise ProtocolError(f"the server's list has more than {self.MAX_PAGES} pages")
        self.entries.extend(getattr(response, self._field))
        del self.entries[self._most:]
        self.request.page_token = response.next_page_token
        return bool(response.next_page_token) and len(self.entries) < self._most


def runs_page(everything: bool, filter_text: str, most: int) -> Page:
    """The pages of ps()."""
    if not filter_text and not everything:
        filter_text = "state != FINISHED"
    return Page(run_pb2.ListRunsRequest(page_size=min(1000, most), filter=filter_text), "runs", most)


def profiles_page() -> Page:
    """The pages of profiles()."""
    return Page(run_pb2.ListProfilesRequest(), "profiles", 10_000)
