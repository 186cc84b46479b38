"""gRPC's errors, with Caisson's details, become this package's exceptions."""

import socket
from typing import Any

import grpc

from caisson import errors
from caisson.refusal import error_details_pb2, status_pb2

DOMAIN = "caisson.dev"
DETAILS = "grpc-status-details-bin"
# How gRPC says that it reached nobody, so that nothing was sent. In another version's words it would not be tried again.
NEVER_CONNECTED = ("failed to connect to all addresses", "connections to all backends failing")

BY_REASON: dict[str, type[errors.Refused]] = {
    "INVALID_REQUEST": errors.InvalidRequest,
    "LIMIT_EXCEEDS_HOST": errors.InvalidRequest,
    "FIELD_NOT_SUPPORTED": errors.Unsupported,
    "PROFILE_NOT_FOUND": errors.ProfileNotFound,
    "PROFILE_UNAVAILABLE": errors.ProfileUnavailable,
    "REQUEST_TOO_LARGE": errors.RequestTooLarge,
    "QUEUE_FULL": errors.Exhausted,
    "RUN_NOT_FOUND": errors.RunNotFound,
    "REQUEST_ID_REUSED": errors.RequestIdReused,
    "STORAGE_FULL": errors.Exhausted,
    "STORAGE_FAILED": errors.StorageFailed,
    "OUTPUT_NOT_STORED": errors.NotFollowable,
    "OFFSET_OUT_OF_RANGE": errors.InvalidRequest,
    "RUN_CANCELED": errors.Canceled,
    "SHUTTING_DOWN": errors.Unavailable,
    "SUPERVISOR_UNAVAILABLE": errors.Unavailable,
    "CLIENT_GONE": errors.Canceled,
    "INPUT_OUT_OF_ORDER": errors.InputRefused,
    "INPUT_TIMEOUT": errors.InputRefused,
    "TOKEN_MISSING": errors.Unauthenticated,
    "TOKEN_MALFORMED": errors.Unauthenticated,
    "TOKEN_NOT_VALID": errors.Unauthenticated,
    "TOKEN_EXPIRED": errors.Unauthenticated,
    "ROLE_NOT_ALLOWED": errors.PermissionDenied,
    "TENANT_WITHOUT_POLICY": errors.PermissionDenied,
    "PROFILE_NOT_ALLOWED": errors.PermissionDenied,
    "LIMIT_NOT_ALLOWED": errors.PermissionDenied,
    "QUOTA_EXCEEDED": errors.Exhausted,
    "DEADLINE_TOO_SOON": errors.Exhausted,
    "RELOAD_REFUSED": errors.Refused,
}
# For reasons of a newer server, and for what gRPC says by itself.
BY_CODE: dict[str, type[errors.Refused]] = {
    "INVALID_ARGUMENT": errors.InvalidRequest,
    "OUT_OF_RANGE": errors.InvalidRequest,
    "UNIMPLEMENTED": errors.Unsupported,
    "NOT_FOUND": errors.NotFound,
    "RESOURCE_EXHAUSTED": errors.Exhausted,
    "UNAVAILABLE": errors.Unavailable,
    "PERMISSION_DENIED": errors.PermissionDenied,
    "UNAUTHENTICATED": errors.Unauthenticated,
    "CANCELLED": errors.Canceled,
}


def _unpacked(any_message: Any) -> Any:
    """The detail as a message of ours, None for one that we do not know. Any.Unpack would want google.rpc's own class."""
    package, _, name = any_message.type_url.rpartition("/")[2].rpartition(".")
    kind = getattr(error_details_pb2, name, None) if package == "google.rpc" else None
    try:
        return None if kind is None else kind.FromString(any_message.value)
    except Exception:  # pylint: disable=broad-except  # protobuf's implementations have errors of their own for that
        return None


def _details(error: Any) -> dict[str, Any]:
    """{"ErrorInfo": ...}; the first of each kind."""
    found: dict[str, Any] = {}
    for key, value in error.trailing_metadata() or ():
        if key != DETAILS:
            continue
        try:
            status = status_pb2.Status.FromString(value)
        except Exception:  # pylint: disable=broad-except
            continue
        for packed in status.details:
            detail = _unpacked(packed)
            if detail is not None:
                found.setdefault(detail.DESCRIPTOR.name, detail)
    return found


def _was_never_sent(error: grpc.RpcError) -> bool:
    """Whether gRPC reached nobody at all."""
    text = error.details() or ""
    return error.code() is grpc.StatusCode.UNAVAILABLE and any(words in text for words in NEVER_CONNECTED)


def explain_unreachable(address: str, said: str) -> tuple[type[errors.Refused], str]:
    """Why nobody answers at "unix:/path", for people. `said`: by gRPC."""
    path = address.removeprefix("unix:")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except (FileNotFoundError, NotADirectoryError):
            return errors.Unavailable, f"no daemon: {path} does not exist; start it: sudo caissond"
        except ConnectionRefusedError:
            return errors.Unavailable, f"no daemon listens on {path}; start it: sudo caissond"
        except PermissionError:
            return errors.PermissionDenied, f"permission denied on {path}; its users are in the group caisson"
        except OSError as problem:
            return errors.Unavailable, f"cannot reach the daemon on {path}: {problem.strerror or problem}"
    return errors.Unavailable, f"the daemon on {path} does not answer, or was restarted: {said}"


def refused(error: grpc.RpcError, address: str) -> errors.CaissonError:
    """The exception for a call that ended before its run was accepted."""
    details = _details(error)
    code = error.code().name
    message = error.details() or code
    info = details.get("ErrorInfo")
    if info is not None and info.domain != DOMAIN:
        info = None
    if info is None and code == "DEADLINE_EXCEEDED":
        return errors.DeadlineExceeded("the time for the call is over")
    kind = BY_CODE.get(code, errors.Refused)
    if info is not None:
        kind = BY_REASON.get(info.reason, kind)
    elif code == "UNAVAILABLE":
        kind, message = explain_unreachable(address, message)
    elif code == "RESOURCE_EXHAUSTED" and "larger than max" in message:
        kind = errors.RequestTooLarge
    retry = details.get("RetryInfo")
    refusal = kind(
        message, code=code, reason="" if info is None else info.reason, metadata=None if info is None else dict(info.metadata),
        violations=tuple(errors.FieldViolation(violation.field, violation.description)
                         for violation in getattr(details.get("BadRequest"), "field_violations", ())),
        quotas=tuple(errors.FieldViolation(violation.subject, violation.description)
                     for violation in getattr(details.get("QuotaFailure"), "violations", ())),
        retry_after=None if retry is None else retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9)
    if isinstance(refusal, errors.Unavailable):
        refusal.may_have_run = info is None and not _was_never_sent(error)
    return refusal


def lost(error: grpc.RpcError, name: str) -> errors.CaissonError:
    """The exception for a call that broke after its run was accepted."""
    match error.code().name:
        case "DEADLINE_EXCEEDED":
            return errors.DeadlineExceeded(f"timeout_seconds is over; {name} was ended", name)
        case "CANCELLED":
            return errors.RunLost(f"the call of {name} was canceled", name)
    return errors.RunLost(f"{name} was lost: {error.details() or error.code().name}", name)
