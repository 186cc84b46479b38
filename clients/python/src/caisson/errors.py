"""Exceptions. A program that fails is none of them: that is a Result. These say that there is no result, and why.

    CaissonError
    ├── Refused               the service said no, or is not there; nothing of the program ran
    │   ├── InvalidRequest    .violations
    │   ├── Unsupported       .violations: fields this server does not honour yet
    │   ├── NotFound
    │   │   ├── ProfileNotFound   .nearest
    │   │   └── RunNotFound
    │   ├── ProfileUnavailable    .package
    │   ├── RequestTooLarge       .limit_bytes
    │   ├── Exhausted             .retry_after, .quotas
    │   ├── Unavailable           .retry_after, .may_have_run
    │   ├── PermissionDenied
    │   │   └── Unauthenticated   no token, or one that is not valid
    │   ├── RequestIdReused       another request had this request_id
    │   ├── NotFollowable         the run's output went to its client
    │   ├── StorageFailed         the service cannot read or write its records
    │   ├── InputRefused          a message of an interactive run that had no place
    │   └── Canceled
    ├── DeadlineExceeded      timeout_seconds is over (also a TimeoutError)
    ├── RunLost               the connection broke after the run was accepted: .name
    ├── SessionEnded          written to a run that is over (also a BrokenPipeError)
    ├── ProtocolError         the server sent what no Caisson server does
    ├── InvalidAddress        (also a ValueError)
    ├── InvalidToken          (also a ValueError)
    └── RunFailed             by Result.check() alone: .result
"""

import dataclasses
import typing

if typing.TYPE_CHECKING:
    from caisson.results import Result


class CaissonError(Exception):
    """Any failure that this package reports."""


@dataclasses.dataclass(frozen=True, slots=True)
class FieldViolation:
    """A wrong field by its path in the request ("files[2].path", "limits.pids"), and what would be right."""

    field: str
    description: str


class Refused(CaissonError):
    """The service, or the transport to it, refused the call; nothing of the program ran (but see Unavailable.may_have_run).

    `reason` is the service's own word (docs/errors.md), empty where the refusal came from gRPC; `code` is gRPC's. Look at
    them, or at the class; the text is for people and may change.
    """

    def __init__(self, message: str, *, code: str, reason: str = "", metadata: dict[str, str] | None = None,
                 violations: tuple[FieldViolation, ...] = (), quotas: tuple[FieldViolation, ...] = (),
                 retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.metadata = metadata or {}
        self.violations = violations  # of BadRequest
        self.quotas = quotas  # of QuotaFailure: `field` is the subject
        self.retry_after = retry_after  # seconds after which the same request may succeed; None: it will not

    def __str__(self) -> str:
        listed = "; ".join(f"{violation.field}: {violation.description}" for violation in self.violations)
        return listed or super().__str__()


class InvalidRequest(Refused):
    """Fields of the request are invalid: `violations` names each."""


class Unsupported(Refused):
    """Fields are set, or a call was made, that this server does not honour yet, or does not know."""


class NotFound(Refused):
    """There is no such thing."""


class ProfileNotFound(NotFound):
    """There is no such profile; `nearest` has up to three similar names."""

    @property
    def nearest(self) -> tuple[str, ...]:
        """Profiles whose names are similar."""
        return tuple(name.strip() for name in self.metadata.get("nearest", "").split(",") if name.strip())


class RunNotFound(NotFound):
    """No run has this name, or it ended too long ago."""


class ProfileUnavailable(Refused):
    """The profile exists, but what it needs is not installed on the server's host."""

    @property
    def package(self) -> str | None:
        """The Debian package that the operator has to install."""
        return self.metadata.get("package")


class RequestTooLarge(Refused):
    """The request, or its files together, have more than `limit_bytes`."""

    @property
    def limit_bytes(self) -> int | None:
        """How many bytes there may be."""
        limit = self.metadata.get("limit_bytes", "")
        return int(limit) if limit.isdecimal() else None


class Exhausted(Refused):
    """Too much is going on; `retry_after` says when to try again, `quotas` what was used up."""


class Unavailable(Refused):
    """No service answers, or it is stopping or being restarted. `reason` is empty where it did not say so itself.

    `may_have_run`: the connection broke after the request had been sent and before the service said anything about it, so
    nobody knows whether the program began. Then, and only then, repeating the call could run it twice.
    """

    may_have_run = False


class PermissionDenied(Refused):
    """This user may not open the socket, or not make this call."""


class Unauthenticated(PermissionDenied):
    """The daemon asks for a token, and the call showed none, or one that is not valid or no longer."""


class RequestIdReused(Refused):
    """Another request had this `request_id`; the same one would have been answered with its run."""


class NotFollowable(Refused):
    """The run was not made by create(): its output went to its client and is not stored."""


class StorageFailed(Refused):
    """The service cannot read or write its records; its log says why."""


class InputRefused(Refused):
    """An interactive run was not opened as docs/api.md says, or its files stopped coming."""


class Canceled(Refused):
    """The call was canceled before the run was accepted: by this client, or by CancelRun while it waited."""


class DeadlineExceeded(CaissonError, TimeoutError):
    """`timeout_seconds` is over. If the run had begun (`name` is not None), it was ended with the call."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


class RunLost(CaissonError):
    """The call broke after the run was accepted: the service ended it, and nobody knows how far it came."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class SessionEnded(CaissonError, BrokenPipeError):
    """An interactive run is over and takes no more input. Its events and its result are still there to read."""


class ProtocolError(CaissonError):
    """The server sent what no Caisson server does; the run was canceled and nothing of it is to be trusted."""


class InvalidAddress(CaissonError, ValueError):
    """The address is none on which Caisson listens."""


class InvalidToken(CaissonError, ValueError):
    """What was given is no token, or stands in a file that others can use. The message never holds it."""


class RunFailed(CaissonError):
    """Result.check() of a run that is not `ok`; `result` is the run's."""

    def __init__(self, result: "Result") -> None:
        super().__init__(f"{result.verdict}: {result.message}" if result.message else str(result.verdict))
        self.result = result
