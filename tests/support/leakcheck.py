"""tools/leakcheck around a piece of work: an empty difference, or the test fails with what was left."""

import contextlib
import os
import subprocess
import tempfile

from support.environment import REPOSITORY, scaled
from support.ownership import marks

LEAKCHECK = REPOSITORY / "tools" / "leakcheck"


def scope():
    """Options for what belongs to this test process: other people's daemons come and go."""
    options = ["--scope", "own", "--below", str(os.getpid())]
    for first, last in marks.id_ranges:
        options += ["--ids", f"{first}-{last}"]
    for name in sorted(marks.names):
        options += ["--name", name]
    return options


@contextlib.contextmanager
def nothing_left(pid=None, settle=5):
    """`pid`: the daemon whose descriptors are watched too."""
    with tempfile.NamedTemporaryFile(prefix="caisson-leakcheck-") as snapshot:
        watch = [] if pid is None else ["--pid", str(pid)]
        subprocess.run([LEAKCHECK, "snapshot", snapshot.name, *scope(), *watch], check=True)
        yield
        compared = subprocess.run(
            [LEAKCHECK, "compare", snapshot.name, *scope(), *watch, "--settle", str(scaled(settle))],
            capture_output=True, text=True, check=False)
        assert compared.returncode == 0, f"left behind:\n{compared.stdout}{compared.stderr}"
