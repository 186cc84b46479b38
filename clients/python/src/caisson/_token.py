"""The token that calls show where the daemon asks for one. No message holds anything of it."""

import functools
import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from caisson.errors import InvalidToken

FORM = re.compile(r"caisson_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
MAX_FILE_BYTES = 256


def _read(path: str) -> str:
    try:
        # O_NONBLOCK: a FIFO under this name must not hang us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise InvalidToken(f"token file {path}: {problem.strerror}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise InvalidToken(f"token file {path}: is not a regular file")
        if mode & 0o077:
            raise InvalidToken(f"token file {path}: others can use it: chmod 600")
        text = os.read(descriptor, MAX_FILE_BYTES).decode("ascii", "replace").removesuffix("\n")
    finally:
        os.close(descriptor)
    if not FORM.fullmatch(text):
        raise InvalidToken(f"token file {path}: is not a token: one line that `caisson token create` printed")
    return text


def resolve(given: str | None, environment: Mapping[str, str] | None = None) -> str | None:
    """The token, or None. InvalidToken for what is none, and for a file that others can use."""
    environment = os.environ if environment is None else environment
    if given is None:
        path = environment.get("CAISSON_TOKEN_FILE")
        return _read(path) if path else None
    if not FORM.fullmatch(given):
        raise InvalidToken("token: is not one that `caisson token create` printed")
    return given


class WithToken:
    """A stub whose every call shows the token."""

    def __init__(self, stub: Any, token: str) -> None:
        self._stub = stub
        self._metadata = (("authorization", f"Bearer {token}"),)

    def __getattr__(self, method: str) -> Any:
        return functools.partial(getattr(self._stub, method), metadata=self._metadata)


def shown_by(stub: Any, token: str | None) -> Any:
    """The stub, and it shows the token if there is one."""
    return stub if token is None else WithToken(stub, token)
