"""A client that does not read: it is cut off, its run with it, and nobody else waits."""

import contextlib
import json
import socket

import pytest

from support import processes
from support.environment import scaled
from support.gateway import Gateway, python_run

WRITES = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
LIMITS = {"output_bytes": str(64 << 20), "wall_time_ms": "60000", "cpu_time_ms": "60000"}


@pytest.fixture
def impatient(gateway_daemon):
    with Gateway(gateway_daemon.address, "--write-timeout-ms", "1000") as running:
        yield running
        assert running.stop() == 0


def asked(gateway, accept=b"text/event-stream", source=WRITES):
    """A connection with a small window, on which a run was asked for whose output nobody reads."""
    body = json.dumps(python_run(source, limits=LIMITS)).encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(scaled(60))
    connection.connect(("127.0.0.1", gateway.port))
    connection.sendall(b"POST /v1/runs:execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Accept: %s\r\nContent-Length: %d\r\n\r\n%s" % (accept, len(body), body))
    return connection


def newest_run_is(gateway, state):
    """By its record: processes alone do not tell a sandbox that is being built from a run."""
    def states():
        return [run["state"] for run in gateway.request("GET", "/v1/runs?page_size=1").json()["runs"]]

    return processes.wait_until(lambda: states() == [state], scaled(20))


def test_reader_of_events_that_stands_still_is_reset_and_its_run_ends(impatient, gateway_daemon):
    with contextlib.closing(asked(impatient)) as connection:
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 ")
        assert newest_run_is(impatient, "RUNNING")
        assert newest_run_is(impatient, "FINISHED")
        assert gateway_daemon.runs_are_gone()
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass


def test_others_are_served_while_one_stands_still(impatient, gateway_daemon):
    with contextlib.closing(asked(impatient)):
        assert newest_run_is(impatient, "RUNNING")
        answer = impatient.request("POST", "/v1/runs:execute", python_run("print(1)"))
        assert answer.json()["stdout"] == "1\n"
    assert gateway_daemon.runs_are_gone()


def test_reader_of_one_answer_that_stands_still_is_reset(impatient):
    with contextlib.closing(asked(impatient, b"application/json", "print('x' * (4 << 20))")) as connection:
        # Once it is written down, the connection is over, and with it what was not read.
        assert processes.wait_until(lambda: any(":execute" in line for line in impatient.log), scaled(20))
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass
