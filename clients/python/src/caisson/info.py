"""What the service tells about itself: runs, profiles, limits."""

import dataclasses
import datetime
import enum

from caisson.results import RunResult


class RunState(enum.StrEnum):
    """Where a run is."""

    UNKNOWN = "UNKNOWN"
    QUEUED = "QUEUED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run by name; `result` when it is finished."""

    name: str
    profile: str
    state: RunState
    create_time: datetime.datetime | None
    end_time: datetime.datetime | None
    result: RunResult | None
    labels: dict[str, str]
    request_id: str
    followable: bool  # its output is stored: follow() and wait() have it
    tenant: str  # whose run it is
    traceparent: str  # the W3C trace context of the call that made it; "" if it had none


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a profile, by the names that run() takes. None: the profile does not set it."""

    wall_time_ms: int | None = None
    cpu_time_ms: int | None = None
    memory_bytes: int | None = None
    pids: int | None = None
    output_bytes: int | None = None
    disk_bytes: int | None = None
    inode_count: int | None = None
    open_files: int | None = None
    file_size_bytes: int | None = None
    stack_bytes: int | None = None
    cpu_millis: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of sandbox, and what runs in it. `unavailable_reason` where `available` is false."""

    name: str
    display_name: str
    description: str
    toolchain_version: str
    file_extension: str
    default_main_file: str
    hello_program: str
    available: bool
    unavailable_reason: str
    default_limits: Limits
    ceilings: Limits
    steps: tuple[str, ...]
    interactive: bool
    networks: tuple[str, ...]
    packages: tuple[str, ...]
    variant_of: str
    root: str
    root_digest: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """The service: its version, what it can take, and how busy it is."""

    version: str
    api_revision: str
    max_runs: int
    queue_length: int
    memory_budget_bytes: int
    max_request_bytes: int
    features: tuple[str, ...]
    cgroup_backend: str
    landlock_abi: int
    runs_active: int
    runs_queued: int
    tenant: str  # who the service takes the caller for; "" for an operator
    role: str  # "run", "observe" or "operator": what the caller may do
