"""Where the daemon listens: as `caisson` finds it, but that CAISSON_ADDRESS goes before CAISSON_SOCKET."""

import os
from collections.abc import Mapping

from caisson.errors import InvalidAddress

DEFAULT = "unix:/run/caisson/caisson.sock"
MAX_PATH_BYTES = 107  # sockaddr_un

# (name, value): of every channel.
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),  # a run must not be started twice behind the caller's back; Retry says what is repeated
    ("grpc.use_local_subchannel_pool", 1),  # a client that is closed leaves nothing behind
    ("grpc.initial_reconnect_backoff_ms", 100),  # not the "min" one: that is how long connecting may take
    ("grpc.max_reconnect_backoff_ms", 1000),
)


def resolve(given: str | None, environment: Mapping[str, str] | None = None) -> str:
    """"unix:/path". InvalidAddress for anything but a Unix socket's absolute path."""
    environment = os.environ if environment is None else environment
    address = given or environment.get("CAISSON_ADDRESS") or environment.get("CAISSON_SOCKET") or DEFAULT
    path = address.removeprefix("unix:")
    if path.startswith("///"):  # unix:///path is gRPC's other spelling
        path = path[2:]
    if not path.startswith("/"):
        raise InvalidAddress(f"{address!r}: Caisson listens on Unix sockets; give unix:/PATH or an absolute path")
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise InvalidAddress(f"{address!r}: the path is longer than {MAX_PATH_BYTES} bytes")
    return f"unix:{path}"


def run_name(name: str) -> str:
    """A run's full name; the "runs/" before it may be left out, as on the command line."""
    return name if name.startswith("runs/") else f"runs/{name}"
