"""tools/leakcheck around a piece of work: an empty difference, or the test fails with what was left."""

import contextlib
import subprocess
import tempfile

from support.environment import REPOSITORY, scaled

LEAKCHECK = REPOSITORY / "tools" / "leakcheck"


@contextlib.contextmanager
def nothing_left(pid=None, settle=5):
    """`pid`: the daemon whose descriptors are watched too. What others do on the machine is left out."""
    with tempfile.NamedTemporaryFile(prefix="caisson-leakcheck-") as snapshot:
        watch = ["--scope", "caisson", *([] if pid is None else ["--pid", str(pid)])]
        subprocess.run([LEAKCHECK, "snapshot", snapshot.name, *watch], check=True)
        yield
        compared = subprocess.run([LEAKCHECK, "compare", snapshot.name, *watch, "--settle", str(scaled(settle))],
                                  capture_output=True, text=True, check=False)
        assert compared.returncode == 0, f"left behind:\n{compared.stdout}{compared.stderr}"
