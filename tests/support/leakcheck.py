"""tools/leakcheck around a piece of work: an empty difference, or the test fails with what was left.

The program is loaded, not started: starting Python takes longer than looking.
"""

import contextlib
import functools
import importlib.machinery
import importlib.util
import os

from support.environment import REPOSITORY, scaled
from support.ownership import instance_name, marks


@functools.lru_cache(maxsize=None)
def program():
    """tools/leakcheck as a module."""
    loader = importlib.machinery.SourceFileLoader("leakcheck_program", str(REPOSITORY / "tools" / "leakcheck"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def scope():
    """Options for what belongs to this test process: other people's daemons come and go."""
    options = ["--scope", "own", "--below", str(os.getpid())]
    aside_ids = {daemon.id_first for daemon in marks.aside}
    for first, last in marks.id_ranges:
        if first not in aside_ids:
            options += ["--ids", f"{first}-{last}"]
    for name in sorted(marks.names - {instance_name(daemon.config["state_dir"]) for daemon in marks.aside}):
        options += ["--name", name]
    for daemon in marks.aside:
        options += ["--except", str(daemon.pid)]
    return options


@contextlib.contextmanager
def nothing_left(pid=None, settle=5):
    """`pid`: the daemon whose descriptors are watched too."""
    leakcheck = program()
    watch = [] if pid is None else ["--pid", str(pid)]

    def options(*arguments):
        # What belongs to this process grows while it works, so the options are made anew each time.
        return leakcheck.parse([*arguments, *scope(), *watch])

    at_first = options("snapshot", "in-memory")
    before = leakcheck.snapshot(pid, leakcheck.Scope(at_first))
    yield
    left = leakcheck.settled_difference(before, options("compare", "in-memory", "--settle", str(scaled(settle))))
    assert not left, "left behind:\n" + "\n".join(left)
