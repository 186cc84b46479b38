"""Clients that do not read: what all of them together may hold of the gateway's memory, and that others are served beside them."""

import contextlib
import json
import socket

import pytest

from support.environment import scaled
from support.gateway import Gateway, python_run
from support.processes import resident_bytes, wait_until

MIB = 1 << 20
LIMITS = {"output_bytes": str(48 << 20), "wall_time_ms": "60000", "cpu_time_ms": "60000"}
# A byte of it is six in JSON.
CONTROLS = "import sys\nfor _ in range(96): sys.stdout.write('\\x01' * 65536)"
CHATTY = "import sys\nfor _ in range(320): sys.stdout.write('x' * 65536)"


def unread(gateway, data):
    """A connection with a small window on which `data` was sent and of whose answer the first byte has come."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(scaled(60))
    connection.connect(("127.0.0.1", gateway.port))
    connection.sendall(data)
    assert connection.recv(1, socket.MSG_PEEK)
    return connection


def posted(path, body):
    data = json.dumps(body).encode()
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (path, len(data), data)


def status_of(connection):
    return int(connection.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL).split()[1])


@pytest.mark.bulk
def test_answers_that_nobody_reads_have_one_room_together(gateway_daemon):
    with Gateway(gateway_daemon.address) as mine, contextlib.ExitStack() as stack:
        before = resident_bytes(mine.pid)
        request = posted(b"/v1/runs:execute", python_run(CONTROLS, limits=LIMITS))
        answers = [stack.enter_context(contextlib.closing(unread(mine, request))) for _ in range(8)]
        # 36 MiB each, of 224 for those that are not small.
        assert [status_of(answer) for answer in answers] == [200] * 6 + [503] * 2
        assert resident_bytes(mine.pid) - before < 330 * MIB
        assert mine.request("POST", "/v1/runs:execute", python_run("print(1)")).json()["stdout"] == "1\n"
        stack.close()
        assert wait_until(lambda: mine.request("POST", "/v1/runs:execute", python_run(CONTROLS, limits=LIMITS)).status == 200, scaled(20))


@pytest.mark.bulk
def test_what_is_told_of_a_run_counts_too(gateway_daemon):
    """A stored run with a thousand collected files, whose paths are six times as long in JSON."""
    source = ("import os\nfor i in range(1023):\n  d = '/'.join(['<' * 250] * 3)\n  os.makedirs(d, exist_ok=True)\n"
              "  open(d + '/' + '<' * 200 + str(i), 'w').close()")
    with Gateway(gateway_daemon.address) as mine, contextlib.ExitStack() as stack:
        name = mine.request("POST", "/v1/runs", python_run(source, output_paths=["."])).json()["name"]
        assert wait_until(lambda: mine.request("GET", f"/v1/{name}").json()["state"] == "FINISHED", scaled(30))
        size = len(mine.request("GET", f"/v1/{name}").body)
        assert size > MIB
        before = resident_bytes(mine.pid)
        request = f"GET /v1/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        answers = [stack.enter_context(contextlib.closing(unread(mine, request))) for _ in range(224 * MIB // size + 10)]
        assert 503 in [status_of(answer) for answer in answers]
        assert resident_bytes(mine.pid) - before < 330 * MIB


@pytest.mark.bulk
def test_follower_that_does_not_read_holds_less_than_a_mebibyte(gateway_daemon):
    followers = 60
    with Gateway(gateway_daemon.address) as mine, contextlib.ExitStack() as stack:
        name = mine.request("POST", "/v1/runs", python_run(CHATTY, limits=LIMITS)).json()["name"]
        for _ in range(3):  # quick readers, for whom gRPC would make the windows of all larger
            assert mine.request("GET", f"/v1/{name}:follow", accept="text/event-stream").events()[-1][0] == "finished"
        before = resident_bytes(mine.pid)
        request = f"GET /v1/{name}:follow HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for _ in range(followers):
            stack.enter_context(contextlib.closing(unread(mine, request)))
        assert not wait_until(lambda: resident_bytes(mine.pid) - before > followers * MIB, 3)


@pytest.mark.parametrize("body", [
    b'{"(' + b"\x7f" * MIB + b'":1}',
    b'{"' + b"\x7f" * MIB + b'":1}',
    b'{"files":[' + b",".join([b"1"] * 16_000) + b"]}",
], ids=["a name that looks like a path", "a long name", "many that are wrong"])
def test_what_is_wrong_is_said_in_few_words(gateway, body):
    answer = gateway.request("POST", "/v1/runs:execute", body)
    assert (answer.status, answer.json()["reason"]) == (400, "INVALID_REQUEST")
    assert len(answer.body) < 16_384


def test_whoever_waits_for_longest_gives_a_newcomer_its_place(gateway_daemon):
    with Gateway(gateway_daemon.address, "--max-connections-per-address", "3") as small, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(contextlib.closing(small.raw())) for _ in range(3)]
        for _ in range(3):
            assert small.request("GET", "/healthz").status == 200
        # The first was the first to wait. The three after them have left by themselves.
        assert silent[0].recv(1) == b""
