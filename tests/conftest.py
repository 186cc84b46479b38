"""Fixtures of every Python test. See support/README.md."""

import faulthandler
import os
import pathlib
import signal
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support import leakcheck  # noqa: E402
from support.client import Client  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.environment import CAISSOND, REQUIRE_PRIVILEGED, scaled  # noqa: E402
from support.ownership import adopt_orphans  # noqa: E402

TEST_SECONDS = 120
SLOW_TEST_SECONDS = 600
LONG_TEST_SECONDS = 3600
LONGEST_ID = 200

warm = set()  # the pids of shared daemons that have had a run


def hear_signals():
    """A job in a script's background ignores SIGINT and SIGQUIT, and so would all that the tests start."""
    for number, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL),
                           (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, action)


def pytest_configure(config):
    hear_signals()
    adopt_orphans()
    config.addinivalue_line("markers", "serial: loads the machine or measures time: runs when nothing else does")
    config.addinivalue_line("markers", "bulk: moves hundreds of MiB or starts many compilers: an emulated machine runs it alone")
    config.addinivalue_line("markers", "early: takes long, mostly waiting: begins first, or all would wait for it at the end")
    config.addinivalue_line("markers", "xdist_group(name): these share one worker; pytest-xdist's, which need not be there")
    config.addinivalue_line("markers", "slow: takes too long for an emulated machine; `-m 'not slow'` leaves it out")
    config.addinivalue_line("markers", "host: asks for programs or packages that the emulated machine does not have; it leaves them out")
    config.addinivalue_line("markers", "long: minutes; `make test-long` runs it, `make test` does not")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("early") is None)


def pytest_make_parametrize_id(val):
    """pytest puts a test's name into the environment, and no program can be started with one of 128 KiB there."""
    if isinstance(val, (bytes, str)) and len(val) > LONGEST_ID:
        return f"{ascii(val[:LONGEST_ID])}... of {len(val)}"
    return None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):  # pylint: disable=unused-argument
    """With CAISSON_REQUIRE_PRIVILEGED=1 nothing passes by being skipped."""
    outcome = yield
    report = outcome.get_result()
    if REQUIRE_PRIVILEGED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although CAISSON_REQUIRE_PRIVILEGED=1: {report.longrepr}"


@pytest.fixture(autouse=True)
def time_limit(request):
    """No test hangs: SIGALRM ends it with a stack trace."""
    seconds = TEST_SECONDS
    for marker, its_seconds in (("slow", SLOW_TEST_SECONDS), ("long", LONG_TEST_SECONDS)):
        if request.node.get_closest_marker(marker):
            seconds = its_seconds

    if threading.current_thread() is not threading.main_thread():
        # execnet runs a worker's tests beside its main thread where the machine was busy when it began. Signals are not had
        # there; the worker ends with a stack trace instead.
        faulthandler.dump_traceback_later(scaled(seconds), exit=True)
        yield
        faulthandler.cancel_dump_traceback_later()
        return

    def expired(*_):
        raise TimeoutError(f"the test ran longer than {scaled(seconds)} s")

    previous = signal.signal(signal.SIGALRM, expired)
    signal.alarm(int(scaled(seconds)))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def privileged():
    """Whoever needs a daemon needs root and a build."""
    if os.geteuid() != 0:
        pytest.skip("needs root: caissond makes cgroups, mounts and namespaces")
    if not CAISSOND.exists():
        pytest.fail(f"{CAISSOND} does not exist; run `make build` or set CAISSON_BIN_DIR")


@pytest.fixture(scope="session")
def daemon(privileged):  # pylint: disable=redefined-outer-name,unused-argument
    """One daemon for all tests that leave it as they found it. At the end: nothing may be left, and it exits 0."""
    with leakcheck.nothing_left():
        with Daemon(ready_sandboxes=0) as running:  # one that waits would look like one that was left
            yield running
            assert running.runs_are_gone()
            assert running.stop() == 0


@pytest.fixture(scope="module", autouse=True)
def module_leaves_nothing(request):
    """Every file of tests on the shared daemon ends with an empty difference. The attacked daemon has its own (tests/attack)."""
    used = {name for item in request.session.items if item.parent.nodeid.startswith(request.node.nodeid)
            for name in item.fixturenames}
    if "daemon" not in used or "attacked" in used:
        yield
        return
    running = request.getfixturevalue("daemon")
    if running.pid not in warm:
        warm_up(running)
        warm.add(running.pid)
    with leakcheck.nothing_left(running.pid):
        yield


def warm_up(running):
    """One run, so that what a daemon opens once and keeps is open before the snapshot."""
    client = Client(running.address)
    try:
        assert client.execute("print('warm')").stdout == b"warm\n"
    finally:
        client.close()


@pytest.fixture
def client(daemon):  # pylint: disable=redefined-outer-name
    connection = Client(daemon.address)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def stored_daemon(privileged):  # pylint: disable=redefined-outer-name,unused-argument
    """One daemon for the tests of a file that leave runs on its disk, which the shared one must not have."""
    with Daemon(profiles=["python", "c", "bash"], ready_sandboxes=0) as running:
        yield running
        assert running.runs_are_gone()
        assert running.stop() == 0


@pytest.fixture
def client_of():
    """Clients of daemons of a test's own; each is closed at the end."""
    clients = []

    def make(daemon):  # pylint: disable=redefined-outer-name
        clients.append(Client(daemon.address))
        return clients[-1]

    yield make
    for one in clients:
        one.close()


@pytest.fixture
def make_daemon(privileged):  # pylint: disable=redefined-outer-name,unused-argument
    """Starts daemons of a test's own; each is stopped at the end."""
    daemons = []

    def make(start=True, profiles=None, **config):
        running = Daemon(config=config, profiles=profiles)
        daemons.append(running)
        return running.start() if start else running

    yield make
    for running in daemons:
        try:
            running.stop()
        finally:
            running.remove_files()
