"""Client of Caisson, the daemon that runs other people's code in sandboxes.

    from caisson import Caisson

    with Caisson() as c:
        result = c.run("python", "print(6 * 7)", wall_time_ms=2_000)
        print(result.verdict, result.exit_code, result.stdout_text)

Caisson is the synchronous client, AsyncCaisson the same with asyncio. `caisson.events`, `caisson.results`, `caisson.info` and
`caisson.errors` have what they give; `caisson.v1` the API's own messages.
"""

from caisson._progress import Retry
from caisson.aio import AsyncCaisson, AsyncRunStream, AsyncSession
from caisson.client import Caisson, RunStream, Session
from caisson.errors import (
    CaissonError,
    Canceled,
    DeadlineExceeded,
    Exhausted,
    FieldViolation,
    InputRefused,
    InvalidAddress,
    InvalidRequest,
    InvalidToken,
    NotFollowable,
    NotFound,
    PermissionDenied,
    ProfileNotFound,
    ProfileUnavailable,
    ProtocolError,
    Refused,
    RequestIdReused,
    RequestTooLarge,
    RunFailed,
    RunLost,
    RunNotFound,
    SessionEnded,
    StorageFailed,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from caisson.events import Accepted, Denied, Event, Finished, Output, OutputPiece, Queued, Started, Stderr, Stdout, StepFinished
from caisson.info import Limits, Profile, Run, RunState, ServerInfo
from caisson.options import Content, File, Options, OutputOverflow, Terminal
from caisson.results import (
    Actor,
    CollectedFile,
    Denial,
    Isolation,
    IsolationFact,
    IsolationSource,
    LimitHit,
    ObservedCall,
    OutputFile,
    PolicyDecision,
    RefusalReason,
    RefusedOutput,
    Result,
    RunResult,
    StepResult,
    StreamCount,
    Timings,
    Usage,
    Verdict,
)

__all__ = [
    "Accepted", "Actor", "AsyncCaisson", "AsyncRunStream", "AsyncSession", "Caisson", "CaissonError",
    "Canceled", "CollectedFile", "Content", "DeadlineExceeded", "Denial", "Denied", "Event", "Exhausted",
    "FieldViolation", "File", "Finished", "InputRefused", "InvalidAddress", "InvalidRequest", "InvalidToken", "Isolation",
    "IsolationFact", "IsolationSource", "LimitHit", "Limits", "NotFollowable", "NotFound", "ObservedCall", "Options", "Output",
    "OutputFile", "OutputOverflow", "OutputPiece", "PermissionDenied", "PolicyDecision", "Profile", "ProfileNotFound",
    "ProfileUnavailable", "ProtocolError", "Queued", "RefusalReason", "Refused", "RefusedOutput",
    "RequestIdReused", "RequestTooLarge", "Result", "Retry", "Run", "RunFailed", "RunLost", "RunNotFound", "RunResult",
    "RunState", "RunStream", "ServerInfo", "Session", "SessionEnded", "Started", "Stderr", "Stdout",
    "StepFinished", "StepResult", "StorageFailed", "StreamCount", "Terminal", "Timings", "Unauthenticated", "Unavailable", "Unsupported",
    "Usage", "Verdict",
]
