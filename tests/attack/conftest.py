"""Attack tests import their own modules and share the fixtures of tests/conftest.py."""

import ctypes
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from attack_support import LayerDaemon  # noqa: E402
from collected import SETUP, collect  # noqa: E402
from layers import SEGMENT_KEY  # noqa: E402
from profiles import extra_profiles  # noqa: E402
from support import leakcheck  # noqa: E402
from support.client import Client  # noqa: E402
from support.environment import CAISSOND  # noqa: E402
from support.ownership import DIRECTORY_PREFIX, marks  # noqa: E402

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def host_segment():
    """A System V segment on the host that anybody may attach to: what a run without its own IPC namespace would find."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(SEGMENT_KEY, 4096, 0o1666)
    assert segment >= 0, os.strerror(ctypes.get_errno())
    yield segment
    libc.shmctl(segment, 0, None)


@pytest.fixture(scope="session")
def attacked(daemon):  # pylint: disable=unused-argument
    """One released daemon for all cases of this process, with the tests' own profiles. At the end nothing is left of it.

    It stands on the shared daemon, which therefore ends after it, and does not take it, or a sandbox that it builds ahead, for something
    left behind.
    """
    with leakcheck.nothing_left():
        with LayerDaemon(None, extra_profiles()) as running:
            marks.aside.append(running)
            yield running
            marks.aside.remove(running)
            assert running.runs_are_gone()
            assert running.stop() == 0


@pytest.fixture(scope="session")
def attacker(attacked):  # pylint: disable=redefined-outer-name
    client = Client(attacked.address)
    yield client
    client.close()


@pytest.fixture(scope="module")
def programs(privileged):  # pylint: disable=unused-argument
    """A directory with the released caissond and a hostile dispatcher."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix=DIRECTORY_PREFIX, dir="/run"))
    directory.chmod(0o755)
    for source, name in ((CAISSOND, "caissond"), (HERE / "hostile_dispatcher.py", "caisson-dispatcher"),
                         (HERE / "boundary.py", "boundary.py")):
        shutil.copy(source, directory / name)
        (directory / name).chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def out(attacker):  # pylint: disable=redefined-outer-name
    """Runs a program that has a directory `out` and asks for that, or for other paths."""
    def run(source, paths=("out",), **fields):
        return collect(attacker, SETUP + source, paths, **fields)
    return run
