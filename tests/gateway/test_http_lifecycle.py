"""How a gateway starts, what it refuses to start as, who goes away while a run goes on, and how it ends."""

import contextlib
import json
import os
import signal
import socket
import subprocess

import pytest

from support.environment import scaled
from support.gateway import GATEWAY, Gateway, python_run

FOREVER = "print('here', flush=True)\nimport time\ntime.sleep(100)"


def started(gateway, accept="text/event-stream"):
    """A connection on which a run has begun to put out."""
    body = json.dumps(python_run(FOREVER)).encode()
    head = (f"POST /v1/runs:execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    connection = gateway.raw(head.encode() + body)
    read = b""
    while b"event: output" not in read:
        read += connection.recv(65536)
    return connection, read


def refused(*options):
    done = subprocess.run([str(GATEWAY), *options], capture_output=True, text=True, timeout=scaled(30), check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("options, says", [
    (("--listen", "0.0.0.0:0"), "no TLS"),
    (("--listen", "[::]:0"), "no TLS"),
    (("--listen", "192.0.2.1:80"), "no TLS"),
    (("--listen", "localhost:80"), "must be a number"),
    (("--listen", "127.0.0.1:99999"), "0 to 65535"),
    (("--socket", "tcp:1"), "give unix:/PATH"),
    (("--allow-origin", "*"), "no wildcard"),
])
def test_an_option_that_would_open_it_is_refused(options, says):
    code, log = refused(*options)
    assert code == 2 and says in log


def test_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, log = refused("--user", "caisson-gateway", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 1 and "listen on" in log and "Address already in use" in log


def test_root_serves_nobody(privileged):  # pylint: disable=unused-argument
    code, log = refused("--listen", "127.0.0.1:0")
    assert code == 1 and "root must not run the gateway" in log
    code, log = refused("--listen", "127.0.0.1:0", "--user", "root")
    assert code == 1 and "must not be root" in log
    code, log = refused("--listen", "127.0.0.1:0", "--user", "no-such-user")
    assert code == 1 and "there is none" in log


def test_a_client_that_goes_away_ends_its_run(gateway, gateway_daemon):
    connection, _ = started(gateway)
    assert gateway_daemon.run_pids()
    connection.close()
    assert gateway_daemon.runs_are_gone()


def test_a_gateway_that_is_killed_ends_its_runs(gateway_daemon):
    with Gateway(gateway_daemon.address) as mine:
        connection, _ = started(mine)
        os.kill(mine.pid, signal.SIGKILL)
        assert gateway_daemon.runs_are_gone()
        connection.close()


def test_sigterm_gives_runs_their_grace_and_then_ends_them_with_a_word(gateway_daemon):
    with Gateway(gateway_daemon.address, "--grace-ms", "200") as mine:
        connection, read = started(mine)
        mine.process.send_signal(signal.SIGTERM)
        with contextlib.closing(connection):
            while more := connection.recv(65536):
                read += more
        assert b"event: error" in read and b"GATEWAY_STOPPING" in read
        assert mine.stop() == 0
        assert gateway_daemon.runs_are_gone()


def test_a_daemon_that_is_gone_is_503_and_one_that_comes_back_is_found(make_daemon):
    daemon = make_daemon(ready_sandboxes=0, profiles=["python"])
    with Gateway(daemon.address) as mine:
        assert mine.request("GET", "/healthz").status == 200
        assert daemon.stop() == 0
        answer = mine.request("GET", "/healthz")
        assert (answer.status, answer.json()["reason"], answer.headers["retry-after"]) == (503, "DAEMON_UNREACHABLE", "1")
        daemon.start()
        assert mine.request("GET", "/healthz").status == 200


def test_a_gateway_without_its_connector_ends(gateway_daemon):
    with Gateway(gateway_daemon.address) as mine:
        [connector] = [int(pid) for pid in open(f"/proc/{mine.pid}/task/{mine.pid}/children", encoding="ascii").read().split()]
        os.kill(connector, signal.SIGKILL)
        assert mine.request("GET", "/healthz").status == 503
        assert mine.process.wait(scaled(30)) == 1
