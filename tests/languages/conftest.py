"""A daemon for the languages' own programs on a slow machine; on others they have the shared one of tests/conftest.py."""

import json
import os

import pytest

from support import leakcheck
from support.daemon import Daemon
from support.environment import TIME_SCALE

# The most that a request may ask for (docs/limits.md).
CEILING_MS = 300_000


def allow_time(running):
    """On a slow machine compilers and runtimes get more time than the shipped profiles give; these tests are not about that."""
    running.write_files()
    path = running.profiles_dir / "base.json"
    profile = json.loads(path.read_text())
    limits = profile["steps"]["all"].setdefault("limits", {})
    for name in ("wall_time_ms", "cpu_time_ms"):
        limits[name] = {"default": min(CEILING_MS, int(30_000 * TIME_SCALE))}
    path.write_text(json.dumps(profile))
    os.chmod(path, 0o644)


if TIME_SCALE > 1:
    @pytest.fixture(scope="session")
    def daemon(privileged):  # pylint: disable=unused-argument
        """The one of tests/conftest.py, with patience."""
        with leakcheck.nothing_left():
            running = Daemon(ready_sandboxes=0)
            allow_time(running)
            with running:
                yield running
                assert running.runs_are_gone()
                assert running.stop() == 0
