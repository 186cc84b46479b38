"""The one place where protobuf's messages become this package's values."""

import datetime
import enum
from typing import Any, TypeVar

from google.protobuf.message import Message

from caisson import events, info, results
from caisson.v1 import run_pb2

Enum = TypeVar("Enum", bound=enum.StrEnum)

VERDICTS = run_pb2.Verdict.DESCRIPTOR
ACTORS = run_pb2.Actor.DESCRIPTOR
SOURCES = run_pb2.IsolationSource.DESCRIPTOR
REASONS = run_pb2.RefusedOutput.Reason.DESCRIPTOR
STATES = run_pb2.Run.State.DESCRIPTOR


def _enum(kind: type[Enum], descriptor: Any, number: int) -> Enum:
    """UNKNOWN for "unspecified", and for what a newer server may say."""
    value = descriptor.values_by_number.get(number)
    return kind(value.name) if value is not None and value.name in kind.__members__ else kind("UNKNOWN")


def _optional(message: Any, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def _numbers(message: Message) -> dict[str, int]:
    """The fields that are there."""
    return {field.name: value for field, value in message.ListFields()}


def limits(message: run_pb2.Limits) -> info.Limits:
    """Of a profile."""
    known = info.Limits.__dataclass_fields__
    return info.Limits(**{name: value for name, value in _numbers(message).items() if name in known})


def _usage(message: run_pb2.Usage) -> results.Usage:
    known = results.Usage.__dataclass_fields__
    return results.Usage(**{name: value for name, value in _numbers(message).items() if name in known})


def _timings(message: run_pb2.Timings) -> results.Timings:
    def seconds(field: str) -> float | None:
        duration = _optional(message, field)
        return None if duration is None else duration.seconds + duration.nanos / 1e9
    return results.Timings(queue_seconds=seconds("queue"), setup_seconds=seconds("setup"), start_seconds=seconds("start"),
                           run_seconds=seconds("run"), teardown_seconds=seconds("teardown"))


def _limit_hit(message: Any) -> results.LimitHit | None:
    hit = _optional(message, "limit")
    return None if hit is None else results.LimitHit(hit.name, hit.limit, hit.observed)


def _stream_count(message: run_pb2.RunResult, field: str) -> results.StreamCount | None:
    count = _optional(message, field)
    return None if count is None else results.StreamCount(count.bytes, count.delivered_bytes, count.truncated)


def _denial(message: run_pb2.Denial) -> results.Denial:
    return results.Denial(name=message.name, count=message.count, args=tuple(message.args), decoded_args=tuple(message.decoded_args),
                          explanation=message.explanation, killed=message.killed, step=message.step)


def _isolation(message: run_pb2.Isolation) -> results.Isolation:
    facts = tuple(results.IsolationFact(fact.name, fact.value, _enum(results.IsolationSource, SOURCES, fact.source))
                  for fact in message.facts)
    return results.Isolation(tier=message.tier, facts=facts, accepted_degradations=tuple(message.accepted_degradations),
                             learning=message.learning, root=message.root)


def _step(message: run_pb2.StepResult) -> results.StepResult:
    return results.StepResult(
        step=message.step, verdict=_enum(results.Verdict, VERDICTS, message.verdict), exit_code=_optional(message, "exit_code"),
        signal=_optional(message, "signal"), usage=_usage(message.usage), timings=_timings(message.timings),
        diagnostics=message.diagnostics, limit=_limit_hit(message))


def _result_fields(message: run_pb2.RunResult) -> dict[str, Any]:
    isolation, decision = _optional(message, "isolation"), _optional(message, "decision")
    return {
        "verdict": _enum(results.Verdict, VERDICTS, message.verdict),
        "exit_code": _optional(message, "exit_code"),
        "signal": _optional(message, "signal"),
        "message": message.message,
        "ended_by": _enum(results.Actor, ACTORS, message.ended_by),
        "limit": _limit_hit(message),
        "usage": _usage(message.usage),
        "steps": tuple(_step(step) for step in message.steps),
        "timings": _timings(message.timings),
        "isolation": None if isolation is None else _isolation(isolation),
        "denials": tuple(_denial(denial) for denial in message.denials),
        "stdout_count": _stream_count(message, "stdout"),
        "stderr_count": _stream_count(message, "stderr"),
        "collected": tuple(results.CollectedFile(path=file.path, size_bytes=file.size_bytes, digest=file.digest,
                                                 executable=file.executable) for file in message.outputs),
        "refused_outputs": tuple(results.RefusedOutput(refused.path, _enum(results.RefusalReason, REASONS, refused.reason),
                                                       refused.message) for refused in message.refused_outputs),
        "refused_outputs_unlisted": message.refused_outputs_unlisted,
        "outputs_incomplete": message.outputs_incomplete,
        "observed_calls": tuple(results.ObservedCall(step=call.step, name=call.name, count=call.count, args=tuple(call.args))
                                for call in message.observed_calls),
        "observed_calls_unlisted": message.observed_calls_unlisted,
        "decision": None if decision is None else results.PolicyDecision(id=decision.id, rule=decision.rule,
                                                                         policy_digest=decision.policy_digest),
    }


def run_result(message: run_pb2.RunResult) -> results.RunResult:
    """The result as the service keeps it."""
    return results.RunResult(**_result_fields(message))


def result(finished: results.RunResult, *, name: str, stdout: bytes, stderr: bytes,
           outputs: tuple[results.OutputFile, ...]) -> results.Result:
    """The same with what the program wrote."""
    fields = {field: getattr(finished, field) for field in results.RunResult.__dataclass_fields__}
    return results.Result(**fields, name=name, stdout=stdout, stderr=stderr, outputs=outputs)


def event(message: run_pb2.RunEvent) -> events.Event | None:  # pylint: disable=too-many-return-statements
    """None for a kind of event that this client does not know."""
    sequence = message.sequence
    kind = message.WhichOneof("event")
    body: Any = None if kind is None else getattr(message, kind)
    match kind:
        case "queued":
            return events.Queued(sequence=sequence, position=body.position)
        case "accepted":
            return events.Accepted(sequence=sequence, name=body.name)
        case "started":
            return events.Started(sequence=sequence, isolation=_isolation(body.isolation))
        case "output":
            stream = events.Stdout if body.stream == run_pb2.STREAM_STDOUT else events.Stderr
            return stream(sequence=sequence, data=body.data, offset=body.offset, step=body.step)
        case "denial":
            return events.Denied(sequence=sequence, denial=_denial(body))
        case "step_finished":
            return events.StepFinished(sequence=sequence, step=body.step, verdict=_enum(results.Verdict, VERDICTS, body.verdict),
                                       exit_code=_optional(body, "exit_code"))
        case "output_file":
            return events.OutputPiece(sequence=sequence, path=body.path, data=body.data, offset=body.offset,
                                      size_bytes=body.size_bytes, executable=body.executable)
        case "finished":
            return events.Finished(sequence=sequence, result=run_result(body))
    return None


def _time(message: run_pb2.Run, field: str) -> datetime.datetime | None:
    stamp = _optional(message, field)
    return None if stamp is None else datetime.datetime.fromtimestamp(stamp.seconds + stamp.nanos / 1e9, datetime.UTC)


def run(message: run_pb2.Run) -> info.Run:
    """A run by name."""
    finished = _optional(message, "result")
    return info.Run(name=message.name, profile=message.profile, state=_enum(info.RunState, STATES, message.state),
                    create_time=_time(message, "create_time"), end_time=_time(message, "end_time"),
                    result=None if finished is None else run_result(finished), labels=dict(message.labels),
                    request_id=message.request_id, followable=message.followable,
                    tenant=message.tenant, traceparent=message.traceparent)


def profile(message: run_pb2.Profile) -> info.Profile:
    """A kind of sandbox."""
    return info.Profile(
        name=message.name, display_name=message.display_name, description=message.description,
        toolchain_version=message.toolchain_version, file_extension=message.file_extension,
        default_main_file=message.default_main_file, hello_program=message.hello_program, available=message.available,
        unavailable_reason=message.unavailable_reason, default_limits=limits(message.default_limits),
        ceilings=limits(message.ceilings), steps=tuple(message.steps), interactive=message.interactive,
        networks=tuple(message.networks), packages=tuple(message.packages), variant_of=message.variant_of, root=message.root,
        root_digest=message.root_digest)


def server_info(message: run_pb2.ServerInfo) -> info.ServerInfo:
    """The service."""
    return info.ServerInfo(
        version=message.version, api_revision=message.api_revision, max_runs=message.max_runs, queue_length=message.queue_length,
        memory_budget_bytes=message.memory_budget_bytes, max_request_bytes=message.max_request_bytes,
        features=tuple(message.features), cgroup_backend=message.cgroup_backend, landlock_abi=message.landlock_abi,
        runs_active=message.runs_active, runs_queued=message.runs_queued, tenant=message.tenant, role=message.role)
