"""protobuf to values and back, refusals to exceptions: the client's pure parts, without a daemon."""

import dataclasses
import enum
import re

import grpc
import pytest

from support import protos
from support.environment import REPOSITORY

REASON_ROW = re.compile(r"^\| `([A-Z_]+)` \| ([A-Z_]+) \| (yes|no) \|", re.MULTILINE)
EXPECTED = {  # reason → exception; docs/errors.md has the reasons
    "INVALID_REQUEST": "InvalidRequest", "FIELD_NOT_SUPPORTED": "Unsupported", "PROFILE_NOT_FOUND": "ProfileNotFound",
    "PROFILE_UNAVAILABLE": "ProfileUnavailable", "LIMIT_EXCEEDS_HOST": "InvalidRequest", "REQUEST_TOO_LARGE": "RequestTooLarge",
    "QUEUE_FULL": "Exhausted", "RUN_NOT_FOUND": "RunNotFound", "RUN_CANCELED": "Canceled", "SHUTTING_DOWN": "Unavailable",
    "SUPERVISOR_UNAVAILABLE": "Unavailable", "CLIENT_GONE": "Canceled", "INPUT_OUT_OF_ORDER": "InputRefused",
    "INPUT_TIMEOUT": "InputRefused", "REQUEST_ID_REUSED": "RequestIdReused", "STORAGE_FULL": "Exhausted", "STORAGE_FAILED": "StorageFailed",
    "OUTPUT_NOT_STORED": "NotFollowable", "OFFSET_OUT_OF_RANGE": "InvalidRequest",
    "TOKEN_MISSING": "Unauthenticated", "TOKEN_MALFORMED": "Unauthenticated", "TOKEN_NOT_VALID": "Unauthenticated",
    "TOKEN_EXPIRED": "Unauthenticated",
    "ROLE_NOT_ALLOWED": "PermissionDenied", "TENANT_WITHOUT_POLICY": "PermissionDenied", "PROFILE_NOT_ALLOWED": "PermissionDenied",
    "LIMIT_NOT_ALLOWED": "PermissionDenied", "QUOTA_EXCEEDED": "Exhausted", "DEADLINE_TOO_SOON": "Exhausted",
    "RELOAD_REFUSED": "Refused",
}
ADDRESS = "unix:/nonexistent/caisson.sock"


class Status(grpc.RpcError):
    """A gRPC error as a call would raise it."""

    def __init__(self, code, message="", *details, metadata=()):  # pylint: disable=keyword-arg-before-vararg
        super().__init__(message)
        self._code, self._message = grpc.StatusCode[code], message
        self._metadata = list(metadata)
        if details:
            status = protos.load().status.Status(message=message)
            for detail in details:
                status.details.add().Pack(detail)
            self._metadata.append(("grpc-status-details-bin", status.SerializeToString()))

    def code(self):
        return self._code

    def details(self):
        return self._message

    def trailing_metadata(self):
        return self._metadata


def info(reason, domain="caisson.dev", **metadata):
    return protos.load().error_details.ErrorInfo(reason=reason, domain=domain, metadata=metadata)


@pytest.fixture(scope="module", name="parts")
def fixture_parts(caisson):
    """The package's own modules."""
    from caisson import _address, _convert, _progress, _refusal, _request, results  # pylint: disable=import-outside-toplevel
    from caisson import info as infos  # pylint: disable=import-outside-toplevel
    assert caisson.Verdict is results.Verdict

    class Parts:
        address, convert, progress, refusal, request, info = _address, _convert, _progress, _refusal, _request, infos
    return Parts


def documented_reasons():
    return REASON_ROW.findall((REPOSITORY / "docs/errors.md").read_text())


def test_every_documented_reason_has_its_exception(caisson, parts):
    assert {reason for reason, _, _ in documented_reasons()} == EXPECTED.keys()
    for reason, code, retry in documented_reasons():
        details = [info(reason)]
        if retry == "yes":
            details.append(protos.load().error_details.RetryInfo())
            details[-1].retry_delay.FromMilliseconds(1500)
        error = parts.refusal.refused(Status(code, "why", *details), ADDRESS)
        assert type(error) is getattr(caisson, EXPECTED[reason]), reason  # pylint: disable=unidiomatic-typecheck
        assert (error.reason, error.code, error.retry_after) == (reason, code, 1.5 if retry == "yes" else None)
        assert "why" in str(error)


def test_details_become_attributes(parts):
    api = protos.load().error_details
    bad = api.BadRequest(field_violations=[{"field": "limits.pids", "description": "is 0"}, {"field": "args[3]", "description": "has a NUL"}])
    error = parts.refusal.refused(Status("INVALID_ARGUMENT", "limits.pids: is 0 (and 1 more)", info("INVALID_REQUEST"), bad), ADDRESS)
    assert [(violation.field, violation.description) for violation in error.violations] == [("limits.pids", "is 0"), ("args[3]", "has a NUL")]
    assert str(error) == "limits.pids: is 0; args[3]: has a NUL"
    quota = api.QuotaFailure(violations=[{"subject": "queue", "description": "512 wait"}])
    error = parts.refusal.refused(Status("RESOURCE_EXHAUSTED", "full", info("QUEUE_FULL"), quota), ADDRESS)
    assert [(violation.field, violation.description) for violation in error.quotas] == [("queue", "512 wait")]
    assert parts.refusal.refused(Status("NOT_FOUND", "no", info("PROFILE_NOT_FOUND", nearest="python, php")), ADDRESS).nearest == ("python", "php")
    assert parts.refusal.refused(Status("NOT_FOUND", "no", info("PROFILE_NOT_FOUND")), ADDRESS).nearest == ()
    assert parts.refusal.refused(Status("FAILED_PRECONDITION", "no", info("PROFILE_UNAVAILABLE", package="ruby")), ADDRESS).package == "ruby"
    assert parts.refusal.refused(Status("RESOURCE_EXHAUSTED", "no", info("REQUEST_TOO_LARGE", limit_bytes="65536")), ADDRESS).limit_bytes == 65536


def test_what_has_no_details_goes_by_its_code(caisson, parts):
    for code, kind in (("INVALID_ARGUMENT", "InvalidRequest"), ("UNIMPLEMENTED", "Unsupported"), ("NOT_FOUND", "NotFound"),
                       ("PERMISSION_DENIED", "PermissionDenied"), ("CANCELLED", "Canceled"), ("RESOURCE_EXHAUSTED", "Exhausted"),
                       ("DEADLINE_EXCEEDED", "DeadlineExceeded"), ("INTERNAL", "Refused"), ("UNAVAILABLE", "Unavailable")):
        error = parts.refusal.refused(Status(code, "text"), ADDRESS)
        assert type(error) is getattr(caisson, kind), code  # pylint: disable=unidiomatic-typecheck
    assert isinstance(parts.refusal.refused(Status("DEADLINE_EXCEEDED"), ADDRESS), TimeoutError)
    large = parts.refusal.refused(Status("RESOURCE_EXHAUSTED", "Received message larger than max (18 vs. 17)"), ADDRESS)
    assert isinstance(large, caisson.RequestTooLarge) and large.limit_bytes is None


def test_a_reason_of_a_newer_server_goes_by_its_code(caisson, parts):
    error = parts.refusal.refused(Status("RESOURCE_EXHAUSTED", "no", info("TENANT_QUOTA")), ADDRESS)
    assert isinstance(error, caisson.Exhausted) and error.reason == "TENANT_QUOTA"


@pytest.mark.parametrize("metadata", [
    [("grpc-status-details-bin", b"\xff\xff\xff")],
    [("other", "value")],
    [("grpc-status-details-bin", b"\x1a\x20\x0a\x1ctype.googleapis.com/other.Kind\x12\x00")],
])
def test_details_that_cannot_be_read_are_left_out(caisson, parts, metadata):
    error = parts.refusal.refused(Status("NOT_FOUND", "gone", metadata=metadata), ADDRESS)
    assert type(error) is caisson.NotFound and error.reason == ""  # pylint: disable=unidiomatic-typecheck


def test_details_of_another_domain_are_not_ours(parts):
    assert parts.refusal.refused(Status("NOT_FOUND", "gone", info("PROFILE_NOT_FOUND", domain="other.dev")), ADDRESS).reason == ""


def test_a_broken_connection_says_whether_the_program_may_have_run(parts):
    reached = parts.refusal.refused(Status("UNAVAILABLE", "Socket closed"), ADDRESS)
    assert reached.may_have_run
    for words in ("failed to connect to all addresses; last error: x", "connections to all backends failing; last error: x"):
        assert not parts.refusal.refused(Status("UNAVAILABLE", words), ADDRESS).may_have_run
    assert not parts.refusal.refused(Status("UNAVAILABLE", "stopping", info("SHUTTING_DOWN")), ADDRESS).may_have_run
    assert "/nonexistent/caisson.sock does not exist" in str(reached)


def test_after_acceptance_an_error_is_a_lost_run(caisson, parts):
    assert isinstance(parts.refusal.lost(Status("UNAVAILABLE", "Socket closed"), "runs/1"), caisson.RunLost)
    assert isinstance(parts.refusal.lost(Status("CANCELLED"), "runs/1"), caisson.RunLost)
    late = parts.refusal.lost(Status("DEADLINE_EXCEEDED"), "runs/1")
    assert isinstance(late, caisson.DeadlineExceeded) and late.name == "runs/1"


def test_what_is_tried_again(parts):
    never_sent, broken = Status("UNAVAILABLE", "failed to connect to all addresses"), Status("UNAVAILABLE", "Socket closed")
    later = protos.load().error_details.RetryInfo()
    later.retry_delay.FromMilliseconds(1000)
    full, invalid = Status("RESOURCE_EXHAUSTED", "", info("QUEUE_FULL"), later), Status("INVALID_ARGUMENT", "", info("INVALID_REQUEST"))
    retry, forever = parts.progress.Retry(), parts.request.Deadline(None)

    def delay(error, attempt=1, deadline=forever, policy=retry):
        return policy.delay(attempt, parts.refusal.refused(error, ADDRESS), deadline)

    assert 0.2 <= delay(never_sent) <= 0.25 and 0.4 <= delay(never_sent, 2) <= 0.5
    assert 1 <= delay(full) <= 1.25
    assert 2 <= delay(never_sent, 90, policy=parts.progress.Retry(attempts=100, max_delay_seconds=2)) <= 2.5
    assert [delay(broken), delay(invalid), delay(full, 3), delay(never_sent, 3)] == [None] * 4
    assert delay(full, deadline=parts.request.Deadline(0.5)) is None
    assert delay(full, policy=parts.progress.Retry(max_delay_seconds=0.9)) is None
    assert delay(full, policy=parts.progress.Retry(attempts=1)) is None


@pytest.mark.parametrize("fields", [{"attempts": 0}, {"max_delay_seconds": -1}, {"first_delay_seconds": -0.1}])
def test_a_retry_that_makes_no_sense_is_refused(caisson, fields):
    with pytest.raises(ValueError):
        caisson.Retry(**fields)


@pytest.mark.parametrize("given, environment, address", [
    (None, {}, "unix:/run/caisson/caisson.sock"),
    (None, {"CAISSON_SOCKET": "/a"}, "unix:/a"),
    (None, {"CAISSON_SOCKET": "/a", "CAISSON_ADDRESS": "unix:/b"}, "unix:/b"),
    ("unix:///c", {"CAISSON_ADDRESS": "/b"}, "unix:/c"),
])
def test_the_address_is_found_as_documented(parts, given, environment, address):
    assert parts.address.resolve(given, environment) == address


@pytest.mark.parametrize("address", ["localhost:50051", "unix:relative", "/" + "x" * 107, "https://host"])
def test_what_is_no_unix_socket_is_an_invalid_address(caisson, parts, address):
    with pytest.raises(caisson.InvalidAddress):
        parts.address.resolve(address, {})


ENUMS = {"Verdict": "Verdict", "Actor": "Actor", "IsolationSource": "IsolationSource", "RefusalReason": "RefusedOutput.Reason",
         "RunState": "Run.State"}


@pytest.mark.parametrize("name", ENUMS)
def test_enums_have_every_value_of_the_api(caisson, name):
    kind = protos.load().run
    for part in ENUMS[name].split("."):
        kind = getattr(kind, part)
    api = {value for value in kind.keys() if not value.endswith("UNSPECIFIED")}
    assert {member.value for member in getattr(caisson, name)} == api | {"UNKNOWN"}


def fill(message):
    for field in message.DESCRIPTOR.fields:
        repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED  # protobuf 7 has no label
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)["key"] = "value"
        elif field.message_type is not None:
            fill(getattr(message, field.name).add() if repeated else getattr(message, field.name))
        else:
            value = {field.CPPTYPE_STRING: b"bytes" if field.type == field.TYPE_BYTES else f"text {field.name}",
                     field.CPPTYPE_BOOL: True, field.CPPTYPE_ENUM: 2}.get(field.cpp_type, field.number + 2)
            if repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


def empty_fields(value, path=""):
    """Paths of everything below `value` that says nothing."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from empty_fields(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        yield from empty_fields(value[0], f"{path}[0]")
    elif value in (None, "", (), 0, False, b"", {}) or (isinstance(value, enum.Enum) and value.name == "UNKNOWN"):
        yield path


@pytest.mark.parametrize("message, convert", [("RunResult", "run_result"), ("Run", "run"), ("Profile", "profile"), ("ServerInfo", "server_info")])
def test_every_field_of_the_api_arrives(parts, message, convert):
    run = protos.load().run
    value = getattr(parts.convert, convert)(fill(getattr(run, message)()))
    assert not list(empty_fields(value))
    renamed = {"outputs": "collected", "stdout": "stdout_count", "stderr": "stderr_count"} if message == "RunResult" else {}
    missing = {renamed.get(field.name, field.name) for field in getattr(run, message).DESCRIPTOR.fields} - set(type(value).__dataclass_fields__)
    assert not missing


def test_every_kind_of_event_arrives(caisson, parts):
    run = protos.load().run
    kinds = {"queued": caisson.Queued, "accepted": caisson.Accepted, "started": caisson.Started, "output": caisson.Stderr,
             "denial": caisson.Denied, "step_finished": caisson.StepFinished, "finished": caisson.Finished, "output_file": caisson.OutputPiece}
    assert {field.name for field in run.RunEvent.DESCRIPTOR.oneofs[0].fields} == kinds.keys()
    for name, kind in kinds.items():
        message = run.RunEvent(sequence=7)
        fill(getattr(message, name))
        event = parts.convert.event(message)
        assert type(event) is kind and event.sequence == 7 and not list(empty_fields(event)), name  # pylint: disable=unidiomatic-typecheck


def test_what_is_absent_is_none_and_what_is_new_is_unknown(caisson, parts):
    run = protos.load().run
    result = parts.convert.run_result(run.RunResult(verdict=999, ended_by=999))
    assert (result.verdict, result.ended_by) == (caisson.Verdict.UNKNOWN, caisson.Actor.UNKNOWN)
    assert (result.exit_code, result.signal, result.limit, result.isolation, result.stdout_count, result.usage.oom_kills,
            result.timings.run_seconds) == (None,) * 7
    assert not result.ok
    assert parts.convert.event(run.RunEvent(sequence=1)) is None
    zero = parts.convert.run_result(run.RunResult(exit_code=0, usage=run.Usage(oom_kills=0)))
    assert (zero.exit_code, zero.usage.oom_kills) == (0, 0)


def test_limits_are_those_of_the_api(caisson):
    names = [field.name for field in protos.load().run.Limits.DESCRIPTOR.fields]
    assert sorted(names) == sorted(caisson.Limits.__dataclass_fields__)
    assert set(names) <= caisson.Options.__annotations__.keys()
