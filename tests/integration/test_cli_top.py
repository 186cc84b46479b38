"""`caisson top`: what is live, on a terminal and without one; whose it is, and what happens when the service goes."""

import os
import select
import signal
import time

import pytest

from support.cli import Cli
from support.client import Client, request
from support.environment import CAISSON, scaled
from support.processes import wait_until
from support.pseudoterminal import Terminal
from support.tenants import Tenants

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(100)"
ENTER, LEAVE = rb"\x1b\[\?1049h\x1b\[\?25l", b"\x1b[?25h\x1b[?1049l"


@pytest.fixture(scope="module", name="tenants")
def tenants_fixture(privileged):  # pylint: disable=unused-argument
    with Tenants() as running:
        yield running


def waiting_run(client):
    call = client.start(request(WAITING), timeout=None)
    call.until_output(b"here")
    return call


def test_one_picture_without_a_terminal_shows_the_tenants_own_runs(tenants, tmp_path):
    call = waiting_run(tenants.client("alpha"))
    try:
        pictures = {name: Cli(tenants.address(name), tmp_path).run("top").stdout.decode() for name in ("alpha", "beta", "operator")}
    finally:
        call.cancel()
    assert ", as tenant alpha\n" in pictures["alpha"] and ", as operator\n" in pictures["operator"]
    for name in ("alpha", "operator"):
        assert "\nTENANT  RUNNING  PREPARING  QUEUED\nalpha   1        0          0\n" in pictures[name]
        assert pictures[name].splitlines()[-1].split()[1:4] == ["alpha", "python", "RUNNING"]
    assert "alpha" not in pictures["beta"] and pictures["beta"].endswith("\nno run is live\n")


@pytest.fixture
def terminal():
    opened = []

    def start(address, interval="0.1"):
        opened.append(Terminal([str(CAISSON), "top", "--socket", address, "--interval", interval]))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize("key", [b"q", b"Q", b"\x03"])
def test_picture_follows_what_is_live_and_a_key_ends_it(tenants, terminal, key):
    session = terminal(tenants.address("beta"))
    session.expect(ENTER + rb"\x1b\[Hcaissond .*no run is live\x1b\[K\r\n\x1b\[J")
    call = waiting_run(tenants.client("beta"))
    session.expect(rb"beta +1 +0 +0\x1b\[K\r\n.*runs/[0-9a-f]{32} +beta +python +RUNNING")
    call.cancel()
    session.expect(rb"no run is live")
    session.send(key)
    assert session.wait() == 0
    assert session.seen.endswith(LEAVE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_it_and_leaves_the_terminal_as_it_was(tenants, terminal, number):
    session = terminal(tenants.address("beta"))
    session.expect(ENTER)
    session.process.send_signal(number)
    assert session.wait() == 0
    assert session.seen.endswith(LEAVE)


@pytest.mark.parametrize("shown", [True, False])
def test_ctrl_c_ends_it_also_while_the_service_keeps_its_answer_back(make_daemon, terminal, shown):
    daemon = make_daemon(profiles=["python"])
    dispatcher = daemon.dispatcher_pid()
    if not shown:
        os.kill(dispatcher, signal.SIGSTOP)
    try:
        session = terminal(daemon.address)
        if shown:
            session.expect(rb"no run is live")
            os.kill(dispatcher, signal.SIGSTOP)
            while select.select([session.master], [], [], scaled(0.5))[0]:  # it draws ten times a second until it waits for an answer
                os.read(session.master, 65536)
            session.send(b"\x03")
        else:
            # Its threads: it listens to signals, and has begun to ask.
            assert wait_until(lambda: len(os.listdir(f"/proc/{session.process.pid}/task")) > 2, scaled(10))
            session.process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert session.wait() == (0 if shown else 130)
        assert time.monotonic() - begun < scaled(3)
        assert session.seen.endswith(LEAVE) == shown
    finally:
        os.kill(dispatcher, signal.SIGCONT)


def test_new_size_is_taken_at_once(tenants, terminal):
    session = terminal(tenants.address("beta"), "3600")
    session.expect(rb"caissond [^\r]*/beta\.sock[^\r]*\r\n")
    session.resize(30, 12)
    session.expect(rb"\x1b\[Hcaissond 0\.1\x1b\[K\r\n")


def test_lost_service_is_said_and_waited_for(make_daemon, terminal):
    daemon = make_daemon(profiles=["python"])
    session = terminal(daemon.address)
    session.expect(rb"no run is live")
    assert daemon.stop() == 0
    session.expect(rb"\r\n! [^\r]+\x1b\[K\r\n")
    daemon.start()
    session.expect(rb"memory for runs [^\r]+\r\n\x1b\[K\r\nno run is live", timeout=30)


def test_service_that_is_not_there_is_an_error(tmp_path):
    done = Cli(f"unix:{tmp_path}/none.sock", tmp_path).run("top")
    assert done.returncode == 125 and b"none.sock" in done.stderr and done.stdout == b""


@pytest.mark.parametrize("value", ["0", "-1", "soon", "3601"])
def test_interval_has_bounds(tmp_path, value):
    done = Cli(f"unix:{tmp_path}/none.sock", tmp_path).run("top", "--interval", value)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"caisson: --interval: must be from 0.1 to 3600 seconds, not {value}")
